import { assert } from '@themisdb/base';
import type { Node, NodeOf, NodeType } from './ast.ts';

/** The properties of N that can hold nodes. */
type ChildKey<N> = {
  [P in keyof N]: Extract<N[P], Node | readonly Node[]> extends never ? never : P;
}[keyof N];

/**
 * The properties with children of each node type, in the order of the query text. The type makes the
 * table complete: a property left out, or one too many, does not compile.
 */
const childTable: { readonly [T in NodeType]: Readonly<Record<ChildKey<NodeOf<T>>, true>> } = {
  Query: { withCollections: true, clauses: true },
  CollectionName: {},
  CollectionParameter: {},
  Variable: {},
  Assignment: { variable: true, value: true },
  For: { variable: true, source: true, search: true, options: true },
  Traversal: {
    vertex: true,
    edge: true,
    path: true,
    depth: true,
    start: true,
    graph: true,
    edgeTypes: true,
    prune: true,
    options: true,
  },
  Prune: { variable: true, condition: true },
  PathSearch: {
    vertex: true,
    edge: true,
    depth: true,
    start: true,
    target: true,
    graph: true,
    edgeTypes: true,
    options: true,
  },
  NamedGraph: { name: true },
  EdgeCollections: { collections: true },
  EdgeCollection: { collection: true },
  Filter: { condition: true },
  Let: { variable: true, value: true },
  Sort: { keys: true },
  SortKey: { expression: true, direction: true },
  Limit: { offset: true, count: true },
  Collect: {
    groups: true,
    aggregates: true,
    countInto: true,
    into: true,
    keep: true,
    options: true,
  },
  CollectInto: { variable: true, projection: true },
  Aggregate: { variable: true, call: true },
  Window: { range: true, preceding: true, following: true, aggregates: true },
  Return: { value: true },
  Insert: { document: true, collection: true, options: true },
  Update: { key: true, document: true, collection: true, options: true },
  Replace: { key: true, document: true, collection: true, options: true },
  Remove: { key: true, collection: true, options: true },
  Upsert: { search: true, insert: true, modify: true, collection: true, options: true },
  Null: {},
  Boolean: {},
  Number: {},
  String: {},
  Array: { elements: true },
  Object: { properties: true },
  NamedProperty: { value: true },
  BoundProperty: { key: true, value: true },
  ComputedProperty: { key: true, value: true },
  Reference: {},
  BindParameter: {},
  Member: { object: true },
  BoundMember: { object: true, attribute: true },
  Index: { object: true, index: true },
  Expansion: { source: true, filter: true, limit: true, projection: true, body: true },
  InlineLimit: { offset: true, count: true },
  ExpansionItem: {},
  ArrayTest: { source: true, quantifier: true, filter: true },
  Quantifier: { count: true },
  Unary: { operand: true },
  Binary: { left: true, right: true },
  ArrayComparison: { left: true, quantifier: true, right: true },
  Ternary: { condition: true, then: true, otherwise: true },
  Range: { from: true, to: true },
  FunctionCall: { arguments: true },
  Subquery: { clauses: true },
  Satisfies: { variable: true, source: true, condition: true },
};

const childKeys: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(childTable).map(([type, keys]) => [type, Object.keys(keys)]),
);

/** The nodes directly below `node`, in the order of the query text. */
export function children(node: Node): Node[] {
  const keys = childKeys.get(node.type);
  assert(keys !== undefined, () => `unknown node type ${node.type}`);
  const out: Node[] = [];
  const values = node as unknown as Readonly<Record<string, unknown>>;
  for (const key of keys) {
    const value = values[key];
    // SortKey.direction holds a word or a node.
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) out.push(...(value as Node[]));
    else out.push(value as Node);
  }
  return out;
}

export interface Visitor {
  /** Before the children; `'skip'` leaves them out (and `leave` is still called). */
  enter?(node: Node, parent: Node | undefined): 'skip' | void;
  /** After the children. */
  leave?(node: Node, parent: Node | undefined): void;
}

/** Walks `root` and everything below it, depth first, in the order of the query text. */
export function visit(root: Node, visitor: Visitor): void {
  visitNode(root, undefined, visitor);
}

function visitNode(node: Node, parent: Node | undefined, visitor: Visitor): void {
  if (visitor.enter?.(node, parent) !== 'skip') {
    for (const child of children(node)) visitNode(child, node, visitor);
  }
  visitor.leave?.(node, parent);
}
