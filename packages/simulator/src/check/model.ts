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

  /** Tells which operations of unknown outcome are worth placing; without it, all are tried. */
  readonly hints?: PendingHints<State, Input, Output>;

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
   * out as many as they can, so that what remains is a proof by itself. The tiers are tried in order:
   * first those that make the rest easier.
   */
  removable?(
    operations: readonly Operation<Input, Output>[],
  ): readonly (readonly (readonly Operation<Input, Output>[])[])[];
}

/**
 * An operation of unknown outcome is placed for the sake of the one after it, which would not fit, or
 * do nothing, in the state as it is.
 */
export interface PendingHints<State, Input, Output> {
  /**
   * What an operation waits for in `state`: nothing, if it fits as it is and would end in the same
   * state from any other; the one state (by its key) in which it fits, or, if its outcome is unknown,
   * does something; or any other state. For an unknown outcome it does not depend on `state`.
   */
  wish(state: State, operation: Operation<Input, Output>): Wish;

  /** The key of the only state that an operation of unknown outcome leads to, if it does something. */
  leadsTo(operation: Operation<Input, Output>): string;
}

export type Wish =
  | { readonly type: 'nothing' }
  | { readonly type: 'state'; readonly key: string }
  | { readonly type: 'any' };
