import type { Expression, Span, Window } from '@themisdb/aql';
import { bindAggregate } from './bind-collect.ts';
import { bindExpression } from './bind-expression.ts';
import { declare, type Place } from './place.ts';
import type { PlanAggregate } from './node.ts';

/** WINDOW adds its aggregates to each row; all variables stay in sight. */
export function bindWindow(clause: Window, place: Place): void {
  const { context } = place;
  const range = clause.range && bindExpression(clause.range, place);
  const values = clause.aggregates.map((entry) => bindAggregate(entry, place));
  const bound = (node: Expression | undefined): Expression =>
    node === undefined ? zero(clause.span) : bindExpression(node, place);
  const preceding = bound(clause.preceding);
  const following = bound(clause.following);
  if (range !== undefined) {
    const keys = [{ expression: range, descending: false }];
    place.emit({ type: 'sort', id: context.id(), keys, top: undefined });
  }
  const aggregates = clause.aggregates.map(({ variable, call }, i): PlanAggregate => ({
    variable: declare(variable.name, variable.span, place),
    function: call.name,
    argument: values[i]!,
  }));
  place.emit({ type: 'window', id: context.id(), range, preceding, following, aggregates });
}

function zero(span: Span): Expression {
  return { type: 'Number', span, value: 0 };
}
