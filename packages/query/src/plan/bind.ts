import type {
  Clause,
  Expression,
  For,
  Let,
  Limit,
  Query,
  Return,
  Sort,
  SortKey,
  Span,
} from '@themisdb/aql';
import type { Value } from '@themisdb/base';
import { bindCollect } from './bind-collect.ts';
import { BindContext, type BindInput } from './bind-context.ts';
import { bindExpression, emitSubquery } from './bind-expression.ts';
import { bindModification } from './bind-modify.ts';
import { bindForOptions } from './bind-options.ts';
import { bindWindow } from './bind-window.ts';
import { scanAll } from './build.ts';
import type { Pipeline, Plan, PlanNode, PlanSortKey } from './node.ts';
import { declare, mustBeNew, type Place } from './place.ts';
import { Scope } from './scope.ts';

export interface BoundQuery {
  readonly plan: Plan;
  readonly context: BindContext;
}

/**
 * From the tree to a first, naive plan: names and parameters resolved, rules of the language checked.
 *
 * Errors, with position: AQL_UNKNOWN_VARIABLE, AQL_VARIABLE_REDECLARED, COLLECTION_NOT_FOUND,
 * AQL_UNKNOWN_FUNCTION, AQL_FUNCTION_ARGUMENTS, AQL_BIND_MISSING, AQL_BIND_UNUSED, AQL_BIND_TYPE,
 * AQL_ACCESS_AFTER_MODIFICATION, AQL_COLLECTION_IN_EXPRESSION, NOT_IMPLEMENTED, and others.
 */
export function bindQuery(query: Query, input: BindInput): BoundQuery {
  const context = new BindContext(input);
  if (query.live) throw context.notImplemented(query.span, 'LIVE');
  for (const ref of query.withCollections) {
    context.mustCollection(context.collectionName(ref), ref.span);
  }
  const root = bindPipeline(query.clauses, new Scope(), context);
  refuseUnusedParams(context, query.span);
  return {
    context,
    plan: {
      root,
      modifies: context.writes.size > 0,
      parameters: [...context.runtimeParams],
      reads: [...context.reads.values()],
      writes: [...context.writes.values()],
      warnings: context.warnings,
    },
  };
}

function refuseUnusedParams(context: BindContext, span: Span): void {
  for (const name of Object.keys(context.input.params)) {
    if (context.runtimeParams.has(name) || context.structuralParams.has(name)) continue;
    throw context.error(
      'AQL_BIND_UNUSED',
      span,
      `A value was given for bind parameter @${name}, which the query does not have.`,
      { parameter: name },
    );
  }
}

/** The clauses of one (sub)query. `scope` is its own. */
export function bindPipeline(
  clauses: readonly Clause[],
  scope: Scope,
  context: BindContext,
): Pipeline {
  const nodes: PlanNode[] = [];
  const place: Place = {
    context,
    scope,
    emit: (node) => nodes.push(node),
    bindSubquery: (inner, innerScope) => bindPipeline(inner, innerScope, context),
    inline: new Map(),
  };
  for (const clause of clauses) bindClause(clause, place);
  return nodes;
}

function bindClause(clause: Clause, place: Place): void {
  const { context } = place;
  switch (clause.type) {
    case 'For':
      return bindFor(clause, place);
    case 'Filter': {
      const condition = bindExpression(clause.condition, place);
      return place.emit({ type: 'filter', id: context.id(), condition });
    }
    case 'Let':
      return bindLet(clause, place);
    case 'Sort':
      return bindSort(clause, place);
    case 'Limit':
      return bindLimit(clause, place);
    case 'Return':
      return bindReturn(clause, place);
    case 'Collect':
      return bindCollect(clause, place);
    case 'Window':
      return bindWindow(clause, place);
    case 'Traversal':
      throw context.notImplemented(clause.span, 'Graph traversal');
    case 'PathSearch':
      throw context.notImplemented(clause.span, clause.kind);
    default:
      return bindModification(clause, place);
  }
}

function bindFor(clause: For, place: Place): void {
  const { context, scope } = place;
  if (clause.search !== undefined) throw context.notImplemented(clause.search.span, 'SEARCH');
  const hint = bindForOptions(clause.options, context);
  const { source } = clause;
  const name = collectionOf(source, place);
  if (name === undefined) {
    const list = bindExpression(source, place);
    scope.enterLoop();
    const variable = declare(clause.variable.name, clause.variable.span, place);
    return place.emit({ type: 'enumerate', id: context.id(), variable, list });
  }
  const collection = context.mustCollection(name, source.span);
  context.noteRead(collection, source.span);
  scope.enterLoop();
  const variable = declare(clause.variable.name, clause.variable.span, place);
  place.emit({ ...scanAll(context.id(), variable, collection), hint });
}

/** The collection a FOR source names; undefined when it is an expression. */
function collectionOf(source: Expression, place: Place): string | undefined {
  if (source.type === 'CollectionParameter') return place.context.collectionName(source);
  if (source.type !== 'Reference') return undefined;
  return place.scope.resolve(source.name) === undefined ? source.name : undefined;
}

function bindLet(clause: Let, place: Place): void {
  const { name, span } = clause.variable;
  if (clause.value.type === 'Subquery') {
    mustBeNew(name, span, place);
    const unique = place.context.names.declare(name);
    emitSubquery(clause.value, unique, place);
    place.scope.declare(name, unique);
    return;
  }
  const value = bindExpression(clause.value, place);
  const variable = declare(name, span, place);
  place.emit({ type: 'let', id: place.context.id(), variable, value });
}

function bindSort(clause: Sort, place: Place): void {
  const keys = clause.keys.map((key): PlanSortKey => ({
    expression: bindExpression(key.expression, place),
    descending: isDescending(key, place),
  }));
  place.emit({ type: 'sort', id: place.context.id(), keys, top: undefined });
}

function isDescending({ direction }: SortKey, place: Place): boolean {
  if (typeof direction === 'string') return direction === 'DESC';
  const { name, span } = direction;
  const value = place.context.param(name, span, 'structural');
  if (typeof value === 'boolean') return !value;
  const word = typeof value === 'string' ? value.toUpperCase() : '';
  if (word === 'ASC' || word === 'DESC') return word === 'DESC';
  throw place.context.error(
    'AQL_BIND_TYPE',
    span,
    `Bind parameter @${name} is a sort direction: "ASC", "DESC", true or false.`,
    { parameter: name },
  );
}

function bindLimit(clause: Limit, place: Place): void {
  const { context } = place;
  place.emit({
    type: 'limit',
    id: context.id(),
    offset: clause.offset === undefined ? undefined : bindLimitValue(clause.offset, place),
    count: bindLimitValue(clause.count, place),
    fullCount: false,
  });
}

/** A LIMIT is the same for all rows: it sees parameters, but no variables. */
function bindLimitValue(node: Expression, place: Place): Expression {
  const blind: Place = { ...place, scope: new Scope(), inline: new Map() };
  checkLimit(node, place);
  return bindExpression(node, blind);
}

function checkLimit(node: Expression, place: Place): void {
  const value: Value | undefined =
    node.type === 'Number'
      ? node.value
      : node.type === 'BindParameter'
        ? place.context.param(node.name, node.span, 'runtime')
        : undefined;
  if (value === undefined && node.type !== 'Null' && node.type !== 'String') return;
  if (typeof value === 'number' && value >= 0) return;
  throw place.context.error(
    'AQL_NUMBER_OUT_OF_RANGE',
    node.span,
    'LIMIT wants a number that is not negative.',
  );
}

function bindReturn(clause: Return, place: Place): void {
  const value = bindExpression(clause.value, place);
  place.emit({ type: 'return', id: place.context.id(), value, distinct: clause.distinct });
}
