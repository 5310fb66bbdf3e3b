import type { Value, ValueObject } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { AttributePath, Catalog, CollectionInfo, IndexInfo } from './catalog.ts';
import type { PathReader } from '../codec/path-reader.ts';

export type Isolation = 'serializable' | 'snapshot';

export interface TransactionOptions {
  /** Default `serializable`. */
  readonly isolation?: Isolation | undefined;
  readonly readOnly?: boolean | undefined;
  /** Reads the state as of this timestamp, within the retention; implies `readOnly`. */
  readonly asOf?: Timestamp | undefined;
}

/**
 * Hybrid logical timestamp: 48 bits of milliseconds, 16 bits of counter. As text (`_rev`, ETag) 16
 * lower-case hexadecimal digits, which sort like the number.
 */
export type Timestamp = bigint;

/**
 * An entity as stored. `body` is the encoded document with its user attributes and `_key` (and
 * `_from`, `_to`), without `_id`, `_rev`, `_urn`, which are derived.
 */
export interface StoredRecord {
  readonly uuid: Uuid;
  readonly version: Timestamp;
  /** The document with all system attributes, decoded on first use and kept. */
  document(): ValueObject;
  /** One attribute without decoding the rest; null when absent. Knows the derived attributes. */
  read(path: AttributePath): Value;
  /**
   * Several attributes in one pass: sets `target[offset + i]` to the value of `reader.paths[i]`.
   * Make the reader once per scan: `new PathReader(paths)`.
   */
  readPaths(reader: PathReader, target: Value[], offset?: number): void;
}

export interface ScanRequest {
  readonly reverse?: boolean | undefined;
  readonly limit?: number | undefined;
  /** Rows per batch; a hint. */
  readonly batchRows?: number | undefined;
}

/**
 * A contiguous range of an index: equality on the first `equal.length` fields, then at most one
 * bounded field. Bounds are values in AQL's order, so `{ after: null, inclusive: false }` means "not null".
 */
export interface IndexRange {
  readonly equal: readonly Value[];
  readonly lower?: IndexBound | undefined;
  readonly upper?: IndexBound | undefined;
}
export interface IndexBound {
  readonly value: Value;
  readonly inclusive: boolean;
}

/** One entry of an index: indexed values in field order, then the stored ones. */
export interface IndexEntry {
  readonly uuid: Uuid;
  readonly values: readonly Value[];
  readonly stored: readonly Value[];
}

export interface WriteOptions {
  /** The current version must be this one, else PRECONDITION_FAILED. */
  readonly ifVersion?: Timestamp | undefined;
  /** update: remove attributes that are null in the patch. Default false (null is kept). */
  readonly removeNulls?: boolean | undefined;
  /** update: merge nested objects rather than replace them. Default true. */
  readonly mergeObjects?: boolean | undefined;
  /** The record as this transaction just read it (from a scan, say): saves reading it again. */
  readonly current?: StoredRecord | undefined;
}

export interface InsertOptions {
  /** This transaction read the entity of that `_key` and found none: saves looking again. */
  readonly isAbsent?: boolean | undefined;
}

export interface WriteResult {
  readonly uuid: Uuid;
  readonly key: string;
  /** The document before and after, with system attributes; absent where there is none. */
  readonly before?: StoredRecord | undefined;
  readonly after?: StoredRecord | undefined;
}

/**
 * A unit of reading and writing on one store.
 *
 * - All reads see one snapshot (the state at `readTimestamp`) plus this transaction's own writes.
 * - Writes are buffered; nothing is visible to others or durable before `commit` resolved.
 * - `commit` validates: every key and range read (serializable) or every key written (snapshot) must
 *   be unchanged since `readTimestamp`, else WRITE_CONFLICT and nothing happens. Unique indexes are
 *   checked at write time and again at commit.
 * - A write that fails (UNIQUE_VIOLATION, SCHEMA_VIOLATION, KEY_EXISTS, ENTITY_NOT_FOUND, …) leaves
 *   the transaction as it was before that write, and usable.
 * - `_rev` of buffered writes is provisional until commit: `commit` returns the final timestamp, and
 *   records handed out by this transaction show it from then on.
 * - Calls are not reentrant while a write is under way: await each write. Reads may run in parallel.
 * - Every transaction must end in `commit` or `rollback`; `rollback` after an end is a no-op.
 */
export interface Transaction {
  readonly readTimestamp: Timestamp;
  /**
   * What `_rev` of this transaction's own writes shows until it committed: unlike every real version
   * and every other transaction's, so that answers can be corrected afterwards.
   */
  readonly provisionalVersion: Timestamp;
  /** The catalog as of the snapshot: plan with this one, not with a newer. */
  readonly catalog: Catalog;
  readonly readOnly: boolean;
  /** False when it reads an earlier moment, for which there are no index entries: use `scan`. */
  readonly indexesReadable: boolean;
  readonly state: 'open' | 'committed' | 'rolled-back';
  /** Writes buffered so far. */
  readonly writes: number;

  get(collection: CollectionInfo, uuid: Uuid): Promise<StoredRecord | undefined>;
  /** Same length and order as `uuids`. */
  getMany(
    collection: CollectionInfo,
    uuids: readonly Uuid[],
  ): Promise<(StoredRecord | undefined)[]>;
  /** All entities of a collection, in storage order (by token). */
  scan(collection: CollectionInfo, request?: ScanRequest): AsyncIterableIterator<StoredRecord[]>;
  /** Entries of an index in index order. Not for `asOf` transactions (use `scan`). */
  scanIndex(
    collection: CollectionInfo,
    index: IndexInfo,
    range: IndexRange,
    request?: ScanRequest,
  ): AsyncIterableIterator<IndexEntry[]>;
  /** Exact within this snapshot. */
  count(collection: CollectionInfo): Promise<number>;

  /** `_key` is made when absent. KEY_EXISTS when taken. */
  insert(
    collection: CollectionInfo,
    document: ValueObject,
    options?: InsertOptions,
  ): Promise<WriteResult>;
  /** Many inserts with one round of reads; results or errors in input order. */
  insertMany(
    collection: CollectionInfo,
    documents: readonly ValueObject[],
  ): Promise<(WriteResult | { readonly error: unknown })[]>;
  /**
   * `insertMany` for rows made by a `RowEncoder`, many times as fast; a transaction of its own for each
   * batch is best. For each row undefined when it was inserted, else why not.
   */
  insertRows(rows: EncodedRows): Promise<(RefusedRow | undefined)[]>;
  replace(
    collection: CollectionInfo,
    uuid: Uuid,
    document: ValueObject,
    options?: WriteOptions,
  ): Promise<WriteResult>;
  update(
    collection: CollectionInfo,
    uuid: Uuid,
    patch: ValueObject,
    options?: WriteOptions,
  ): Promise<WriteResult>;
  remove(collection: CollectionInfo, uuid: Uuid, options?: WriteOptions): Promise<WriteResult>;

  /** The answer stored under an idempotency key, as of the snapshot. */
  findAnswer(key: string): Promise<RememberedAnswer | undefined>;
  /**
   * Stores an answer under an idempotency key with the effect; visible to `findAnswer` after commit.
   * `fingerprint` identifies the request, so that another request under the key is refused. Saves a
   * read where this transaction's `findAnswer` found none before.
   */
  rememberAnswer(key: string, answer: RememberedAnswer): void;

  /** Resolves when the effect is on disk and visible. */
  commit(): Promise<Timestamp>;
  rollback(): void;
}

export interface RefusedRow {
  readonly error: unknown;
}

/**
 * Gathers documents to be inserted, in the form in which they are stored. `tryAddJson` takes their text
 * without making values of it, and false for an answer means only that the text has to be parsed and
 * given to `addDocument`.
 */
export interface RowEncoder {
  readonly count: number;
  /** What the rows take so far. */
  readonly bytes: number;
  tryAddJson(text: Uint8Array, start: number, end: number): boolean;
  /** INVALID_KEY, LIMIT_EXCEEDED, BAD_UTF8, NUMBER_OUT_OF_RANGE. */
  addDocument(document: ValueObject): void;
  /** The rows added since the last call. */
  take(): EncodedRows;
}

export interface RowEncoderOptions {
  /** Limits of the JSON parser in whose place this one stands. */
  readonly depthMax?: number | undefined;
  readonly attributesMax?: number | undefined;
}

/** May be inserted more than once: after a conflict, say. */
export interface EncodedRows {
  readonly collection: CollectionInfo;
  readonly count: number;
  /** Row number `i`, decoded. */
  document(i: number): ValueObject;
}

export interface RememberedAnswer {
  readonly fingerprint: string;
  readonly body: Value;
  /** Given by `findAnswer`: the commit that stored the answer, and so the `_rev` of what it wrote. */
  readonly timestamp?: Timestamp | undefined;
}
