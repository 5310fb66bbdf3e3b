import type { TextPosition, Value, ValueObject } from '@themisdb/base';
import type { Model } from './names.ts';

// The bodies of the HTTP API. Envelope members are snake_case; declarations (collections, indexes),
// query options and statistics keep the camelCase names that users of ArangoDB know. Timestamps of
// versions are 16 hexadecimal digits (`_rev`); durations end in _ms.

/** Names an entity in a body: a URN, or `collection/key`. */
export type EntityReference = string;

/** RFC 9457 problem document: every answer of status 400 and above. */
export interface Problem {
  /** `urn:themis:error:CODE`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly error: ErrorBody;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  readonly request_id: string;
  /** Path of the reference page that explains the code. */
  readonly doc: string;
}

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly position?: TextPosition;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** System attributes of the version a write made, or removed. */
export interface EntityMeta {
  readonly _key: string;
  readonly _id: string;
  readonly _rev: string;
  readonly _urn: string;
}

/**
 * Answer to PUT, PATCH, DELETE and POST of one entity. `new` and `old` are there when the query
 * parameters `return_new`, `return_old` ask for them.
 */
export interface WriteAnswer extends EntityMeta {
  readonly _old_rev?: string;
  readonly new?: ValueObject;
  readonly old?: ValueObject;
}

export interface BatchGetRequest {
  readonly items: readonly EntityReference[];
}

export type BatchGetResult =
  | { readonly ref: EntityReference; readonly entity: ValueObject }
  | { readonly ref: EntityReference; readonly error: ErrorBody };

/** In the order of the request. */
export interface BatchGetAnswer {
  readonly results: readonly BatchGetResult[];
  readonly found: number;
  readonly failed: number;
}

export interface BatchPutItem {
  /** The entity to write; or `collection` alone, and the key is that of `entity`, or made. */
  readonly ref?: EntityReference;
  readonly collection?: string;
  readonly entity: ValueObject;
  /** put: create or replace (default); insert: KEY_EXISTS when there; replace, update: ENTITY_NOT_FOUND when not. */
  readonly mode?: 'put' | 'insert' | 'replace' | 'update';
  /** The current `_rev`, else PRECONDITION_FAILED. */
  readonly if_match?: string;
}

export interface BatchPutRequest {
  readonly items: readonly BatchPutItem[];
  /** True: one failure and nothing is written. False (default): what can be written is. */
  readonly atomic?: boolean;
}

export interface BatchDeleteRequest {
  readonly items: readonly (
    EntityReference | { readonly ref: EntityReference; readonly if_match?: string }
  )[];
  readonly atomic?: boolean;
}

/** `created` is set where a write made a new entity. */
export type BatchWriteResult =
  | (EntityMeta & { readonly created?: boolean })
  | { readonly ref?: string; readonly error: ErrorBody };

/** One transaction for all that did not fail; `results` in the order of the request. */
export interface BatchWriteAnswer {
  readonly results: readonly BatchWriteResult[];
  readonly written: number;
  readonly failed: number;
}

export interface QueryRequestBody {
  readonly query: string;
  /** Values of `@name` under `name`, collections of `@@name` under `@name`. */
  readonly params?: Readonly<Record<string, Value>>;
  readonly options?: QueryOptionsBody;
}

export interface QueryOptionsBody {
  readonly batchSize?: number;
  readonly fullCount?: boolean;
  /** Seconds. */
  readonly maxRuntime?: number;
  readonly maxRuntimeMs?: number;
  /** Bytes. */
  readonly memoryLimit?: number;
  readonly maxRows?: number;
  readonly failOnWarning?: boolean;
  readonly maxWarningCount?: number;
  readonly profile?: boolean;
  /** A version timestamp (16 hexadecimal digits), milliseconds since 1970, or an ISO 8601 date. */
  readonly asOf?: string | number;
  readonly isolation?: 'serializable' | 'snapshot';
  /** strong, bounded, bounded=<ms>, eventual, at-least=<token>; in place of X-Themis-Consistency. */
  readonly consistency?: string;
  readonly optimizer?: { readonly rules?: readonly string[] };
}

/** Of POST /query/aql and GET /cursor/{id}. `cursor` is there while `has_more`. */
export interface QueryAnswer {
  readonly results: readonly Value[];
  readonly has_more: boolean;
  readonly cursor?: string;
  /** Id for GET /queries and DELETE /queries/{id}. */
  readonly query_id: string;
  readonly stats: QueryStatsBody;
  readonly warnings: readonly QueryWarningBody[];
  readonly profile?: Value;
}

export interface QueryStatsBody {
  readonly scannedFull: number;
  readonly scannedIndex: number;
  readonly filtered: number;
  readonly documentLookups: number;
  readonly writesExecuted: number;
  readonly writesIgnored: number;
  readonly conflictRetries: number;
  readonly rowsReturned: number;
  readonly executionTimeMs: number;
  readonly peakMemoryUsage: number;
  readonly planCached: boolean;
  readonly fullCount?: number;
}

export interface QueryWarningBody {
  readonly code: string;
  readonly message: string;
  readonly arangoErrorNum?: number;
}

/**
 * A line of an answer asked for with `Accept: application/x-ndjson`: any number of rows, then one
 * `end` or `error`. An answer without either was cut off.
 */
export type QueryStreamLine =
  | { readonly row: Value }
  | { readonly end: Omit<QueryAnswer, 'results' | 'has_more' | 'cursor'> }
  | { readonly error: Problem };

export interface RunningQueryBody {
  readonly id: string;
  readonly namespace: string;
  readonly query: string;
  readonly started: string;
  readonly runtime_ms: number;
  readonly memory_bytes: number;
  readonly rows: number;
  readonly modifies: boolean;
  readonly state: 'running' | 'killed';
}

/** As declared: the body of POST /collections. */
export interface CollectionSpecBody {
  readonly name: string;
  readonly model?: Model;
  readonly type?: 'document' | 'edge';
  readonly schema?: SchemaBody;
  readonly columns?: readonly ColumnBody[];
  readonly foreignKeys?: readonly ForeignKeyBody[];
}

export interface SchemaBody {
  readonly rule: ValueObject;
  readonly level?: 'none' | 'new' | 'moderate' | 'strict';
  readonly message?: string;
}

export interface ColumnBody {
  readonly name: string;
  readonly type: string;
  readonly notNull?: boolean;
  readonly unique?: boolean;
  readonly default?: Value;
}

export interface ForeignKeyBody {
  readonly column: string;
  readonly references: { readonly collection: string; readonly column?: string };
  readonly onDelete?: 'restrict' | 'cascade' | 'set null';
}

export interface CollectionBody extends CollectionSpecBody {
  readonly id: number;
  readonly namespace: string;
  readonly model: Model;
  readonly type: 'document' | 'edge';
  readonly indexes: readonly IndexBody[];
  /** Estimated, cheap; `?count=exact` on GET /collections/{name} counts. */
  readonly count: number;
  readonly schemaVersion: number;
}

export interface IndexSpecBody {
  readonly name?: string;
  readonly type?: 'persistent';
  readonly fields: readonly string[];
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly storedValues?: readonly string[];
  readonly deduplicate?: boolean;
}

export interface IndexBody extends IndexSpecBody {
  readonly id: number;
  readonly name: string;
  readonly type: 'persistent';
  readonly state: 'building' | 'ready';
  readonly entries: number;
  /** Distinct keys divided by entries; 1 is unique. */
  readonly selectivity: number;
}

export interface TransactionBeginRequest {
  readonly isolation?: 'serializable' | 'snapshot';
  readonly read_only?: boolean;
  /** Idle time after which it is rolled back. */
  readonly timeout_ms?: number;
}

export interface TransactionAnswer {
  readonly id: string;
  /** `unknown`: its commit was begun, and has not ended, or nobody knows how. */
  readonly state: 'open' | 'committed' | 'rolled-back' | 'expired' | 'lost' | 'unknown';
  readonly read_only: boolean;
  readonly read_timestamp: string;
  readonly writes: number;
  /** ISO 8601; of an open one, when it ends unless used before. */
  readonly expires?: string;
  /** Of a committed one. */
  readonly commit_timestamp?: string;
}

export interface ChangefeedAnswer {
  readonly changes: readonly ChangeBody[];
  /** Give it as `after` to go on. */
  readonly next: string;
}

export interface ChangeBody {
  readonly token: string;
  readonly timestamp: string;
  readonly operation: 'insert' | 'update' | 'remove' | 'truncate' | 'drop';
  readonly namespace: string;
  readonly collection: string;
  readonly urn?: string;
  readonly document?: ValueObject;
  readonly previous_rev?: string;
}

/** Of POST /collections/{name}/import. */
export interface ImportAnswer {
  readonly lines: number;
  readonly created: number;
  readonly updated: number;
  readonly ignored: number;
  readonly failed: number;
  /** The first ones, at most as many as `errors_max` says. */
  readonly errors: readonly { readonly line: number; readonly error: ErrorBody }[];
}
