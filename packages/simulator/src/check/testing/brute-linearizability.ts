import type { Operation } from '../history.ts';
import type { Model } from '../model.ts';

/**
 * Linearizability by definition, for histories of a few operations on one key: tries every order of
 * the completed operations with every choice of the pending ones.
 */
export function isLinearizableByDefinition<State, Input, Output>(
  model: Pick<Model<State, Input, Output>, 'initial' | 'step'>,
  operations: readonly Operation<Input, Output>[],
): boolean {
  const canEnd = (state: State, left: readonly Operation<Input, Output>[]): boolean => {
    if (left.every(({ outcome }) => outcome.type !== 'ok')) return true;
    return left.some((operation) => {
      if (operation.outcome.type === 'failed') return false;
      const rest = left.filter((other) => other !== operation);
      const isTooEarly = rest.some(
        ({ outcome, returned }) => outcome.type === 'ok' && returned < operation.call,
      );
      const next = isTooEarly ? undefined : model.step(state, operation);
      return next !== undefined && canEnd(next, rest);
    });
  };
  return canEnd(model.initial, operations);
}
