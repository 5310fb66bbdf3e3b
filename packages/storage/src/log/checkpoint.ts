import { hasCode, type TimerHandle } from '@themisdb/base';
import type { KvOperation } from '@themisdb/kv';
import type { Timestamp } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';
import { Collector } from '../history/collect.ts';
import { metaName } from '../keys.ts';
import type { Retained } from './retained.ts';

export interface CheckpointOptions {
  /** A checkpoint is due when so much was logged since the last, */
  readonly everyBytes: number;
  /** or when so much time went by since the first command after it. */
  readonly everyMs: number;
}

/**
 * Makes the engine's state durable and lets go of what is not needed any more: log segments below the
 * flushed index; history, changes and answers beyond their retention.
 */
export class Checkpointer {
  readonly #context: StoreContext;
  readonly #options: CheckpointOptions;
  readonly #collector: Collector;
  #underWay: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #bytesAtLast = 0;
  #isClosed = false;
  flushedIndex: number;

  constructor(context: StoreContext, options: CheckpointOptions, retained: Retained) {
    this.#context = context;
    this.#options = options;
    this.#collector = new Collector(context, retained);
    this.flushedIndex = 0;
  }

  get historyStart(): Timestamp {
    return this.#collector.retained.historyStart;
  }

  get trimmedIndex(): number {
    return this.#collector.retained.trimmedIndex;
  }

  setRetained(retained: Retained): void {
    this.#collector.setRetained(retained);
  }

  /** Starts one in the background when enough was logged since the last, or later by time. */
  runWhenDue(): void {
    if (this.#underWay !== undefined || this.#isClosed) return;
    const { pipeline, env } = this.#context;
    if (pipeline.bytesLogged - this.#bytesAtLast >= this.#options.everyBytes) this.#start();
    else this.#timer ??= env.timers.after(this.#options.everyMs, () => this.#start());
  }

  run(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#underWay ??= this.#run().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#underWay?.catch(() => undefined);
  }

  #start(): void {
    const { pipeline, env } = this.#context;
    if (this.#isClosed || pipeline.failure !== undefined) return;
    this.run().catch((error: unknown) => {
      if (hasCode(error, 'DISK_FULL')) env.log.write('warn', 'no space left for a checkpoint');
      else if (!hasCode(error, 'SHUTTING_DOWN', 'NOT_LEADER', 'UNKNOWN_OUTCOME'))
        pipeline.fail(error);
    });
  }

  async #run(): Promise<void> {
    const { engine, pipeline } = this.#context;
    pipeline.mustBeAlive();
    this.#bytesAtLast = pipeline.bytesLogged;
    // What is past its retention goes by ordinary commands, which only a leader can give.
    if (pipeline.isLeading) await this.#collect();
    await this.#saveStatistics();
    const { index } = pipeline.applied;
    await engine.flush();
    await pipeline.release(index);
    this.flushedIndex = index;
  }

  /** May be refused: the checkpoint itself, which makes room in the log, does not depend on it. */
  async #collect(): Promise<void> {
    const { pipeline } = this.#context;
    try {
      await this.#collector.run();
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL', 'NOT_LEADER', 'UNKNOWN_OUTCOME')) throw error;
      pipeline.mustBeAlive();
    }
  }

  async #saveStatistics(): Promise<void> {
    const { statistics, keys, engine } = this.#context;
    const operations = statistics.ids().map((id): KvOperation => {
      const key = keys.meta(metaName.statistics, id);
      return { type: 'put', key, value: statistics.save(id) };
    });
    if (operations.length > 0) await engine.write(operations);
  }
}
