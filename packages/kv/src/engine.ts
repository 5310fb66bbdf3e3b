/**
 * The ordered key-value contract every engine keeps (RocksDB, memory, later ones).
 *
 * - **Order**: keys are byte strings in bytewise order; a prefix sorts before its extensions.
 * - **Visibility**: once `write` resolved, every later `get`, `scan` and `snapshot` sees the whole
 *   batch; nobody ever sees part of one. Reads started before may or may not see it. A `scan` sees one
 *   state, that of its first `next`; a `multiGet` sees one state.
 * - **Durability**: none is promised by `write`. After a crash the engine comes back as a consistent
 *   prefix of the batches written, at least up to the last completed `flush`. Durability is the log's
 *   business (`@themisdb/wal`).
 * - **Ownership**: returned bytes never change and stay readable for as long as they are kept; nobody
 *   may change them, as an engine may hand out the same bytes again. They may be views of a larger
 *   block, which they keep in memory: copy what is kept for long. Bytes given to `write`, and keys and
 *   bounds given to reads, belong to the engine from then on: the caller must not change them.
 * - **Errors**: `DATA_CORRUPT` on a failed checksum, `DISK_FULL`, `DISK_IO`; every call after `close`
 *   or after a fatal error throws `STORE_FAILED`. A write that failed may be lost, never half done.
 * - **Close** lets gets and writes under way finish; scans under way end with `STORE_FAILED`.
 */
export interface KvEngine {
  get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** Same length and order as `keys`. Cheaper than as many gets. */
  multiGet(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]>;
  /**
   * Batches of entries in key order (descending when `reverse`); never an empty batch. Nothing is
   * read, and nothing held, before the first `next`. Leaving early needs `return`, as `for await` does.
   */
  scan(range: KvRange, options?: ScanOptions): AsyncIterableIterator<KvEntry[]>;
  /** All or nothing. Batches take effect in call order. */
  write(batch: KvBatch): Promise<void>;
  /** A frozen view of all writes that resolved so far, perhaps of later ones. Must be released. */
  snapshot(): KvSnapshot;
  /** Makes all that was written durable. */
  flush(): Promise<void>;
  compact(range?: KvRange): Promise<void>;
  /** Bytes on disk, roughly. */
  approximateSize(range: KvRange): Promise<number>;
  stats(): KvStats;
  close(): Promise<void>;
}

/** Both bounds optional: `gte` included, `lt` excluded. */
export interface KvRange {
  readonly gte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
}

export interface ReadOptions {
  readonly snapshot?: KvSnapshot | undefined;
}

export interface ScanOptions extends ReadOptions {
  readonly reverse?: boolean | undefined;
  /** Entries in all; unlimited by default. */
  readonly limit?: number | undefined;
  /** Entries of a batch at most: small for short scans, large for long ones. Default 256. */
  readonly batchEntries?: number | undefined;
  /** Values come back empty; cheaper where only keys matter. */
  readonly keysOnly?: boolean | undefined;
}

export interface KvEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface KvSnapshot {
  /** Reads under way keep what they need; later ones are a programming error. Again: no effect. */
  release(): void;
}

export type KvOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  | { readonly type: 'deleteRange'; readonly gte: Uint8Array; readonly lt: Uint8Array };

/**
 * Many puts in one piece, as bulk loads make them: an object for each would cost more than the put.
 * `places` holds four numbers a put: start and end of the key, start and end of the value in `bytes`.
 */
export interface KvPuts {
  readonly type: 'puts';
  readonly bytes: Uint8Array;
  readonly places: Uint32Array;
}

export type KvWrite = KvOperation | KvPuts;

/** Applied in order: a later operation on a key wins over an earlier one. */
export type KvBatch = readonly KvWrite[];

export interface KvStats {
  readonly engine: string;
  readonly gets: number;
  readonly scans: number;
  readonly batches: number;
  readonly operations: number;
  readonly snapshotsOpen: number;
  /** Only engines with a read cache have it. */
  readonly cache?: KvCacheStats;
}

export interface KvCacheStats {
  /** Keys looked up, and batches of scans, answered without the engine below. */
  readonly hits: number;
  readonly misses: number;
  readonly bytes: number;
}
