import type { Timestamp } from './transaction.ts';

/**
 * Where the commands of a store get their one order and become durable: a replicated log, or a local
 * one. The store forms commands and hands them over; the log gives them back, in log order, once they
 * can never be lost or replaced (committed).
 *
 * Indexes rise by one from entry to entry. An entry whose `data` is undefined is the log's own (the
 * first entry of a term, a change of membership): it takes an index and means nothing to the store.
 */
export interface CommandLog {
  /** The index the next entry gets, while the store leads. */
  readonly nextIndex: number;
  /**
   * Appends entries at `nextIndex` and after it; synchronous, so that nothing comes between the look at
   * `nextIndex` and this call. Taken is not committed: that shows in `StateMachine.apply`.
   */
  propose(entries: readonly Uint8Array[]): Proposed;
  /**
   * Rejects with `DISK_FULL` where appending so many bytes would fail; undefined when they fit. Asked
   * before commands are formed: a command that was proposed cannot be taken back.
   */
  reserve(bytes: number): Promise<void> | undefined;
  /** The store has stopped for good, of itself: it takes no more of what is committed. */
  failed(cause: unknown): void;
  /** The engine holds everything up to `index` durably: entries up to it may go when nobody needs them. */
  release(index: number): Promise<void>;
}

export type Proposed =
  | {
      readonly type: 'taken';
      readonly term: number;
      /** Resolves when this node's copy is durable, or needed no more; never rejects. */
      readonly stored: Promise<void>;
    }
  /** None was appended. */
  | { readonly type: 'dropped'; readonly error: Error };

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array | undefined;
  /** The encoded membership from this entry on; kept with the applied index, not looked into. */
  readonly membership?: Uint8Array | undefined;
}

/**
 * The store as its log sees it. Calls come one after the other: `apply` is called again only when its
 * promise has resolved. An `apply` that rejects has stopped the store for good.
 */
export interface StateMachine {
  /** How far the engine is. */
  readonly applied: AppliedPlace;
  /** As of `applied`; undefined when no membership was ever stored. */
  readonly membership: Uint8Array | undefined;
  /** To be called once, before anything else. */
  attach(log: CommandLog): void;
  /**
   * This replica leads in `term`, and everything before is applied: commits are taken from now on.
   * Resolves when left-overs of former leaders are tidied up; commits need not wait for that.
   */
  lead(term: number): Promise<void>;
  /**
   * This replica does not lead (any more). Commits that wait are refused with `NOT_LEADER`, those that
   * were proposed end with `UNKNOWN_OUTCOME` unless they are known to be committed.
   */
  follow(state: { readonly leader: number | undefined; readonly committedIndex: number }): void;
  /**
   * Committed entries that follow the last one given; resolves when they are visible. Rejects with
   * SHUTTING_DOWN when the engine has no space for them and the store closes: they are to be given again
   * at the next start.
   */
  apply(entries: readonly LogEntry[]): Promise<void>;
  /** After an error that leaves memory and disk of uncertain agreement. */
  fail(cause: unknown): void;
  /** Holds the current state until it is released, for a snapshot to be read from it. */
  hold(): HeldState;
  /**
   * Replaces everything by a state that was exported elsewhere. Not atomic: the caller remembers durably
   * that it is under way, and begins again after a crash. Resolves when the new state is durable and
   * visible.
   */
  install(batches: AsyncIterable<readonly StateEntry[]>): Promise<void>;
}

export interface AppliedPlace {
  readonly index: number;
  readonly term: number;
  readonly timestamp: Timestamp;
}

/** One key of the state with its value; keys are complete, shard included. */
export interface StateEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface HeldState {
  readonly applied: AppliedPlace;
  readonly membership: Uint8Array | undefined;
  /** All keys from `after` (exclusive) on, in order; the applied place and membership among them. */
  entries(after?: Uint8Array): AsyncIterable<readonly StateEntry[]>;
  release(): void;
}
