import { compareBytes, type ThemisError } from '@themisdb/base';
import { operationCount, type KvBatch, type KvWrite } from '@themisdb/kv';
import { BatchWriter, type NativeSession } from './binding.ts';
import { fromNative } from './errors.ts';
import { atEndOfTurn } from './turn.ts';

interface Request {
  readonly batch: KvBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Operations from which on no further batch joins a group: some milliseconds of work. */
const groupOperationsMax = 4096;

/**
 * Writes in call order. One native batch is under way at a time, because the binding's pool threads
 * run several in any order; what is asked for meanwhile forms the next one.
 */
export class Writer {
  readonly #batches: BatchWriter;
  readonly #onFailure: (failure: ThemisError) => void;
  #waiting: Request[] = [];
  #running: Promise<void> | undefined;

  constructor(session: NativeSession, onFailure: (failure: ThemisError) => void) {
    this.#batches = new BatchWriter(session);
    this.#onFailure = onFailure;
  }

  write(batch: KvBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Waits until nothing is under way, and lets go of the database. */
  async close(): Promise<void> {
    await this.idle();
    this.#batches.close();
  }

  async #run(): Promise<void> {
    await new Promise<void>((resolve) => atEndOfTurn(resolve));
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#running = undefined;
  }

  #takeGroup(): Request[] {
    let operations = 0;
    const count = this.#waiting.findIndex(({ batch }) => {
      const isFull = operations >= groupOperationsMax;
      operations += operationCount(batch);
      return isFull;
    });
    return this.#waiting.splice(0, count === -1 ? this.#waiting.length : count);
  }

  async #writeGroup(group: readonly Request[]): Promise<void> {
    const operations = group.flatMap(({ batch }) => batch.filter(isEffective));
    try {
      if (operations.length > 0) await this.#batches.write(operations);
      for (const { resolve } of group) resolve();
    } catch (error) {
      const failure = fromNative(error, 'writing');
      this.#onFailure(failure);
      for (const { reject } of group) reject(failure);
    }
  }
}

/** RocksDB refuses the whole batch for one inverted range. */
function isEffective(operation: KvWrite): boolean {
  return operation.type !== 'deleteRange' || compareBytes(operation.gte, operation.lt) < 0;
}
