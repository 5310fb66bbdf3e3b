import type { Expression } from '@themisdb/aql';
import { mapOperands } from '../expression/map-node.ts';
import type { Access, Pipeline, PlanNode } from './node.ts';

const cache = new WeakMap<Expression, ReadonlySet<string>>();

/** The plan variables an expression reads. Names of its own inline parts are left out. */
export function variablesOf(node: Expression): ReadonlySet<string> {
  const known = cache.get(node);
  if (known !== undefined) return known;
  const found = new Set<string>();
  const inline = new Set(['CURRENT']);
  const visit = (part: Expression): Expression => {
    if (part.type === 'Reference') found.add(part.name);
    else if (part.type === 'Satisfies') inline.add(part.variable.name);
    return mapOperands(part, visit);
  };
  visit(node);
  for (const name of inline) found.delete(name);
  cache.set(node, found);
  return found;
}

/** The expressions a node evaluates itself; those of nested pipelines are not among them. */
export function expressionsOf(node: PlanNode): readonly Expression[] {
  switch (node.type) {
    case 'scan':
      return [
        ...accessExpressions(node.access),
        ...node.filters,
        ...(node.limit === undefined ? [] : [node.limit]),
      ];
    case 'enumerate':
      return [node.list];
    case 'filter':
      return [node.condition];
    case 'let':
    case 'return':
      return [node.value];
    case 'subquery':
    case 'count':
    case 'materialise':
      return [];
    case 'lookup':
      return node.collection === undefined ? [node.ids] : [node.collection, node.ids];
    case 'sort':
      return [
        ...node.keys.map((key) => key.expression),
        ...(node.top === undefined ? [] : [node.top]),
      ];
    case 'limit':
      return node.offset === undefined ? [node.count] : [node.offset, node.count];
    case 'collect':
      return [
        ...node.groups.map((group) => group.value),
        ...node.aggregates.map((aggregate) => aggregate.argument),
        ...(node.into === undefined ? [] : [node.into.value]),
      ];
    case 'window':
      return [
        ...(node.range === undefined ? [] : [node.range]),
        node.preceding,
        node.following,
        ...node.aggregates.map((aggregate) => aggregate.argument),
      ];
    case 'modify':
      return [node.key, node.document].filter((part) => part !== undefined);
    case 'upsert':
      return [node.insert, node.modify];
  }
}

function accessExpressions(access: Access): readonly Expression[] {
  switch (access.type) {
    case 'full':
      return [];
    case 'primary':
      return [access.value];
    case 'index':
      return access.ranges.flatMap((range) => [
        ...range.equal.map((bound) => bound.value),
        ...[range.lower, range.upper].flatMap((bound) =>
          bound === undefined ? [] : [bound.value],
        ),
      ]);
    case 'hash':
      return [
        ...accessExpressions(access.build),
        ...access.buildFilters,
        ...access.keys.flatMap((key) => [key.inner, key.outer]),
      ];
  }
}

/** The pipelines inside a node. */
export function nestedOf(node: PlanNode): readonly Pipeline[] {
  if (node.type === 'subquery') return [node.body];
  return node.type === 'upsert' ? [node.search] : [];
}

/** The variables a node makes. */
export function definitionsOf(node: PlanNode): readonly string[] {
  switch (node.type) {
    case 'scan':
    case 'enumerate':
    case 'let':
    case 'subquery':
    case 'lookup':
    case 'count':
      return [node.variable];
    case 'collect':
      return [
        ...node.groups.map((group) => group.variable),
        ...node.aggregates.map((aggregate) => aggregate.variable),
        ...(node.into === undefined ? [] : [node.into.variable]),
        ...(node.count === undefined ? [] : [node.count]),
      ];
    case 'window':
      return node.aggregates.map((aggregate) => aggregate.variable);
    case 'modify':
    case 'upsert':
      return [node.old, node.new];
    default:
      return [];
  }
}

/** Every variable a node reads from the rows it gets, nested pipelines included. */
export function variablesOfNode(node: PlanNode): ReadonlySet<string> {
  const found = new Set<string>();
  for (const expression of expressionsOf(node)) {
    for (const name of variablesOf(expression)) found.add(name);
  }
  for (const pipeline of nestedOf(node)) {
    for (const name of variablesOfPipeline(pipeline)) found.add(name);
  }
  for (const name of definitionsOf(node)) found.delete(name);
  return found;
}

/** What a pipeline reads and does not make itself. */
export function variablesOfPipeline(pipeline: Pipeline): ReadonlySet<string> {
  const found = new Set<string>();
  const made = new Set<string>();
  for (const node of pipeline) {
    for (const name of variablesOfNode(node)) if (!made.has(name)) found.add(name);
    for (const name of definitionsOf(node)) made.add(name);
  }
  return found;
}
