import { hasCode } from '@themisdb/base';
import type { Wal } from '@themisdb/wal';
import type { Timestamp } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';

/**
 * Makes the engine's state durable and lets go of what is not needed any more: log segments below the
 * flushed index, history, changes and answers beyond their retention.
 */
export class Checkpointer {
  readonly #context: StoreContext;
  readonly #wal: Wal;
  readonly #group: number;
  readonly #everyBytes: number;
  #underWay: Promise<void> | undefined;
  #bytesAtLast = 0;
  flushedIndex = 0;
  /** Moments before this one cannot be read any more. */
  historyStart: Timestamp = 0n;

  constructor(
    context: StoreContext,
    options: { readonly wal: Wal; readonly group: number; readonly everyBytes: number },
  ) {
    this.#context = context;
    this.#wal = options.wal;
    this.#group = options.group;
    this.#everyBytes = options.everyBytes;
  }

  /** Starts one in the background when enough was logged since the last. */
  runWhenDue(): void {
    const { pipeline, env } = this.#context;
    if (pipeline.bytesLogged - this.#bytesAtLast < this.#everyBytes) return;
    if (this.#underWay !== undefined) return;
    this.run().catch((error: unknown) => {
      if (hasCode(error, 'DISK_FULL')) env.log.write('warn', 'no space left for a checkpoint');
      else pipeline.fail(error);
    });
  }

  run(): Promise<void> {
    this.#underWay ??= this.#run().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async close(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { views, engine, pipeline } = this.#context;
    pipeline.mustBeAlive();
    this.#bytesAtLast = pipeline.bytesLogged;
    const { index } = views.current;
    await engine.flush();
    await this.#wal.truncateBefore(this.#group, index + 1);
    this.flushedIndex = index;
  }
}
