/**
 * A durable, append-only log of records, shared by all groups of a store (one group a shard).
 *
 * - **Order**: records come back from `replay` in the order of `append` calls. Within a group,
 *   `index` rises by one from record to record; an `append` at an index already used cuts the group's
 *   later records off (Raft log matching: a new leader overwrites an unacknowledged tail).
 * - **Durability**: the promise of `append` resolves when its records are on disk. All appends of one
 *   loop turn, and all that arrive while a sync runs, share one `fdatasync` (group commit).
 * - **Torn tail**: an incomplete or damaged record at the very end of the last segment was never
 *   acknowledged: it is cut off at open, and reported. Damage before that is `LOG_CORRUPT` with file
 *   and offset, and the log refuses to open.
 * - **Errors**: `DISK_FULL` leaves the log at its last good record and usable: a later append may
 *   succeed. A failed sync is fatal: every later call rejects with `STORE_FAILED`; never retried.
 */
export interface Wal {
  append(records: readonly WalRecord[]): Promise<void>;
  /** Reads records of one group from `fromIndex` on (all that are kept when absent), in order. */
  replay(group: number, fromIndex?: number): AsyncIterableIterator<WalRecord[]>;
  /** First and last index kept for a group; undefined when there is none. */
  bounds(group: number): { readonly first: number; readonly last: number } | undefined;
  /** Records of the group below `index` are no longer needed; whole segments are removed. */
  truncateBefore(group: number, index: number): Promise<void>;
  stats(): WalStats;
  /** Waits for appends under way. */
  close(): Promise<void>;
}

export interface WalRecord {
  /** u32. */
  readonly group: number;
  /** Starts at 1; below 2^53. */
  readonly index: number;
  /** Raft term; below 2^53. A single node stays in term 1. */
  readonly term: number;
  /** u8, the owner's own meaning (entry, hard state, …). */
  readonly kind: number;
  readonly payload: Uint8Array;
}

export interface WalStats {
  readonly segments: number;
  readonly bytes: number;
  readonly appends: number;
  readonly records: number;
  readonly syncs: number;
  /** Bytes cut off a torn tail at open. */
  readonly tornBytes: number;
}
