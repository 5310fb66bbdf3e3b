import { unreachable } from '@themisdb/base';
import type {
  Aggregate,
  Clause,
  Collect,
  CollectionRef,
  Expression,
  GraphSource,
  ObjectLiteral,
  PathSearch,
  Query,
  SortKey,
  Traversal,
  Upsert,
  Variable,
  Window,
} from './ast.ts';
import { ExpressionPrinter, printName } from './print-expression.ts';

export interface PrintOptions {
  /** Each clause of the outermost query on a line of its own; otherwise all on one line. */
  readonly lines?: boolean;
}

/**
 * Canonical text of a query: upper-case keywords, no superfluous parentheses, escapes only where
 * needed. Parsing the text gives the same tree, spans apart.
 */
export function print(query: Query, options: PrintOptions = {}): string {
  const clauses = query.clauses.map(printClause);
  const body = options.lines === true ? indent(query.clauses, clauses) : clauses.join(' ');
  return printPrefix(query) + body;
}

function printPrefix(query: Query): string {
  const mode = query.mode === 'run' ? '' : `${query.mode.toUpperCase()} `;
  const names = query.withCollections.map(printCollection).join(', ');
  return mode + (names === '' ? '' : `WITH ${names} `) + (query.live ? 'LIVE ' : '');
}

function indent(clauses: readonly Clause[], texts: readonly string[]): string {
  let depth = 0;
  return texts
    .map((text, i) => {
      const line = '  '.repeat(depth) + text;
      const { type } = clauses[i]!;
      if (type === 'For' || type === 'Traversal' || type === 'PathSearch') depth++;
      return line;
    })
    .join('\n');
}

function printClauses(clauses: readonly Clause[]): string {
  return clauses.map(printClause).join(' ');
}

/** One clause on one line. */
export function printClause(clause: Clause): string {
  switch (clause.type) {
    case 'For':
      return `FOR ${printName(clause.variable.name)} IN ${afterIn(clause.source)}${optional(' SEARCH ', clause.search)}${options(clause)}`;
    case 'Traversal':
      return printTraversal(clause);
    case 'PathSearch':
      return printPathSearch(clause);
    case 'Filter':
      return `FILTER ${printExpression(clause.condition)}`;
    case 'Let':
      return `LET ${printName(clause.variable.name)} = ${printExpression(clause.value)}`;
    case 'Sort':
      return `SORT ${clause.keys.map(printSortKey).join(', ')}`;
    case 'Limit':
      return `LIMIT ${clause.offset === undefined ? '' : `${printExpression(clause.offset)}, `}${printExpression(clause.count)}`;
    case 'Collect':
      return printCollect(clause);
    case 'Window':
      return printWindow(clause);
    case 'Return':
      return `RETURN ${clause.distinct ? 'DISTINCT ' : ''}${printExpression(clause.value)}`;
    case 'Insert':
      return `INSERT ${printExpression(clause.document)} INTO ${target(clause)}`;
    case 'Remove':
      return `REMOVE ${printExpression(clause.key)} IN ${target(clause)}`;
    case 'Update':
    case 'Replace': {
      const key = clause.key === undefined ? '' : `${printExpression(clause.key)} WITH `;
      return `${clause.type.toUpperCase()} ${key}${printExpression(clause.document)} IN ${target(clause)}`;
    }
    case 'Upsert':
      return printUpsert(clause);
    default:
      return unreachable(clause, 'clause');
  }
}

const expressions = new ExpressionPrinter(printClauses);

/** One expression on one line. */
export function printExpression(node: Expression): string {
  return expressions.print(node);
}

/** Right after IN the quantifier of SATISFIES would be read as the direction of a traversal. */
function afterIn(node: Expression): string {
  const text = printExpression(node);
  return node.type === 'Satisfies' ? `(${text})` : text;
}

function optional(before: string, node: Expression | undefined): string {
  return node === undefined ? '' : before + printExpression(node);
}

function options(clause: { readonly options: ObjectLiteral | undefined }): string {
  return clause.options === undefined ? '' : ` OPTIONS ${expressions.object(clause.options)}`;
}

function target(clause: {
  readonly collection: CollectionRef;
  readonly options: ObjectLiteral | undefined;
}): string {
  return printCollection(clause.collection) + options(clause);
}

function printCollection(collection: CollectionRef): string {
  return collection.type === 'CollectionName' ? printName(collection.name) : `@${collection.key}`;
}

function printTraversal(clause: Traversal): string {
  const prune = clause.prune;
  const pruneName = prune?.variable === undefined ? '' : `${printName(prune.variable.name)} = `;
  return (
    [
      `${printGraphStart(clause, [clause.vertex, clause.edge, clause.path])} ${printExpression(clause.start)}`,
      printGraph(clause),
      ...(prune === undefined ? [] : [`PRUNE ${pruneName}${printExpression(prune.condition)}`]),
    ].join(' ') + options(clause)
  );
}

function printPathSearch(clause: PathSearch): string {
  return (
    [
      printGraphStart(clause, [clause.vertex, clause.edge]),
      clause.kind,
      `${printExpression(clause.start)} TO ${printExpression(clause.target)}`,
      printGraph(clause),
    ].join(' ') + options(clause)
  );
}

function printGraphStart(
  clause: Traversal | PathSearch,
  variables: readonly (Variable | undefined)[],
): string {
  const names = variables.flatMap((v) => (v === undefined ? [] : [printName(v.name)]));
  const depth = clause.depth === undefined ? '' : `${afterIn(clause.depth)} `;
  return `FOR ${names.join(', ')} IN ${depth}${clause.direction}`;
}

function printGraph(clause: Traversal | PathSearch): string {
  const types = clause.edgeTypes.length === 0 ? '' : ` TYPE ${expressions.list(clause.edgeTypes)}`;
  return printGraphSource(clause.graph) + types;
}

function printGraphSource(graph: GraphSource): string {
  if (graph.type === 'NamedGraph') return `GRAPH ${printExpression(graph.name)}`;
  return graph.collections
    .map(({ direction, collection }) => {
      const prefix = direction === undefined ? '' : `${direction} `;
      return prefix + printCollection(collection);
    })
    .join(', ');
}

function printSortKey(key: SortKey): string {
  const text = printExpression(key.expression);
  if (typeof key.direction !== 'string') return `${text} ${printExpression(key.direction)}`;
  return key.direction === 'ASC' ? text : `${text} DESC`;
}

function printCollect(clause: Collect): string {
  const parts = ['COLLECT'];
  if (clause.groups.length > 0) {
    const groups = clause.groups.map(
      (g) => `${printName(g.variable.name)} = ${printExpression(g.value)}`,
    );
    parts.push(groups.join(', '));
  }
  if (clause.aggregates.length > 0) parts.push(printAggregates(clause.aggregates));
  if (clause.countInto !== undefined) {
    parts.push(`WITH COUNT INTO ${printName(clause.countInto.name)}`);
  }
  if (clause.into !== undefined) {
    parts.push(
      `INTO ${printName(clause.into.variable.name)}${optional(' = ', clause.into.projection)}`,
    );
  }
  if (clause.keep !== undefined) {
    parts.push(`KEEP ${clause.keep.map((kept) => printName(kept.name)).join(', ')}`);
  }
  return parts.join(' ') + options(clause);
}

function printAggregates(aggregates: readonly Aggregate[]): string {
  const texts = aggregates.map((a) => `${printName(a.variable.name)} = ${printExpression(a.call)}`);
  return `AGGREGATE ${texts.join(', ')}`;
}

function printWindow(clause: Window): string {
  const bounds = [
    ...(clause.preceding === undefined ? [] : [`preceding: ${printExpression(clause.preceding)}`]),
    ...(clause.following === undefined ? [] : [`following: ${printExpression(clause.following)}`]),
  ];
  const range = clause.range === undefined ? '' : `${printExpression(clause.range)} WITH `;
  return `WINDOW ${range}{ ${bounds.join(', ')} } ${printAggregates(clause.aggregates)}`;
}

function printUpsert(clause: Upsert): string {
  const search = (clause.searchKind === 'filter' ? 'FILTER ' : '') + printExpression(clause.search);
  return `UPSERT ${search} INSERT ${printExpression(clause.insert)} ${clause.modifyKind} ${printExpression(clause.modify)} IN ${target(clause)}`;
}
