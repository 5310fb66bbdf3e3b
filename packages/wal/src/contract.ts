/**
 * A durable, append-only log of records, shared by all groups of a store (one group a shard).
 *
 * - **Order**: records come back from `replay` in the order of `append` calls. Within a group,
 *   `index` rises by one from record to record; an `append` at an index already used cuts the group's
 *   later records off (Raft log matching: a new leader overwrites an unacknowledged tail). A group that
 *   holds nothing may start at any index: after a snapshot, truncate before its end, then append.
 * - **Durability**: the promise of `append` resolves when its records are on disk. All appends of one
 *   loop turn, and all that arrive while a sync runs, share one `fdatasync` (group commit). After a
 *   crash any leading part of what was not acknowledged may be there, in whole records.
 * - **Torn tail**: an incomplete or damaged batch at the very end of the last segment was in general
 *   never acknowledged: it is cut off at open, and reported in the log and in `tornBytes`. Damage before
 *   that is `LOG_CORRUPT` with file and offset, and the log refuses to open. Damage inside the very last
 *   batch written before a crash cannot be told from a torn write; `close` puts a mark behind it,
 *   so that after an orderly close it can.
 * - **Errors**: `DISK_FULL` leaves the log at its last good record and usable: a later append may
 *   succeed. All appends waiting at that moment fail with it, so that no group gets a gap; so does an
 *   append behind one that failed, until its group goes on where it broke off. A failed sync is
 *   fatal: what was under way and every later call rejects with `STORE_FAILED`; never retried.
 *   `LIMIT_EXCEEDED`: a payload above 64 MiB, or one append above 256 MiB.
 * - **Ownership**: payloads given to `append` are left alone until it settles. Those got from `replay`
 *   are views of one buffer per batch: copy what is to live longer.
 */
export interface Wal {
  append(records: readonly WalRecord[]): Promise<void>;
  /**
   * Sees to it that appends of about so many payload bytes find their space allocated; undefined when
   * they do already. Rejects with `DISK_FULL` where an append would, before anything is lost. Space is
   * not held for the caller: another append may take it.
   */
  reserve(bytes: number): Promise<void> | undefined;
  /**
   * Reads acknowledged records of one group from `fromIndex` on (all that are kept when absent or
   * lower), in order, in batches of about 1 MiB. Records appended meanwhile are read too. Records
   * truncated meanwhile are left out: a consumer that minds looks at the indexes.
   */
  replay(group: number, fromIndex?: number): AsyncIterableIterator<WalRecord[]>;
  /** First and last acknowledged index kept for a group; undefined when there is none. */
  bounds(group: number): { readonly first: number; readonly last: number } | undefined;
  /** The groups that hold records, in ascending order. */
  groups(): number[];
  /**
   * Records of the group below `index` are no longer needed. Resolves when that is durable; segments
   * with nothing needed are removed in the background. When much of the log is not needed but an old
   * segment is held by a few records, those are written anew at the end.
   */
  truncateBefore(group: number, index: number): Promise<void>;
  stats(): WalStats;
  /** Waits for appends under way. Afterwards every call rejects. */
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
  /** Written in the segments that are kept. */
  readonly bytes: number;
  /** Of these, still needed. */
  readonly liveBytes: number;
  /** Acknowledged since open. */
  readonly appends: number;
  /** Acknowledged since open. */
  readonly records: number;
  readonly syncs: number;
  /** Handed to the disk since open, headers and records written anew included. */
  readonly writtenBytes: number;
  /** Appends not yet acknowledged, and their bytes in memory: what back-pressure goes by. */
  readonly waitingAppends: number;
  readonly waitingBytes: number;
  /** Records moved to the end to free an old segment, since open. */
  readonly carriedRecords: number;
  /** Bytes cut off a torn tail at open. */
  readonly tornBytes: number;
}
