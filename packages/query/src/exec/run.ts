import type { Env } from '@themisdb/base';
import { isErrorCode, errorSpec, themisError } from '@themisdb/protocol';
import type { Transaction } from '@themisdb/storage';
import type { EvaluationContext } from '../expression/contract.ts';
import type { QueryWarning } from '../query-engine.ts';
import { Meter, overLimit } from './memory.ts';
import type { Counters, Run } from './operator.ts';
import type { Profiler } from './profile.ts';

export interface ExecutionOptions {
  readonly transaction: Transaction;
  readonly env: Pick<Env, 'clock' | 'timers' | 'random'>;
  readonly namespace: string;
  readonly memoryLimit: number;
  /** On the monotonic clock; Infinity for none. */
  readonly deadlineMs: number;
  readonly maxRuntimeMs: number;
  readonly batchRows: number;
  readonly failOnWarning: boolean;
  readonly maxWarningCount: number;
  readonly profiler: Profiler | undefined;
}

/** How long a query may keep the loop before it lets others have a turn. */
const sliceMs = 5;

/** One attempt at running a query. */
export class Execution implements Run {
  readonly transaction: Transaction;
  readonly memory: Meter;
  readonly profiler: Profiler | undefined;
  readonly batchRows: number;
  readonly context: EvaluationContext;
  readonly warnings: QueryWarning[] = [];
  readonly counters: Counters = {
    scannedFull: 0,
    scannedIndex: 0,
    filtered: 0,
    documentLookups: 0,
    writesExecuted: 0,
    writesIgnored: 0,
    fullCount: 0,
  };
  readonly #options: ExecutionOptions;
  readonly #shared = new Map<number, unknown>();
  #sliceEndMs: number;
  #transientBytes = 0;
  #killed = false;

  constructor(options: ExecutionOptions) {
    const { env } = options;
    this.#options = options;
    this.transaction = options.transaction;
    this.memory = new Meter(options.memoryLimit);
    this.batchRows = options.batchRows;
    this.profiler = options.profiler;
    this.#sliceEndMs = env.clock.monotonicMs() + sliceMs;
    this.context = {
      nowMs: env.clock.nowMs(),
      namespace: options.namespace,
      random: () => env.random.float(),
      randomBytes: (length) => env.random.bytes(length),
      warn: (code, message) => this.warn(code, message),
      charge: (bytes) => this.#chargeTransient(bytes),
      checkInterrupt: () => void this.#check(),
    };
  }

  kill(): void {
    this.#killed = true;
  }

  checkpoint(): boolean {
    this.#transientBytes = 0;
    return this.#check() >= this.#sliceEndMs;
  }

  async pause(): Promise<void> {
    const { env } = this.#options;
    await env.timers.yield();
    this.#sliceEndMs = env.clock.monotonicMs() + sliceMs;
    this.#check();
  }

  shared<T>(nodeId: number, make: () => T): T {
    if (!this.#shared.has(nodeId)) this.#shared.set(nodeId, make());
    return this.#shared.get(nodeId) as T;
  }

  warn(code: string, message: string): void {
    const number = isErrorCode(code) ? errorSpec(code).arango : warningNumbers[code];
    if (this.#options.failOnWarning) {
      throw themisError('AQL_WARNING', {
        message,
        details: { warning: code, ...(number === undefined ? {} : { warningErrorNum: number }) },
      });
    }
    if (this.warnings.length >= this.#options.maxWarningCount) return;
    this.warnings.push({ code, message, arangoErrorNum: number });
  }

  #check(): number {
    if (this.#killed) throw themisError('QUERY_KILLED', { message: 'The query was killed.' });
    const now = this.#options.env.clock.monotonicMs();
    if (now < this.#options.deadlineMs) return now;
    throw themisError('QUERY_TIMEOUT', {
      message: `The query ran longer than the ${this.#options.maxRuntimeMs} ms allowed.`,
      details: { maxRuntimeMs: this.#options.maxRuntimeMs },
    });
  }

  /** Transient memory counts until the next checkpoint: by then it is garbage, or charged for good. */
  #chargeTransient(bytes: number): void {
    this.#transientBytes += bytes;
    if (this.memory.used + this.#transientBytes > this.#options.memoryLimit) {
      throw overLimit(this.#options.memoryLimit);
    }
  }
}

const warningNumbers: Readonly<Record<string, number>> = { AQL_INVALID_ARGUMENT_TYPE: 1542 };
