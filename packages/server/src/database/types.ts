import type { Value, ValueObject } from '@themisdb/base';
import type {
  Change,
  ChangeToken,
  CollectionInfo,
  CollectionSpec,
  IndexInfo,
  IndexSpec,
  Isolation,
} from '@themisdb/storage';
import type { Explanation, QueryOptions, QueryRun } from '@themisdb/query';

/** What the `aql` tag makes: a query with its bind parameters. */
export interface AqlText {
  readonly query: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * A database in this process: the same engine the server runs, without HTTP. Names are looked up in
 * one namespace. Every operation outside `transaction` is a transaction of its own, and is on disk when
 * its promise resolves. Errors are ThemisErrors with a code of the catalogue.
 *
 * Documents given in may be ordinary objects; those handed out are engine objects (no prototype
 * members; do not change them).
 */
export interface Database {
  readonly namespace: string;
  /** The same database seen from another namespace; closing either closes both. */
  inNamespace(namespace: string): Database;

  /** Starts at once; read it with `for await` or `all()`, or `close()` it. */
  query<Row extends Value = Value>(
    query: string | AqlText,
    params?: Readonly<Record<string, unknown>>,
    options?: QueryOptions,
  ): QueryResult<Row>;
  explain(query: string | AqlText, params?: Readonly<Record<string, unknown>>): Explanation;

  /** No look-up happens before the first call on it. */
  collection(name: string): Collection;
  collections(): readonly CollectionInfo[];
  createCollection(spec: CollectionSpec): Promise<Collection>;

  /**
   * Runs `work` in one transaction and commits it. When another transaction changed what this one
   * read or wrote, everything is rolled back and `work` runs again: it must have no effects outside.
   * An error thrown by `work` rolls back and is passed on.
   */
  transaction<Result>(
    work: (transaction: DatabaseTransaction) => Promise<Result>,
    options?: TransactOptions,
  ): Promise<Result>;

  /** Changes in order, then as they happen, until the signal aborts or the database closes. */
  changes(options?: ChangesOptions): AsyncIterableIterator<Change>;

  /** Writes the engine's state out, so that the next start has less of the log to replay. */
  checkpoint(): Promise<void>;
  /** Waits for work under way; every later call fails with SHUTTING_DOWN. */
  close(): Promise<void>;
}

export interface TransactOptions {
  readonly isolation?: Isolation | undefined;
  readonly readOnly?: boolean | undefined;
  /** Runs of `work` before WRITE_CONFLICT is passed on. Default 10. */
  readonly attemptsMax?: number | undefined;
  /** No further attempt and no commit once it aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface ChangesOptions {
  /** The token of the last change seen, or `now`; without it from the oldest kept. */
  readonly after?: ChangeToken | 'now' | undefined;
  readonly collection?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reading and writing inside `Database.transaction`. Await each call before the next write. */
export interface DatabaseTransaction {
  collection(name: string): EntityOperations;
  query<Row extends Value = Value>(
    query: string | AqlText,
    params?: Readonly<Record<string, unknown>>,
    options?: QueryOptions,
  ): QueryResult<Row>;
}

export interface QueryResult<Row extends Value = Value> extends AsyncIterable<Row> {
  all(): Promise<Row[]>;
  /** The first row, or undefined; the rest is not computed. */
  first(): Promise<Row | undefined>;
  /** Statistics, warnings, batches; rejects when the query could not be started. */
  run(): Promise<QueryRun>;
  close(): Promise<void>;
}

/** Entities of one collection. A `key` is the user's `_key`; a uuid names itself. */
export interface EntityOperations {
  get(key: string): Promise<ValueObject | undefined>;
  getMany(keys: readonly string[]): Promise<(ValueObject | undefined)[]>;
  /** Creates an entity; its `_key` is made when absent. KEY_EXISTS. */
  insert(document: DocumentInput): Promise<ValueObject>;
  /** Creates or replaces. */
  put(key: string, document: DocumentInput, options?: VersionOptions): Promise<ValueObject>;
  /** ENTITY_NOT_FOUND. */
  replace(key: string, document: DocumentInput, options?: VersionOptions): Promise<ValueObject>;
  /** Merges into what is there. ENTITY_NOT_FOUND. */
  patch(key: string, patch: DocumentInput, options?: PatchOptions): Promise<ValueObject>;
  /** The entity removed. ENTITY_NOT_FOUND. */
  delete(key: string, options?: VersionOptions): Promise<ValueObject>;
  count(): Promise<number>;
}

export type DocumentInput = Readonly<Record<string, unknown>>;

export interface VersionOptions {
  /** The current `_rev` must be this one, else PRECONDITION_FAILED. */
  readonly ifRev?: string | undefined;
}

export interface PatchOptions extends VersionOptions {
  /** Attributes that are null in the patch are removed rather than set to null. Default false. */
  readonly removeNulls?: boolean | undefined;
  /** Objects inside are merged rather than replaced. Default true. */
  readonly mergeObjects?: boolean | undefined;
}

export interface Collection extends EntityOperations {
  readonly name: string;
  /** COLLECTION_NOT_FOUND. */
  info(): CollectionInfo;
  /** All in one transaction; results or errors in the order given. */
  insertMany(
    documents: readonly DocumentInput[],
  ): Promise<(ValueObject | { readonly error: unknown })[]>;
  createIndex(spec: IndexSpec): Promise<IndexInfo>;
  /** By name or id. INDEX_NOT_FOUND. */
  dropIndex(nameOrId: string | number): Promise<void>;
  truncate(): Promise<void>;
  drop(): Promise<void>;
}
