import { isThemisError, ThemisError } from '@themisdb/base';
import { parse, positionAt, type Span } from '@themisdb/aql';
import { themisError } from '@themisdb/protocol';
import type { Transaction } from '@themisdb/storage';
import { ActiveQuery, type QuerySettings } from './active-query.ts';
import { explainPlan } from './plan/explain.ts';
import { parsedQuery } from './parsed-query.ts';
import { Planner, type Prepared } from './planner.ts';
import type {
  Explanation,
  ParsedQuery,
  QueryEngine,
  QueryEngineOptions,
  QueryLimits,
  QueryOptions,
  QueryRequest,
  QueryRun,
  RunningQuery,
} from './query-engine.ts';

export const defaultQueryLimits: QueryLimits = {
  memoryBytesMax: 512 * 1024 * 1024,
  runtimeMsMax: 10 * 60 * 1000,
  rowsMax: 100_000_000,
  textLengthMax: 4 * 1024 * 1024,
  conflictRetriesMax: 20,
  cachedPlansMax: 500,
};

/** A query engine over one store. */
export function makeQueryEngine(options: QueryEngineOptions): QueryEngine {
  return new Engine(options);
}

class Engine implements QueryEngine {
  readonly #options: QueryEngineOptions;
  readonly #limits: QueryLimits;
  readonly #planner: Planner;
  readonly #running = new Map<string, ActiveQuery>();
  #lastId = 0;

  constructor(options: QueryEngineOptions) {
    this.#options = options;
    this.#limits = { ...defaultQueryLimits, ...options.limits };
    this.#planner = new Planner(options.store, this.#limits);
  }

  async execute(request: QueryRequest): Promise<QueryRun> {
    request.signal?.throwIfAborted();
    const { clock } = this.#options.env;
    const startMs = clock.monotonicMs();
    const settings = this.#settings(request, startMs);
    const prepared = this.#prepare(request);
    const query = new ActiveQuery({
      id: String(++this.#lastId),
      request,
      prepared,
      settings,
      begin: (planned) => this.#begin(request, planned),
      prepareAgain: () => this.#prepare(request),
      explain: (done) => explainPlan(done, this.#planner.statistics),
      onEnd: (ended) => this.#running.delete(ended.id),
      planMs: clock.monotonicMs() - startMs,
      startMs,
    });
    this.#running.set(query.id, query);
    try {
      await query.start();
    } catch (error) {
      throw withPosition(error, request.text);
    }
    return query;
  }

  explain(request: QueryRequest): Explanation {
    return explainPlan(this.#prepare(request), this.#planner.statistics);
  }

  parse(text: string): ParsedQuery {
    return parsedQuery(parse(text, { textLengthMax: this.#limits.textLengthMax }));
  }

  running(): readonly RunningQuery[] {
    return [...this.#running.values()].map((query) => query.describe());
  }

  kill(id: string): void {
    const query = this.#running.get(id);
    if (query !== undefined) return query.kill();
    throw themisError('QUERY_NOT_FOUND', {
      message: `No query with id ${id.slice(0, 40)} is under way.`,
    });
  }

  #prepare(request: QueryRequest): Prepared {
    try {
      return this.#planner.prepare(request);
    } catch (error) {
      throw withPosition(error, request.text);
    }
  }

  #begin(request: QueryRequest, { plan }: Prepared): Transaction {
    if (request.transaction !== undefined) return request.transaction;
    const { isolation, asOf } = request.options ?? {};
    if (asOf !== undefined && typeof asOf !== 'bigint') {
      throw themisError('INVALID_FIELD', {
        message: `asOf must be a timestamp (a bigint, as timestampOfMs makes it), not a ${typeof asOf}`,
        details: { path: ['options', 'asOf'] },
      });
    }
    if (asOf !== undefined && plan.modifies) {
      throw themisError('BAD_REQUEST', {
        message: 'A query that reads an earlier moment (asOf) cannot modify data.',
      });
    }
    return this.#options.store.begin({ isolation, asOf, readOnly: !plan.modifies });
  }

  #settings(request: QueryRequest, startMs: number): QuerySettings {
    const options = request.options ?? {};
    if (request.transaction !== undefined && options.asOf !== undefined) {
      throw themisError('BAD_REQUEST', {
        message: 'asOf cannot be given to a query that joins a transaction.',
      });
    }
    const maxRuntimeMs = Math.min(runtimeMs(options), this.#limits.runtimeMsMax);
    return {
      env: this.#options.env,
      memoryLimit: Math.min(
        positiveOr(options.memoryLimit, 'memoryLimit', Infinity),
        this.#limits.memoryBytesMax,
      ),
      maxRuntimeMs,
      deadlineMs: startMs + maxRuntimeMs,
      rowsMax: Math.min(positiveOr(options.maxRows, 'maxRows', Infinity), this.#limits.rowsMax),
      batchSize: Math.trunc(positiveOr(options.batchSize, 'batchSize', 1000)),
      batchRows: Math.min(1000, Math.trunc(positiveOr(options.batchSize, 'batchSize', 1000))),
      failOnWarning: options.failOnWarning === true,
      maxWarningCount: options.maxWarningCount ?? 10,
      conflictRetriesMax: this.#limits.conflictRetriesMax,
    };
  }
}

function runtimeMs(options: QueryOptions): number {
  if (options.maxRuntimeMs !== undefined) {
    return positiveOr(options.maxRuntimeMs, 'maxRuntimeMs', Infinity);
  }
  return positiveOr(options.maxRuntime, 'maxRuntime', Infinity) * 1000;
}

/** An option that limits something: 0 and absent mean the default. */
function positiveOr(value: number | undefined, name: string, otherwise: number): number {
  if (value === undefined || value === 0) return otherwise;
  if (value > 0) return value;
  throw themisError('INVALID_FIELD', {
    message: `Option ${name} must be a number that is not negative.`,
    details: { option: name },
  });
}

/** Adds the position to errors of the expression compiler, which knows spans only. */
function withPosition(error: unknown, text: string): unknown {
  if (!isThemisError(error) || error.position !== undefined) return error;
  const span = error.details['span'] as Span | undefined;
  if (span === undefined) return error;
  const { span: _, ...details } = error.details;
  return new ThemisError({
    code: error.code,
    kind: error.kind,
    retryable: error.retryable,
    message: error.message,
    details,
    position: positionAt(text, span.start),
    cause: error.cause,
  });
}
