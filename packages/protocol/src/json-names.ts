/**
 * Attribute names in the order objects show them. Documents of one collection mostly have the same
 * names in the same order, so the parser guesses the next one and compares it in place: no slice, no
 * interning, and no search for duplicates, since a path through the trie holds no name twice.
 */
export interface NameNode {
  readonly name: string;
  /** The name as it stands in the text behind its opening quote, closing quote included. */
  readonly quoted: string;
  /** The child last grown or asked for. */
  likely: NameNode | undefined;
  children: Map<string, NameNode> | undefined;
}

const nodesMax = 4096;
const childrenMax = 64;
const nameLengthMax = 64;

export class NameTrie {
  #root: NameNode = makeNode('');
  #nodes = 1;

  /** Where an object starts. A full trie starts afresh here, so that odd data cannot clog it. */
  get root(): NameNode {
    if (this.#nodes >= nodesMax) {
      this.#root = makeNode('');
      this.#nodes = 1;
    }
    return this.#root;
  }

  /** The node of `name` below `node`, if there is one; it becomes the likely one. */
  child(node: NameNode | undefined, name: string): NameNode | undefined {
    const found = node?.children?.get(name);
    if (found !== undefined) node!.likely = found;
    return found;
  }

  /**
   * Adds `name`, which must be none of those on the path to `node`. Undefined when the name has no
   * place: written with escapes, long, or the trie is full; then the rest of the object goes without.
   */
  grow(node: NameNode | undefined, name: string): NameNode | undefined {
    if (node === undefined || this.#nodes >= nodesMax) return undefined;
    if (name.length > nameLengthMax || needsEscape.test(name)) return undefined;
    const children = (node.children ??= new Map<string, NameNode>());
    if (children.size >= childrenMax) return undefined;
    const child = makeNode(name);
    children.set(name, child);
    node.likely = child;
    this.#nodes++;
    return child;
  }
}

const needsEscape = /["\\\u0000-\u001f]/;

function makeNode(text: string): NameNode {
  // The engine keeps one copy of each attribute name; setting an attribute by that copy is faster than
  // by an equal slice of the text.
  const [name] = Object.keys({ [text]: 0 }) as [string];
  return { name, quoted: `${name}"`, likely: undefined, children: undefined };
}
