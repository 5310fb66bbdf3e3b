import type { Operation } from './history.ts';

/**
 * What an object does when nothing happens at the same time: the specification that a concurrent
 * history is held against. Deterministic, without side effects; states are never changed in place.
 */
export interface Model<State, Input, Output> {
  readonly initial: State;

  /**
   * The state after the operation took effect in `state`; undefined if it cannot have given its
   * output there. With an unknown outcome any output will do. Never called for failed operations.
   */
  step(state: State, operation: Operation<Input, Output>): State | undefined;

  /** Whether a completed operation leaves every state in which it fits as it is. */
  isObserver(operation: Operation<Input, Output>): boolean;

  /** Equal for equal states, and for no others. */
  stateKey(state: State): string;

  /** `write x 3`, `read x -> 3`. */
  describe(operation: Operation<Input, Output>): string;

  describeState(state: State): string;

  /**
   * The operations that can matter. What is left out must change no verdict: a history that is
   * linearizable without them is so with them, and the other way round.
   */
  relevant?(operations: readonly Operation<Input, Output>[]): Operation<Input, Output>[];

  /**
   * Groups of operations that a linearizable history stays linearizable without. Explanations leave
   * out as many as they can, so that what remains is a proof by itself.
   */
  removable?(operations: readonly Operation<Input, Output>[]): Operation<Input, Output>[][];
}
