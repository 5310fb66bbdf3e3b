import type {
  Clause,
  Direction,
  EdgeCollection,
  Expression,
  GraphSource,
  NamedGraph,
  PathKind,
  Prune,
  StringLiteral,
  Variable,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseCollection, parseParameter } from './parse-names.ts';
import { parseOptions } from './parse-parts.ts';
import { K, T } from './token.ts';

/** `FOR` in all its forms: over an expression, a traversal, a search for paths. */
export function parseFor(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const variables = parseVariables(cursor);
  cursor.expect(K.IN, 'after the variables of FOR');
  if (directionAt(cursor) !== undefined) {
    return parseGraphFor(cursor, start, variables, undefined);
  }
  const source = cursor.grammar.expression(cursor);
  return directionAt(cursor) === undefined
    ? parsePlainFor(cursor, start, variables, source)
    : parseGraphFor(cursor, start, variables, source);
}

function parseVariables(cursor: Cursor): Variable[] {
  const variables: Variable[] = [];
  do variables.push(cursor.variable('a variable name'));
  while (cursor.accept(T.Comma));
  return variables;
}

function limitVariables(cursor: Cursor, variables: Variable[], max: number, what: string): void {
  const extra = variables[max];
  if (extra === undefined) return;
  const allowed = ['one variable', 'one or two variables', 'one, two or three variables'][max - 1];
  cursor.fail(`${what} yields ${allowed}, not ${variables.length}`, extra.span.start);
}

function parsePlainFor(
  cursor: Cursor,
  start: number,
  variables: Variable[],
  source: Expression,
): Clause {
  limitVariables(cursor, variables, 1, 'FOR over a collection or array');
  const search = cursor.acceptWord('SEARCH') ? cursor.grammar.expression(cursor) : undefined;
  const options = parseOptions(cursor);
  const span = cursor.span(start);
  return Object.freeze({ type: 'For', span, variable: variables[0]!, source, search, options });
}

function directionAt(cursor: Cursor): Direction | undefined {
  switch (cursor.kind) {
    case K.OUTBOUND:
      return 'OUTBOUND';
    case K.INBOUND:
      return 'INBOUND';
    case K.ANY:
      return 'ANY';
    default:
      return undefined;
  }
}

const pathKinds: ReadonlyMap<number, PathKind> = new Map([
  [K.SHORTEST_PATH, 'SHORTEST_PATH'],
  [K.ALL_SHORTEST_PATHS, 'ALL_SHORTEST_PATHS'],
  [K.K_SHORTEST_PATHS, 'K_SHORTEST_PATHS'],
  [K.K_PATHS, 'K_PATHS'],
]);

/** From the direction on. */
function parseGraphFor(
  cursor: Cursor,
  start: number,
  variables: Variable[],
  depth: Expression | undefined,
): Clause {
  const direction = directionAt(cursor)!;
  cursor.step();
  const kind = pathKinds.get(cursor.kind);
  if (kind === undefined) return parseTraversal(cursor, start, variables, depth, direction);
  cursor.step();
  const from = cursor.grammar.expression(cursor);
  const target = parsePathTarget(cursor);
  const graph = parseTypedGraph(cursor);
  return finishPath(cursor, start, variables, {
    kind,
    depth,
    direction,
    start: from,
    target,
    ...graph,
  });
}

function parsePathTarget(cursor: Cursor): Expression {
  if (!cursor.acceptWord('TO')) cursor.unexpected('TO and the target vertex', ['TO']);
  return cursor.grammar.expression(cursor);
}

interface PathParts {
  readonly kind: PathKind;
  readonly depth: Expression | undefined;
  readonly direction: Direction;
  readonly start: Expression;
  readonly target: Expression;
  readonly graph: GraphSource;
  readonly edgeTypes: readonly Expression[];
}

function finishPath(
  cursor: Cursor,
  start: number,
  variables: Variable[],
  parts: PathParts,
): Clause {
  limitVariables(cursor, variables, parts.kind === 'SHORTEST_PATH' ? 2 : 1, parts.kind);
  const options = parseOptions(cursor);
  return Object.freeze({
    type: 'PathSearch',
    span: cursor.span(start),
    kind: parts.kind,
    vertex: variables[0]!,
    edge: variables[1],
    depth: parts.depth,
    direction: parts.direction,
    start: parts.start,
    target: parts.target,
    graph: parts.graph,
    edgeTypes: parts.edgeTypes,
    options,
  });
}

function parseTraversal(
  cursor: Cursor,
  start: number,
  variables: Variable[],
  depth: Expression | undefined,
  direction: Direction,
): Clause {
  const from = cursor.grammar.expression(cursor);
  const { graph, edgeTypes } = parseTypedGraph(cursor);
  if (cursor.kind === K.SHORTEST_PATH) {
    // The form with the target at the end: `OUTBOUND start GRAPH g SHORTEST_PATH TO target`.
    cursor.step();
    const target = parsePathTarget(cursor);
    const parts = { depth, direction, start: from, target, graph, edgeTypes };
    return finishPath(cursor, start, variables, { kind: 'SHORTEST_PATH', ...parts });
  }
  limitVariables(cursor, variables, 3, 'a traversal');
  const prune = parsePrune(cursor);
  const options = parseOptions(cursor);
  return Object.freeze({
    type: 'Traversal',
    span: cursor.span(start),
    vertex: variables[0]!,
    edge: variables[1],
    path: variables[2],
    depth,
    direction,
    start: from,
    graph,
    edgeTypes,
    prune,
    options,
  });
}

function parsePrune(cursor: Cursor): Prune | undefined {
  const { start } = cursor;
  if (!cursor.acceptWord('PRUNE')) return undefined;
  let variable: Variable | undefined;
  if (cursor.atName() && cursor.peek(1) === T.Assign) {
    variable = cursor.variable('a variable name');
    cursor.step();
  }
  const condition = cursor.grammar.expression(cursor);
  return Object.freeze({ type: 'Prune', span: cursor.span(start), variable, condition });
}

/** The graph, with `TYPE "label", …` before or after it. */
function parseTypedGraph(cursor: Cursor): {
  graph: GraphSource;
  edgeTypes: readonly Expression[];
} {
  const before = parseEdgeTypes(cursor);
  const graph = parseGraph(cursor);
  const edgeTypes = before.length > 0 ? before : parseEdgeTypes(cursor);
  return { graph, edgeTypes: Object.freeze(edgeTypes) };
}

function parseEdgeTypes(cursor: Cursor): Expression[] {
  const types: Expression[] = [];
  // A collection may be named `type`, but then no label follows.
  if (!cursor.atWord('TYPE') || !isLabel(cursor.peek(1))) return types;
  cursor.step();
  do types.push(parseLabel(cursor));
  while (isLabel(cursor.peek(1)) && cursor.accept(T.Comma));
  return types;
}

function isLabel(kind: number): boolean {
  return kind === T.String || kind === T.Param;
}

function parseLabel(cursor: Cursor): Expression {
  return cursor.kind === T.String ? parseString(cursor) : parseParameter(cursor);
}

function parseString(cursor: Cursor): StringLiteral {
  const { start } = cursor;
  const value = cursor.string();
  return Object.freeze({ type: 'String', span: cursor.span(start), value });
}

function parseGraph(cursor: Cursor): GraphSource {
  const { start } = cursor;
  if (cursor.accept(K.GRAPH)) {
    const name = parseGraphName(cursor);
    return Object.freeze({ type: 'NamedGraph', span: cursor.span(start), name });
  }
  const collections: EdgeCollection[] = [];
  do collections.push(parseEdgeCollection(cursor));
  while (cursor.accept(T.Comma));
  return Object.freeze({
    type: 'EdgeCollections',
    span: cursor.span(start),
    collections: Object.freeze(collections),
  });
}

function parseGraphName(cursor: Cursor): NamedGraph['name'] {
  if (cursor.kind === T.Param || cursor.kind === T.CollectionParam) return parseParameter(cursor);
  if (cursor.kind === T.String) return parseString(cursor);
  const { start } = cursor;
  const value = cursor.name('the name of a graph');
  return Object.freeze({ type: 'String', span: cursor.span(start), value });
}

function parseEdgeCollection(cursor: Cursor): EdgeCollection {
  const { start } = cursor;
  const direction = directionAt(cursor);
  if (direction !== undefined) cursor.step();
  if (!cursor.atName() && cursor.kind !== T.Param && cursor.kind !== T.CollectionParam) {
    cursor.unexpected('GRAPH and a name, or edge collections');
  }
  const collection = parseCollection(cursor);
  return Object.freeze({ type: 'EdgeCollection', span: cursor.span(start), direction, collection });
}
