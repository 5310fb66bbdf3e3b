/**
 * What clients saw of a system: the input of the checkers.
 *
 * A history has one axis of time. `call` is where an operation was invoked and `returned` where its
 * answer had arrived; only the order of these numbers counts, so they may be virtual milliseconds,
 * real ones or the line numbers of a recording. An operation precedes another when it returned
 * strictly before the other was called; equal numbers mean that the two overlapped. Whoever records
 * with a coarse clock therefore proves less, but never something false.
 *
 * The outcome says what the client may conclude:
 * - `ok`: it took effect once, between `call` and `returned`, and gave `output`;
 * - `failed`: it certainly had no effect and tells nothing (refused, not leader, rolled back);
 * - `unknown`: nobody answered. It may take effect once at any time after `call`, or never.
 *   `returned` is `Infinity`, whenever the client gave up.
 */
export interface Operation<Input, Output> {
  readonly process: Process;
  /** The object it is about. Operations on different keys are checked apart. */
  readonly key: string;
  readonly input: Input;
  readonly call: number;
  readonly returned: number;
  readonly outcome: Outcome<Output>;
}

/** A client that does one thing after the other. */
export type Process = number | string;

export type Outcome<Output> =
  | { readonly type: 'ok'; readonly output: Output }
  | { readonly type: 'failed' }
  | { readonly type: 'unknown' };

/** A value that stands for itself in print. */
export type Scalar = string | number | boolean | null;

/** The interval as explanations print it: `[3, 8]`, `[3, ?]`. */
export function formatInterval(interval: { call: number; returned: number }): string {
  return `[${interval.call}, ${Number.isFinite(interval.returned) ? interval.returned : '?'}]`;
}

/** `1 key`, `2 keys`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
