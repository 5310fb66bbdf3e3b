import type { Env, TextPosition, Value, ValueObject } from '@themisdb/base';
import type { Query } from '@themisdb/aql';
import type { Isolation, Store, Timestamp, Transaction } from '@themisdb/storage';

/**
 * Runs AQL over one store: text in, batches of values out.
 *
 * - Errors of the text, its names and its parameters reject `execute`; errors met while reading
 *   reject the `next()` of `batches()`. All are `ThemisError`s; the engine stays usable.
 * - A query without `transaction` is one transaction of its own. A query that only reads holds its
 *   snapshot until its batches are read to the end or `close` is called. A query that modifies data
 *   has run to its end when `execute` resolves: its transaction is committed and its results wait in
 *   memory. WRITE_CONFLICT is retried inside, `limits.conflictRetriesMax` times.
 * - A query given a `transaction` never commits or rolls it back. When it fails after its first
 *   write, the writes it did stay in that transaction: the caller rolls back.
 * - Queries of one engine run interleaved and are independent of each other.
 */
export interface QueryEngine {
  execute(request: QueryRequest): Promise<QueryRun>;
  /** Plans without running. The result is JSON. */
  explain(request: QueryRequest): Explanation;
  /** Parses only: no name is looked up. AQL_PARSE and its like. */
  parse(text: string): ParsedQuery;
  /** Queries under way, oldest first. */
  running(): readonly RunningQuery[];
  /** QUERY_NOT_FOUND when no such query is under way. */
  kill(id: string): void;
}

export interface QueryEngineOptions {
  readonly store: Store;
  readonly env: Pick<Env, 'clock' | 'timers' | 'random'>;
  readonly limits?: Partial<QueryLimits> | undefined;
}

/** What no query may go beyond, whatever its options say; also the defaults of those options. */
export interface QueryLimits {
  /** Bytes of rows, groups, hash tables and results held at once, as estimated. */
  readonly memoryBytesMax: number;
  readonly runtimeMsMax: number;
  /** Rows a query may deliver. */
  readonly rowsMax: number;
  /** Length of the query text, in UTF-16 units. */
  readonly textLengthMax: number;
  readonly conflictRetriesMax: number;
  /** Plans kept for queries that come again. */
  readonly cachedPlansMax: number;
}

export interface QueryRequest {
  readonly text: string;
  /** Values of `@name` under `name`, collections of `@@name` under `@name`. */
  readonly params?: Readonly<Record<string, Value>> | undefined;
  readonly namespace: string;
  readonly options?: QueryOptions | undefined;
  /** Joins this open transaction; without it the query is one of its own. */
  readonly transaction?: Transaction | undefined;
  /** Kills the query when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface QueryOptions {
  /** Count the rows the last top-level LIMIT cut off as well. */
  readonly fullCount?: boolean | undefined;
  /** Seconds, as in ArangoDB; 0 means no limit but the engine's. */
  readonly maxRuntime?: number | undefined;
  /** Milliseconds; wins over `maxRuntime`. */
  readonly maxRuntimeMs?: number | undefined;
  /** Bytes; 0 means no limit but the engine's. */
  readonly memoryLimit?: number | undefined;
  readonly maxRows?: number | undefined;
  /** The first warning becomes the error AQL_WARNING. */
  readonly failOnWarning?: boolean | undefined;
  /** Warnings kept; the rest are dropped. Default 10. */
  readonly maxWarningCount?: number | undefined;
  /** Rows of one delivered batch. Default 1000. */
  readonly batchSize?: number | undefined;
  /** Measure every operator; as the prefix PROFILE does. */
  readonly profile?: boolean | undefined;
  /** Read the state of this moment; not together with `transaction`. */
  readonly asOf?: Timestamp | undefined;
  /** Of the query's own transaction. Default `serializable`. */
  readonly isolation?: Isolation | undefined;
  readonly optimizer?: OptimizerOptions | undefined;
}

export interface OptimizerOptions {
  /** `-name` switches a rule off, `+name` on, `-all` and `+all` every one; later entries win. */
  readonly rules?: readonly string[] | undefined;
}

/** One execution. Stop early with `close`; a run that is neither read nor closed holds its snapshot. */
export interface QueryRun {
  readonly id: string;
  /** Whether the query modifies data. */
  readonly modifies: boolean;
  /**
   * The results, in batches of at most `batchSize`, none empty. May be called once. `EXPLAIN …`
   * delivers one value, the explanation.
   */
  batches(): AsyncIterableIterator<Value[]>;
  /** Reads all that is left. */
  all(): Promise<Value[]>;
  readonly state: 'running' | 'finished' | 'failed';
  /** Counted so far; final once the state is no longer `running`. */
  readonly stats: QueryStats;
  readonly warnings: readonly QueryWarning[];
  /** Set when the run is finished and `fullCount` was asked for. */
  readonly fullCount: number | undefined;
  /** Set when the run is finished and was profiled. */
  readonly profile: QueryProfile | undefined;
  /** Of the query's own transaction, when it modified data. */
  readonly commitTimestamp: Timestamp | undefined;
  /**
   * The run fails with QUERY_KILLED at its next step. No effect once it ended, nor on one that modifies
   * from the beginning of its commit on, unless that conflicts: QUERY_KILLED means nothing was written.
   */
  kill(): void;
  /** Ends the run and gives its snapshot back. */
  close(): Promise<void>;
}

/** Names as in ArangoDB where it has them. Milliseconds in `executionTimeMs`, bytes in memory. */
export interface QueryStats {
  readonly scannedFull: number;
  readonly scannedIndex: number;
  readonly filtered: number;
  /** Records fetched by key after an index gave the key, or by DOCUMENT(). */
  readonly documentLookups: number;
  readonly writesExecuted: number;
  readonly writesIgnored: number;
  /** Times the query began again after a write conflict. */
  readonly conflictRetries: number;
  readonly rowsReturned: number;
  readonly executionTimeMs: number;
  readonly peakMemoryUsage: number;
  readonly planCached: boolean;
}

export interface QueryWarning {
  readonly code: string;
  /** ArangoDB's number, where one fits. */
  readonly arangoErrorNum?: number | undefined;
  readonly message: string;
}

export interface RunningQuery {
  readonly id: string;
  readonly namespace: string;
  readonly text: string;
  /** Wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  readonly runtimeMs: number;
  readonly memoryBytes: number;
  /** Rows delivered so far. */
  readonly rows: number;
  readonly modifies: boolean;
  readonly state: 'running' | 'killed';
}

export interface ParsedQuery {
  readonly ast: Query;
  /** Names used as collections, bind parameters left out; sorted. */
  readonly collections: readonly string[];
  /** Keys of the bind parameters: `name` for `@name`, `@name` for `@@name`; sorted. */
  readonly bindParameters: readonly string[];
}

/** The physical plan as data (JSON) and as text. */
export interface Explanation {
  readonly nodes: readonly ExplainedNode[];
  readonly planText: string;
  readonly estimatedCost: number;
  readonly estimatedRows: number;
  readonly rules: readonly string[];
  readonly collections: readonly { readonly name: string; readonly access: 'read' | 'write' }[];
  readonly warnings: readonly QueryWarning[];
  readonly modifies: boolean;
}

export interface ExplainedNode {
  readonly id: number;
  /** Depth in subqueries: 0 at the top. */
  readonly depth: number;
  readonly type: string;
  readonly text: string;
  readonly estimatedRows: number;
  readonly estimatedCost: number;
  readonly details: ValueObject;
}

export interface QueryProfile {
  readonly planText: string;
  readonly nodes: readonly ProfiledNode[];
  readonly phases: { readonly planMs: number; readonly executeMs: number };
}

export interface ProfiledNode {
  readonly id: number;
  readonly depth: number;
  readonly type: string;
  readonly text: string;
  readonly calls: number;
  readonly batches: number;
  readonly rows: number;
  /** Time in this operator and the ones before it. */
  readonly runtimeMs: number;
  readonly estimatedRows: number;
}

export type { TextPosition };
