/**
 * Strongly connected components of more than one node (Tarjan, 1972), with a stack of its own. There
 * must be no edges from a node to itself.
 */
export function cyclicComponents(successors: readonly (readonly number[])[]): number[][] {
  const size = successors.length;
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const isOpen = new Uint8Array(size);
  const open: number[] = [];
  const components: number[][] = [];
  const path: { node: number; next: number }[] = [];
  let count = 0;
  const enter = (node: number): void => {
    order[node] = low[node] = count++;
    isOpen[node] = 1;
    open.push(node);
    path.push({ node, next: 0 });
  };
  const leave = (node: number): void => {
    path.pop();
    const parent = path.at(-1)?.node;
    if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!);
    if (low[node] !== order[node]) return;
    const component = open.splice(open.lastIndexOf(node));
    for (const member of component) isOpen[member] = 0;
    if (component.length > 1) components.push(component);
  };
  for (let root = 0; root < size; root++) {
    if (order[root] !== -1) continue;
    enter(root);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const to = successors[frame.node]![frame.next++];
      if (to === undefined) leave(frame.node);
      else if (order[to] === -1) enter(to);
      else if (isOpen[to] === 1) low[frame.node] = Math.min(low[frame.node]!, order[to]!);
    }
  }
  return components;
}
