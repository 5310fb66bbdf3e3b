/**
 * Finds the route of a path; `{name}` in a template takes one segment, and `{name*}` at its end takes
 * all that is left, slashes included.
 */
export class Router<T> {
  readonly #root: Node<T> = makeNode();

  add(method: string, template: string, target: T): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of template.split('/').slice(1)) {
      const [, name, star] = /^\{(\w+)(\*?)\}$/.exec(segment) ?? [];
      if (name === undefined) {
        let next = node.fixed.get(segment);
        if (next === undefined) node.fixed.set(segment, (next = makeNode()));
        node = next;
      } else {
        names.push(name);
        node = node.any ??= makeNode();
        node.takesRest = star === '*';
      }
    }
    node.targets.set(method, { target, names });
  }

  /** Fixed segments win over `{name}`, without going back: templates of the table do not need it. */
  find(method: string, path: string): Found<T> {
    let node: Node<T> | undefined = this.#root;
    const values: string[] = [];
    let start = 1;
    while (node !== undefined) {
      const slash: number = node.any?.takesRest === true ? -1 : path.indexOf('/', start);
      const segment = slash === -1 ? path.slice(start) : path.slice(start, slash);
      const fixed: Node<T> | undefined = node.fixed.get(segment);
      if (fixed === undefined && segment !== '') values.push(segment);
      node = fixed ?? (segment === '' ? undefined : node.any);
      if (slash === -1) break;
      start = slash + 1;
    }
    if (node === undefined || node.targets.size === 0) return { type: 'no-route' };
    const entry =
      node.targets.get(method) ?? (method === 'HEAD' ? node.targets.get('GET') : undefined);
    if (entry === undefined) return { type: 'no-method', allowed: [...node.targets.keys()] };
    return { type: 'route', target: entry.target, names: entry.names, values };
  }
}

export type Found<T> =
  | {
      readonly type: 'route';
      readonly target: T;
      readonly names: readonly string[];
      /** As they stand in the path, still percent-encoded. */
      readonly values: readonly string[];
    }
  | { readonly type: 'no-method'; readonly allowed: readonly string[] }
  | { readonly type: 'no-route' };

interface Node<T> {
  readonly fixed: Map<string, Node<T>>;
  any: Node<T> | undefined;
  takesRest: boolean;
  readonly targets: Map<string, { readonly target: T; readonly names: readonly string[] }>;
}

function makeNode<T>(): Node<T> {
  return { fixed: new Map(), any: undefined, takesRest: false, targets: new Map() };
}
