import { hasCode, type Env, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Timestamp, Transaction } from '@themisdb/storage';
import { openChain } from './exec/chain.ts';
import { estimateBytes } from './exec/memory.ts';
import { Profiler, profileOf } from './exec/profile.ts';
import { Execution } from './exec/run.ts';
import { finalRevisions } from './final-revisions.ts';
import { explanationValue } from './plan/explain.ts';
import type { Prepared } from './planner.ts';
import type {
  Explanation,
  QueryProfile,
  QueryRequest,
  QueryRun,
  QueryStats,
  QueryWarning,
  RunningQuery,
} from './query-engine.ts';

/** The options of a request, checked and joined with the engine's limits. */
export interface QuerySettings {
  readonly env: Pick<Env, 'clock' | 'timers' | 'random'>;
  readonly memoryLimit: number;
  readonly maxRuntimeMs: number;
  readonly deadlineMs: number;
  readonly rowsMax: number;
  readonly batchSize: number;
  readonly batchRows: number;
  readonly failOnWarning: boolean;
  readonly maxWarningCount: number;
  readonly conflictRetriesMax: number;
}

export interface ActiveQueryParts {
  readonly id: string;
  readonly request: QueryRequest;
  readonly prepared: Prepared;
  readonly settings: QuerySettings;
  /** Begins a transaction, or joins the one given. */
  begin(prepared: Prepared): Transaction;
  /** Plans anew for another attempt: the schema may have changed meanwhile. */
  prepareAgain(): Prepared;
  explain(prepared: Prepared): Explanation;
  onEnd(query: ActiveQuery): void;
  readonly planMs: number;
  /** Monotonic. */
  readonly startMs: number;
}

/** A query from its start to its end: see the contract `QueryRun`. */
export class ActiveQuery implements QueryRun {
  readonly id: string;
  readonly modifies: boolean;
  readonly #parts: ActiveQueryParts;
  readonly #startedWallMs: number;
  readonly #onAbort: () => void = () => this.kill();
  #prepared: Prepared;
  #execution: Execution | undefined;
  #transaction: Transaction | undefined;
  #stream: AsyncIterableIterator<Value[]> | undefined;
  #profiler: Profiler | undefined;
  #state: 'running' | 'finished' | 'failed' = 'running';
  #killed = false;
  #busy = false;
  #rows = 0;
  #conflictRetries = 0;
  #endMs: number | undefined;
  #commitTimestamp: Timestamp | undefined;

  constructor(parts: ActiveQueryParts) {
    this.id = parts.id;
    this.#prepared = parts.prepared;
    this.modifies = parts.prepared.plan.modifies;
    this.#parts = parts;
    this.#startedWallMs = parts.settings.env.clock.nowMs();
    parts.request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Begins a query that reads, runs one that modifies to its end. */
  async start(): Promise<void> {
    const { ast } = this.#prepared;
    try {
      if (ast.mode === 'explain') this.#stream = this.#deliverExplanation();
      else if (this.modifies) {
        const values = await this.#runModification();
        this.#stream = this.#deliverValues(values);
      } else this.#stream = this.#deliver(this.#newExecution());
    } catch (error) {
      this.#end('failed');
      throw error;
    }
  }

  async *batches(): AsyncIterableIterator<Value[]> {
    const stream = this.#stream;
    if (stream === undefined) {
      throw themisError('BAD_REQUEST', { message: 'The batches of a query can be read once.' });
    }
    this.#stream = undefined;
    yield* stream;
  }

  async all(): Promise<Value[]> {
    const out: Value[] = [];
    for await (const batch of this.batches()) for (const value of batch) out.push(value);
    return out;
  }

  get state(): 'running' | 'finished' | 'failed' {
    return this.#state;
  }

  get stats(): QueryStats {
    const execution = this.#execution;
    const counters = execution?.counters;
    return {
      scannedFull: counters?.scannedFull ?? 0,
      scannedIndex: counters?.scannedIndex ?? 0,
      filtered: counters?.filtered ?? 0,
      documentLookups: counters?.documentLookups ?? 0,
      writesExecuted: counters?.writesExecuted ?? 0,
      writesIgnored: counters?.writesIgnored ?? 0,
      conflictRetries: this.#conflictRetries,
      rowsReturned: this.#rows,
      executionTimeMs: this.#runtimeMs(),
      peakMemoryUsage: execution?.memory.peak ?? 0,
      planCached: this.#parts.prepared.cached,
    };
  }

  get warnings(): readonly QueryWarning[] {
    return this.#execution?.warnings ?? [];
  }

  get fullCount(): number | undefined {
    const counts = this.#prepared.plan.root.some((node) => node.type === 'limit' && node.fullCount);
    if (!counts || this.#state !== 'finished') return undefined;
    return this.#execution?.counters.fullCount;
  }

  get profile(): QueryProfile | undefined {
    if (this.#profiler === undefined || this.#state !== 'finished') return undefined;
    const { planMs } = this.#parts;
    const executeMs = this.#runtimeMs() - planMs;
    return profileOf(this.#parts.explain(this.#prepared), this.#profiler, { planMs, executeMs });
  }

  get commitTimestamp(): Timestamp | undefined {
    return this.#commitTimestamp;
  }

  kill(): void {
    if (this.#state !== 'running' || this.#commitTimestamp !== undefined) return;
    this.#killed = true;
    this.#execution?.kill();
    // Nobody is reading: there is no step at which it could fail by itself.
    if (!this.#busy) this.#end('failed');
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.return?.();
    this.#end('finished');
  }

  describe(): RunningQuery {
    const { request } = this.#parts;
    return {
      id: this.id,
      namespace: request.namespace,
      text: request.text,
      startedMs: this.#startedWallMs,
      runtimeMs: this.#runtimeMs(),
      memoryBytes: this.#execution?.memory.used ?? 0,
      rows: this.#rows,
      modifies: this.modifies,
      state: this.#killed ? 'killed' : 'running',
    };
  }

  #runtimeMs(): number {
    const { settings, startMs } = this.#parts;
    return (this.#endMs ?? settings.env.clock.monotonicMs()) - startMs;
  }

  #newExecution(): Execution {
    const { settings, request } = this.#parts;
    const prepared = this.#prepared;
    const transaction = this.#parts.begin(prepared);
    const { clock } = settings.env;
    const profiled = prepared.ast.mode === 'profile' || request.options?.profile === true;
    this.#transaction = transaction;
    this.#profiler = profiled ? new Profiler(clock) : undefined;
    const execution = new Execution({
      ...settings,
      transaction,
      namespace: request.namespace,
      profiler: this.#profiler,
    });
    this.#execution = execution;
    if (this.#killed) execution.kill();
    for (const { code, message } of prepared.plan.warnings) execution.warn(code, message);
    return execution;
  }

  /** The values of the query's result, in batches as the operators make them. */
  async *#values(execution: Execution): AsyncGenerator<Value[], void> {
    const { program, params } = this.#prepared;
    const row = program.layout.emptyRow();
    for (const { name, register } of program.parameters) row[register] = params[name]!;
    const { result } = program.chain;
    for await (const batch of openChain(program.chain, row, execution)) {
      if (result === undefined) continue;
      yield batch.map((inner) => inner[result]!);
    }
  }

  async #runModification(): Promise<readonly Value[]> {
    const { request, settings } = this.#parts;
    this.#busy = true;
    try {
      for (;;) {
        try {
          return await this.#modifyOnce();
        } catch (error) {
          const own = request.transaction === undefined;
          if (own) this.#transaction?.rollback();
          if (!own || !hasCode(error, 'WRITE_CONFLICT')) throw error;
          if (this.#conflictRetries >= settings.conflictRetriesMax) throw error;
          await this.#beforeRetry();
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Waits a random while, longer each time, so that those who were in each other's way part. */
  async #beforeRetry(): Promise<void> {
    const { timers, random } = this.#parts.settings.env;
    this.#conflictRetries++;
    const waitMsMax = Math.min(retryWaitMsMax, 2 ** this.#conflictRetries);
    await timers.sleep(random.float() * waitMsMax);
    this.#prepared = this.#parts.prepareAgain();
  }

  async #modifyOnce(): Promise<readonly Value[]> {
    const execution = this.#newExecution();
    const values: Value[] = [];
    for await (const batch of this.#values(execution)) {
      let bytes = 0;
      for (const value of batch) {
        values.push(value);
        bytes += 8 + estimateBytes(value);
      }
      execution.memory.charge(bytes);
      this.#checkRows(values.length);
    }
    if (this.#parts.request.transaction !== undefined) return values;
    execution.checkpoint();
    const transaction = this.#transaction!;
    const { provisionalVersion } = transaction;
    this.#commitTimestamp = await transaction.commit();
    // Whoever killed it meanwhile came too late: what was written stays, and is told.
    this.#killed = false;
    return finalRevisions(values, provisionalVersion, this.#commitTimestamp);
  }

  async *#deliver(execution: Execution): AsyncIterableIterator<Value[]> {
    const { batchSize } = this.#parts.settings;
    let pending: Value[] = [];
    this.#busy = true;
    try {
      for await (const batch of this.#values(execution)) {
        this.#checkRows(this.#rows + pending.length + batch.length);
        pending = pending.length === 0 ? batch : pending.concat(batch);
        while (pending.length >= batchSize) {
          const ready = pending.length === batchSize ? pending : pending.slice(0, batchSize);
          pending = ready === pending ? [] : pending.slice(batchSize);
          yield* this.#handOver(ready);
        }
      }
      if (pending.length > 0) yield* this.#handOver(pending);
      this.#end('finished');
    } catch (error) {
      this.#end('failed');
      throw error;
    } finally {
      this.#busy = false;
      this.#end('finished');
    }
  }

  async *#deliverValues(values: readonly Value[]): AsyncIterableIterator<Value[]> {
    const { batchSize } = this.#parts.settings;
    try {
      for (let i = 0; i < values.length; i += batchSize) {
        yield* this.#handOver(values.slice(i, i + batchSize));
      }
    } finally {
      this.#end('finished');
    }
  }

  async *#deliverExplanation(): AsyncIterableIterator<Value[]> {
    yield* this.#handOver([explanationValue(this.#parts.explain(this.#prepared))]);
    this.#end('finished');
  }

  /** While the consumer has a batch nobody works on the query, so that `kill` must end it itself. */
  *#handOver(batch: Value[]): Generator<Value[], void> {
    this.#rows += batch.length;
    this.#busy = false;
    yield batch;
    this.#busy = true;
    if (this.#killed) throw themisError('QUERY_KILLED', { message: 'The query was killed.' });
  }

  #checkRows(rows: number): void {
    const { rowsMax } = this.#parts.settings;
    if (rows <= rowsMax) return;
    throw themisError('QUERY_ROWS', {
      message: `The query has more than the ${rowsMax} rows allowed: filter more, limit, or raise maxRows.`,
      details: { maxRows: rowsMax },
    });
  }

  #end(state: 'finished' | 'failed'): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#endMs = this.#parts.settings.env.clock.monotonicMs();
    if (this.#parts.request.transaction === undefined) this.#transaction?.rollback();
    this.#parts.request.signal?.removeEventListener('abort', this.#onAbort);
    this.#parts.onEnd(this);
  }
}

const retryWaitMsMax = 100;
