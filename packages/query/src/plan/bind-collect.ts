import type { Aggregate, Collect, Expression, Property, Reference, Span } from '@themisdb/aql';
import { suggest } from '@themisdb/base';
import { aggregateTable } from '../functions/index.ts';
import { bindExpression } from './bind-expression.ts';
import { bindCollectMethod } from './bind-options.ts';
import { declare, reference, type Place } from './place.ts';
import type { CollectNode, NamedExpression, PlanAggregate } from './node.ts';

/** COLLECT in all forms: expressions see the variables before it, later clauses only the new ones. */
export function bindCollect(clause: Collect, place: Place): void {
  const { context, scope } = place;
  const method = bindCollectMethod(clause.options, context);
  const groupValues = clause.groups.map((group) => bindExpression(group.value, place));
  const aggregateValues = clause.aggregates.map((entry) => bindAggregate(entry, place));
  const intoValue = clause.into === undefined ? undefined : bindInto(clause, place);
  scope.leaveLoops();
  const groups = clause.groups.map(({ variable }, i): NamedExpression => ({
    variable: declare(variable.name, variable.span, place),
    value: groupValues[i]!,
  }));
  const aggregates = clause.aggregates.map(({ variable, call }, i): PlanAggregate => ({
    variable: declare(variable.name, variable.span, place),
    function: call.name,
    argument: aggregateValues[i]!,
  }));
  const { into, countInto } = clause;
  const node: CollectNode = {
    type: 'collect',
    id: context.id(),
    groups,
    aggregates,
    into: into && {
      variable: declare(into.variable.name, into.variable.span, place),
      value: intoValue!,
    },
    count: countInto && declare(countInto.name, countInto.span, place),
    method: 'hash',
    ordered: groups.length > 0,
  };
  if (method !== 'sorted' || groups.length === 0) return place.emit(node);
  const keys = groupValues.map((expression) => ({ expression, descending: false }));
  place.emit({ type: 'sort', id: context.id(), keys, top: undefined });
  place.emit({ ...node, method: 'sorted' });
}

export function bindAggregate({ call }: Aggregate, place: Place): Expression {
  if (!aggregateTable.has(call.name)) throw noSuchAggregate(call.name, call.span, place);
  const [argument] = call.arguments;
  if (argument === undefined || call.arguments.length > 1) {
    throw place.context.error(
      'AQL_FUNCTION_ARGUMENTS',
      call.span,
      `${call.name}() in AGGREGATE takes 1 argument, ${call.arguments.length} given.`,
      { function: call.name, given: call.arguments.length },
    );
  }
  return bindExpression(argument, place);
}

function noSuchAggregate(name: string, span: Span, place: Place): Error {
  const near = suggest(name, aggregateTable.keys());
  const hint = near === undefined ? '' : ` Did you mean ${near}()?`;
  return place.context.error(
    'AQL_INVALID_AGGREGATE',
    span,
    `${name}() is no aggregate function.${hint}`,
    { function: name, ...(near === undefined ? {} : { suggestion: near }) },
  );
}

/** The value each row adds to its group: a projection, the kept variables, or all of them. */
function bindInto({ into, keep, span }: Collect, place: Place): Expression {
  if (into?.projection !== undefined) return bindExpression(into.projection, place);
  const kept =
    keep === undefined
      ? place.scope.grouped()
      : keep.map((node): readonly [string, string] => [node.name, keptVariable(node, place)]);
  const properties = kept.map(([name, unique]): Property => ({
    type: 'NamedProperty',
    span,
    name,
    value: reference(unique, span),
    shorthand: false,
  }));
  return { type: 'Object', span, properties };
}

function keptVariable(node: Reference, place: Place): string {
  const bound = bindExpression(node, place);
  return bound.type === 'Reference' ? bound.name : node.name;
}
