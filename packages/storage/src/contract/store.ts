import type { Value, ValueObject } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type {
  Catalog,
  CollectionInfo,
  CollectionSpec,
  IndexInfo,
  IndexSpec,
  IndexStatistics,
} from './catalog.ts';
import type {
  RememberedAnswer,
  RowEncoder,
  RowEncoderOptions,
  StoredRecord,
  Timestamp,
  Transaction,
  TransactionOptions,
} from './transaction.ts';

/**
 * One shard's data: catalog, entities, indexes, transactions, change log, over one kv engine and one
 * log. Acknowledged means on disk. All names are looked up by the caller in `catalog()`.
 */
export interface Store {
  /** The current catalog; immutable. */
  catalog(): Catalog;
  begin(options?: TransactionOptions): Transaction;

  createCollection(namespace: string, spec: CollectionSpec): Promise<CollectionInfo>;
  /** Changes schema, columns, foreign keys; existing data is not validated again unless stated. */
  alterCollection(
    collection: CollectionInfo,
    change: Pick<CollectionSpec, 'schema' | 'columns' | 'foreignKeys'>,
  ): Promise<CollectionInfo>;
  dropCollection(collection: CollectionInfo): Promise<void>;
  truncateCollection(collection: CollectionInfo): Promise<void>;
  /** Idempotent: an equal definition returns the index there is. Builds it over existing data. */
  createIndex(
    collection: CollectionInfo,
    spec: IndexSpec,
    onProgress?: (done: number, total: number) => void,
  ): Promise<IndexInfo>;
  dropIndex(collection: CollectionInfo, index: IndexInfo): Promise<void>;

  /**
   * For `Transaction.insertRows`. Undefined where documents have to be seen as values: edges,
   * collections with rules or unique indexes; `insertMany` is for those.
   */
  rowEncoder(collection: CollectionInfo, options?: RowEncoderOptions): RowEncoder | undefined;

  /** For the planner; cheap, possibly stale. */
  approximateCount(collection: CollectionInfo): number;
  indexStatistics(index: IndexInfo): IndexStatistics;

  findAnswer(key: string): Promise<RememberedAnswer | undefined>;

  /** Change records after `after` (exclusive); empty when there are none yet. CHANGES_TRIMMED. */
  readChanges(request: ChangesRequest): Promise<ChangesPage>;
  /** Resolves when a change after `token` exists, or rejects with the signal's reason. */
  waitForChange(token: ChangeToken, signal: AbortSignal): Promise<void>;

  readonly lastCommit: Timestamp;
  stats(): StoreStats;
  /** Writes the engine's state out and drops log segments no longer needed. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/** Opaque position in the change log, `<log index>.<n>` as text outside. Sorts by (index, n). */
export interface ChangeToken {
  readonly index: number;
  readonly n: number;
}

export interface ChangesRequest {
  readonly after: ChangeToken;
  readonly limit: number;
  readonly namespace?: string | undefined;
  readonly collection?: string | undefined;
}

export interface Change {
  readonly token: ChangeToken;
  readonly timestamp: Timestamp;
  readonly operation: 'insert' | 'update' | 'remove' | 'truncate' | 'drop';
  readonly namespace: string;
  readonly collection: string;
  readonly uuid?: Uuid | undefined;
  readonly urn?: string | undefined;
  /** The new value at that version; absent for removals, or when history no longer holds it. */
  readonly document?: ValueObject | undefined;
  readonly previousVersion?: Timestamp | undefined;
}

export interface ChangesPage {
  readonly changes: readonly Change[];
  /** Where to go on: the last change read, or the end of what was looked at. */
  readonly next: ChangeToken;
}

export interface StoreStats {
  readonly commits: number;
  readonly conflicts: number;
  readonly transactionsOpen: number;
  readonly appliedIndex: number;
  readonly flushedIndex: number;
}

/**
 * What a data model adds to a plain entity. `models` makes them; storage calls them in the write
 * path, inside the transaction, before the effect is buffered. Throwing refuses that one write.
 */
export interface CollectionRules {
  /** Validates and completes (defaults) a document to be written. Pure. */
  prepare?(
    document: ValueObject,
    context: {
      readonly operation: 'insert' | 'replace' | 'update';
      readonly before?: ValueObject | undefined;
    },
  ): ValueObject;
  /** Reads related entities (foreign keys) and may write more (cascade). */
  afterWrite?(
    transaction: Transaction,
    write: {
      readonly operation: 'insert' | 'replace' | 'update' | 'remove';
      readonly before?: StoredRecord | undefined;
      readonly after?: StoredRecord | undefined;
    },
  ): Promise<void>;
}

/** Called once per collection and catalog version; undefined when a collection has no rules. */
export type RulesFactory = (
  collection: CollectionInfo,
  catalog: Catalog,
) => CollectionRules | undefined;

export type { Value };
