import type { Expression } from '@themisdb/aql';
import { mapOperands } from '../expression/map-node.ts';
import { functionTable } from '../functions/index.ts';
import type { Access, IndexRangePlan, Pipeline, PlanNode } from './node.ts';
import { variablesOf } from './variables.ts';

type Change = (expression: Expression) => Expression;

/** The node with `change` applied to the expressions it evaluates itself. */
export function mapExpressions(node: PlanNode, change: Change): PlanNode {
  const maybe = (part: Expression | undefined): Expression | undefined =>
    part === undefined ? undefined : change(part);
  switch (node.type) {
    case 'scan':
      return {
        ...node,
        access: mapAccess(node.access, change),
        filters: node.filters.map(change),
        limit: maybe(node.limit),
      };
    case 'enumerate':
      return { ...node, list: change(node.list) };
    case 'filter':
      return { ...node, condition: change(node.condition) };
    case 'let':
    case 'return':
      return { ...node, value: change(node.value) };
    case 'subquery':
    case 'count':
    case 'materialise':
      return node;
    case 'lookup':
      return { ...node, collection: maybe(node.collection), ids: change(node.ids) };
    case 'sort': {
      const keys = node.keys.map((key) => ({ ...key, expression: change(key.expression) }));
      return { ...node, keys, top: maybe(node.top) };
    }
    case 'limit':
      return { ...node, offset: maybe(node.offset), count: change(node.count) };
    case 'collect':
      return {
        ...node,
        groups: node.groups.map((group) => ({ ...group, value: change(group.value) })),
        aggregates: node.aggregates.map((entry) => ({
          ...entry,
          argument: change(entry.argument),
        })),
        into: node.into && { ...node.into, value: change(node.into.value) },
      };
    case 'window':
      return {
        ...node,
        range: maybe(node.range),
        preceding: change(node.preceding),
        following: change(node.following),
        aggregates: node.aggregates.map((entry) => ({
          ...entry,
          argument: change(entry.argument),
        })),
      };
    case 'modify':
      return { ...node, key: maybe(node.key), document: maybe(node.document) };
    case 'upsert':
      return { ...node, insert: change(node.insert), modify: change(node.modify) };
  }
}

function mapAccess(access: Access, change: Change): Access {
  switch (access.type) {
    case 'full':
      return access;
    case 'primary':
      return { ...access, value: change(access.value) };
    case 'index':
      return { ...access, ranges: access.ranges.map((range) => mapRange(range, change)) };
    case 'hash':
      return {
        ...access,
        build: mapAccess(access.build, change) as typeof access.build,
        buildFilters: access.buildFilters.map(change),
        keys: access.keys.map(({ inner, outer }) => ({
          inner: change(inner),
          outer: change(outer),
        })),
      };
  }
}

function mapRange(range: IndexRangePlan, change: Change): IndexRangePlan {
  return {
    ...range,
    equal: range.equal.map((bound) => ({ ...bound, value: change(bound.value) })),
    lower: range.lower && { ...range.lower, value: change(range.lower.value) },
    upper: range.upper && { ...range.upper, value: change(range.upper.value) },
  };
}

/** As mapExpressions, for all nodes, those of nested pipelines included. */
export function mapPipeline(pipeline: Pipeline, change: Change): Pipeline {
  return pipeline.map((node) => {
    const mapped = mapExpressions(node, change);
    if (mapped.type === 'subquery') return { ...mapped, body: mapPipeline(mapped.body, change) };
    if (mapped.type === 'upsert') return { ...mapped, search: mapPipeline(mapped.search, change) };
    return mapped;
  });
}

/** The expression with another one in place of a variable; the very same where it is not used. */
export function substitute(
  expression: Expression,
  variable: string,
  replacement: Expression,
): Expression {
  if (!variablesOf(expression).has(variable)) return expression;
  const change = (part: Expression): Expression =>
    part.type === 'Reference' && part.name === variable ? replacement : mapOperands(part, change);
  return change(expression);
}

/** How often a variable stands in an expression. */
export function countUses(expression: Expression, variable: string): number {
  if (!variablesOf(expression).has(variable)) return 0;
  let uses = 0;
  const visit = (part: Expression): Expression => {
    if (part.type === 'Reference' && part.name === variable) uses++;
    return mapOperands(part, visit);
  };
  visit(expression);
  return uses;
}

/** Functions whose call is an effect: it must happen as often and where the query says. */
const effects: ReadonlySet<string> = new Set([
  'FAIL',
  'ASSERT',
  'WARN',
  'NOOPT',
  'NOEVAL',
  'PASSTHRU',
]);

/** Whether an expression may be computed more or fewer times, earlier, or not at all. */
export function isMovable(expression: Expression): boolean {
  let movable = true;
  const visit = (part: Expression): Expression => {
    if (part.type === 'FunctionCall') {
      movable &&= !effects.has(part.name) && functionTable.get(part.name)?.deterministic !== false;
    }
    return mapOperands(part, visit);
  };
  visit(expression);
  return movable;
}

/** The parts of a conjunction. */
export function conjuncts(condition: Expression): Expression[] {
  if (condition.type !== 'Binary' || condition.operator !== '&&') return [condition];
  return [...conjuncts(condition.left), ...conjuncts(condition.right)];
}
