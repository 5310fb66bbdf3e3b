import type { Prng } from '@themisdb/base';
import {
  makeMemoryEngine,
  type KvBatch,
  type KvEngine,
  type KvEntry,
  type KvRange,
  type KvSnapshot,
  type KvStats,
  type MemoryEngine,
  type ReadOptions,
  type ScanOptions,
} from '@themisdb/kv';
import { themisError } from '@themisdb/protocol';
import type { SimScheduler } from '@themisdb/testing';

export interface SlowEngineParts {
  readonly scheduler: SimScheduler;
  readonly prng: Prng;
  /** The longest time of an ordinary write; 0: none. */
  readonly writeMs: number;
  /** Whether the disk it is on has no space left. */
  readonly isFull: () => boolean;
  /** Told when a change takes effect. */
  readonly onChange: (what: string) => void;
}

/** How much longer a flush, or the removal of a range, may take than a write. */
const longFactor = 4;

/**
 * The memory engine, with changes that take virtual time as those of a disk do. A write takes effect at
 * some moment between its call and its end; writes do so in the order of calls, one after the other. A
 * flush covers what had taken effect at such a moment, and holds up nobody.
 *
 * A crash falls back to a prefix of the batches; of writes under way some first ones may be among them.
 * Nothing is heard of them, or of any later change: who asked has died.
 */
export class SlowEngine implements KvEngine {
  readonly #parts: SlowEngineParts;
  readonly #inner: MemoryEngine;
  /** Called, and without effect yet. */
  readonly #underWay = new Set<KvBatch>();
  #last: Promise<void> = Promise.resolve();
  #isDead = false;
  #stall: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(parts: SlowEngineParts, inner: MemoryEngine = makeMemoryEngine({ crashable: true })) {
    this.#parts = parts;
    this.#inner = inner;
  }

  get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options);
  }

  multiGet(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    return this.#inner.multiGet(keys, options);
  }

  scan(range: KvRange, options?: ScanOptions): AsyncIterableIterator<KvEntry[]> {
    return this.#inner.scan(range, options);
  }

  write(batch: KvBatch): Promise<void> {
    if (this.#parts.isFull()) return Promise.reject(noSpace());
    if (this.#isInstant) return this.#inner.write(batch);
    this.#underWay.add(batch);
    const isLong = batch.some(({ type }) => type === 'deleteRange');
    const written = this.#last.then(() =>
      this.#change(isLong, () => {
        this.#underWay.delete(batch);
        this.#parts.onChange(`write ${batch.length}`);
        return this.#inner.write(batch);
      }),
    );
    this.#last = written.catch(() => undefined);
    return written;
  }

  snapshot(): KvSnapshot {
    return this.#inner.snapshot();
  }

  flush(): Promise<void> {
    if (this.#isInstant) return this.#inner.flush();
    return this.#change(true, () => {
      this.#parts.onChange('flush');
      return this.#inner.flush();
    });
  }

  async compact(range?: KvRange): Promise<void> {
    return this.#inner.compact(range);
  }

  approximateSize(range: KvRange): Promise<number> {
    return this.#inner.approximateSize(range);
  }

  stats(): KvStats {
    return this.#inner.stats();
  }

  async close(): Promise<void> {
    await this.#last;
    return this.#inner.close();
  }

  /** No change goes on until `resume`. */
  stall(): void {
    if (this.#stall !== undefined) return;
    let end = (): void => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#stall = { over, end };
  }

  resume(): void {
    this.#stall?.end();
    this.#stall = undefined;
  }

  /** Power is cut, or the process dies: what comes back. */
  crash(prng: Prng): SlowEngine {
    this.#isDead = true;
    const { size } = this.#underWay;
    const reached = size === 0 ? 0 : prng.between(0, size);
    for (const batch of [...this.#underWay].slice(0, reached)) void this.#inner.write(batch);
    return new SlowEngine(this.#parts, this.#inner.crash(prng));
  }

  /** The process dies, and all that had taken effect was durable. */
  crashFlushed(prng: Prng): SlowEngine {
    void this.#inner.flush();
    return this.crash(prng);
  }

  get #isInstant(): boolean {
    return this.#parts.writeMs === 0 && this.#stall === undefined && this.#underWay.size === 0;
  }

  async #change(isLong: boolean, run: () => Promise<void>): Promise<void> {
    const { prng, writeMs } = this.#parts;
    const ms = writeMs * prng.float() * (isLong ? longFactor : 1);
    const effectMs = ms * prng.pick([0, 1, 1, prng.float()]);
    if (effectMs > 0) await this.#pass(effectMs);
    if (this.#stall !== undefined) {
      await this.#stall.over;
      // Not in a process that stands still.
      await this.#pass(0);
    }
    if (this.#isDead) return forever;
    await run();
    if (effectMs < ms) await this.#pass(ms - effectMs);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.scheduler.at(ms, () => {
        if (!this.#isDead) resolve();
      });
    });
  }
}

function noSpace(): Error {
  return themisError('DISK_FULL', { message: 'the engine has no space: simulated' });
}

const forever = new Promise<never>(() => {});
