import { formatInterval, type Operation } from './history.ts';
import type { Model } from './model.ts';
import { searchLinearization, type Stuck } from './search.ts';
import { shrink } from './shrink.ts';

/** Steps for each operation; where that is too few, the explanation holds more than it needs. */
const STEPS_PER_OPERATION = 50;

/** Lines of one list, at most. */
const LINES_MAX = 20;

/** A small proof that no order exists, cut from the operations of one key. */
export function explainViolation<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  stuck: Stuck<Input, Output>,
): { operations: readonly Operation<Input, Output>[]; text: string } {
  // The search never got past the return of `last`, so what was called later has no part in it.
  const { operation: last } = stuck;
  let proof = { operations: operations.filter(({ call }) => call <= last.returned), stuck };
  const isProof = (some: readonly Operation<Input, Output>[]): boolean => {
    const result = searchLinearization(model, some, STEPS_PER_OPERATION * some.length);
    if (result.type === 'none') proof = { operations: [...some], stuck: result.stuck };
    return result.type === 'none';
  };
  shrink(proof.operations, (left) => model.removable?.(left) ?? [], isProof);
  return { operations: proof.operations, text: describe(model, proof) };
}

function describe<State, Input, Output>(
  model: Model<State, Input, Output>,
  { operations, stuck }: { operations: Operation<Input, Output>[]; stuck: Stuck<Input, Output> },
): string {
  const { operation: last, prefix, states } = stuck;
  const line = (operation: Operation<Input, Output>): string =>
    `    ${operation.process} ${formatInterval(operation)} ${model.describe(operation)}`;
  const placed = new Set(prefix);
  const others = operations.filter((operation) => operation !== last && !placed.has(operation));
  const out = [`key ${last.key} is not linearizable`, '  does not fit:', line(last)];
  if (prefix.length > 0) out.push('  what returned before it fits, as in this order:');
  out.push(...lastOf(prefix.map(line)));
  const ends = states.join(' or ');
  out.push(`  ${prefix.length > 0 ? 'then' : 'nothing came before:'} the state is ${ends}`);
  if (others.length > 0) out.push('  of no help:', ...lastOf(others.map(line)));
  return out.join('\n');
}

function lastOf(lines: readonly string[]): readonly string[] {
  if (lines.length <= LINES_MAX) return lines;
  return [`    ... ${lines.length - LINES_MAX} more ...`, ...lines.slice(-LINES_MAX)];
}
