import { assert, hasCode } from '@themisdb/base';
import type {
  KvBatch,
  KvEngine,
  KvEntry,
  KvRange,
  KvSnapshot,
  KvStats,
  ReadOptions,
  ScanOptions,
} from '../engine.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { Remainder, type RunSource, type View } from './remainder.ts';
import { Run } from './run.ts';
import { RunMap } from './run-map.ts';
import { ScanFiller, successor } from './scan-filler.ts';
import { WriteLog } from './write-log.ts';

export interface ReadCacheOptions {
  /** Keys, values and bookkeeping held at most. */
  readonly bytesMax: number;
  /**
   * Awaited now and then in a scan that never leaves the cache, so that other work of the process
   * gets its turn. Without it such a scan waits for nothing.
   */
  readonly pause?: (() => Promise<void>) | undefined;
}

/**
 * An engine that remembers what it read from `engine`, as runs: pieces of the key space with all
 * that is in them. Gets (of absent keys too) and scans are answered from runs where they can. All
 * reads and writes must go through the one cached engine.
 *
 * How it stays true, with writes numbered in call order:
 * 1. A write throws out every run it touches when it is called, before the engine sees it.
 * 2. What was read enters only if no write later than the last one resolved when the read began has
 *    touched it. So each run holds in every state from its `validFrom` to now.
 * 3. A snapshot may use a run if it contains write `validFrom`, or if no write between has touched it.
 * 4. A multiGet or scan that mixes runs with the engine reads the engine on a snapshot taken in the
 *    same turn in which it first looked at the runs. So nobody sees part of a batch.
 */
export function withReadCache(engine: KvEngine, options: ReadCacheOptions): KvEngine {
  return new CachedEngine(engine, options);
}

class CachedSnapshot implements KvSnapshot, View {
  readonly owner: CachedEngine;
  readonly snapshot: KvSnapshot;
  readonly since: number;
  isReleased = false;

  constructor(owner: CachedEngine, snapshot: KvSnapshot, since: number) {
    this.owner = owner;
    this.snapshot = snapshot;
    this.since = since;
  }

  release(): void {
    this.isReleased = true;
    this.snapshot.release();
  }
}

/** Runs with fewer entries are not worth ending a native scan for. */
const resumeEntriesMin = 32;
const resumeRunsTried = 4;
const pauseEntries = 4096;

class CachedEngine implements KvEngine {
  readonly #engine: KvEngine;
  readonly #options: ReadCacheOptions;
  readonly #runs: RunMap;
  readonly #log = new WriteLog();
  readonly #doorkeeper = new Doorkeeper();
  #writesCalled = 0;
  #writesResolved = 0;
  /** After close or failure the engine below answers everything, mostly with an error. */
  #isOff = false;
  #gets = 0;
  #scans = 0;
  #hits = 0;
  #misses = 0;

  constructor(engine: KvEngine, options: ReadCacheOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#runs = new RunMap(options.bytesMax);
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    this.#gets++;
    const view = this.#view(options);
    const run = this.#covering(key, view);
    if (run !== undefined) {
      this.#hits++;
      return run.get(key);
    }
    this.#misses++;
    const value = await this.#engine.get(key, view);
    this.#admitKey(key, value, view.since);
    return value;
  }

  async multiGet(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    this.#gets += keys.length;
    const view = this.#view(options);
    const values: (Uint8Array | undefined)[] = [];
    const missing: number[] = [];
    for (let i = 0; i < keys.length; i++) {
      const run = this.#covering(keys[i]!, view);
      if (run === undefined) missing.push(i);
      values.push(run?.get(keys[i]!));
    }
    this.#hits += keys.length - missing.length;
    this.#misses += missing.length;
    if (missing.length === 0 && !this.#isOff) return values;
    const found = await this.#readMissing(
      missing.map((i) => keys[i]!),
      view,
      missing.length < keys.length,
    );
    for (const [at, i] of missing.entries()) {
      values[i] = found[at];
      this.#admitKey(keys[i]!, found[at], view.since);
    }
    return values;
  }

  async *scan(range: KvRange, options: ScanOptions = {}): AsyncIterableIterator<KvEntry[]> {
    this.#scans++;
    const { limit = Infinity, reverse = false, keysOnly = false, batchEntries = 256 } = options;
    const rest = new Remainder(range, { limit, reverse, keysOnly });
    let view = this.#view(options);
    let own: KvSnapshot | undefined;
    let sincePause = 0;
    try {
      for (;;) {
        const batch = rest.take(this.#source(view), batchEntries);
        const resume = rest.isDone ? undefined : this.#resumePoint(rest, view);
        const isMixed = batch.length > 0 || resume !== undefined;
        if (!rest.isDone && isMixed && view.snapshot === undefined) {
          own = this.#engine.snapshot();
          view = { snapshot: own, since: this.#writesResolved };
        }
        if (batch.length > 0) {
          this.#hits++;
          yield batch;
        }
        if (rest.isDone) break;
        sincePause += batch.length;
        if (batch.length < batchEntries || this.#isOff) {
          yield* this.#scanBelow(rest, resume, view, options);
          sincePause = 0;
          if (rest.isDone) break;
        } else if (sincePause >= pauseEntries) {
          sincePause = 0;
          await this.#options.pause?.();
        }
      }
    } finally {
      own?.release();
    }
  }

  async write(batch: KvBatch): Promise<void> {
    const number = ++this.#writesCalled;
    this.#log.add(number, batch);
    if (!this.#runs.isEmpty) this.#drop(batch);
    try {
      await this.#engine.write(batch);
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) this.#switchOff();
      throw error;
    } finally {
      this.#writesResolved = Math.max(this.#writesResolved, number);
    }
  }

  snapshot(): KvSnapshot {
    return new CachedSnapshot(this, this.#engine.snapshot(), this.#writesResolved);
  }

  async flush(): Promise<void> {
    try {
      await this.#engine.flush();
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) this.#switchOff();
      throw error;
    }
  }

  compact(range?: KvRange): Promise<void> {
    return this.#engine.compact(range);
  }

  approximateSize(range: KvRange): Promise<number> {
    return this.#engine.approximateSize(range);
  }

  stats(): KvStats {
    return {
      ...this.#engine.stats(),
      gets: this.#gets,
      scans: this.#scans,
      cache: { hits: this.#hits, misses: this.#misses, bytes: this.#runs.bytes },
    };
  }

  close(): Promise<void> {
    this.#switchOff();
    return this.#engine.close();
  }

  #switchOff(): void {
    this.#isOff = true;
    this.#runs.clear();
  }

  #view(options?: ReadOptions): View {
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return { snapshot: undefined, since: this.#writesResolved };
    const isOurs = snapshot instanceof CachedSnapshot && snapshot.owner === this;
    assert(isOurs, 'a foreign snapshot was read');
    assert(!snapshot.isReleased || this.#isOff, 'a released snapshot was read');
    return snapshot;
  }

  #source(view: View): RunSource {
    return {
      covering: (key) => this.#covering(key, view),
      coveringBelow: (bound) => this.#fitting(this.#runs.coveringBelow(bound), view),
    };
  }

  #covering(key: Uint8Array, view: View): Run | undefined {
    return this.#fitting(this.#runs.covering(key), view);
  }

  #fitting(run: Run | undefined, view: View): Run | undefined {
    if (run === undefined || view.snapshot === undefined) return run;
    if (run.validFrom <= view.since) return run;
    return this.#log.touchedSince(view.since, run.from, run.to) ? undefined : run;
  }

  async #readMissing(
    keys: readonly Uint8Array[],
    view: View,
    isMixed: boolean,
  ): Promise<(Uint8Array | undefined)[]> {
    if (!isMixed || view.snapshot !== undefined) return this.#engine.multiGet(keys, view);
    const snapshot = this.#engine.snapshot();
    try {
      return await this.#engine.multiGet(keys, { snapshot });
    } finally {
      snapshot.release();
    }
  }

  /** Scans the engine below up to `resume`, or to the end. */
  async *#scanBelow(
    rest: Remainder,
    resume: Uint8Array | undefined,
    view: View,
    options: ScanOptions,
  ): AsyncIterableIterator<KvEntry[]> {
    const gte = rest.reverse ? (resume ?? rest.lo) : rest.lo;
    const lt = rest.reverse ? rest.hi : (resume ?? rest.hi);
    const filler = new ScanFiller(gte, lt, {
      reverse: rest.reverse,
      bytesMax: this.#options.bytesMax / 2,
      admit: (from, to, entries) => this.#admit(from, to, entries, view.since),
    });
    const isFilling = !rest.keysOnly;
    let isStopped = true;
    try {
      const below = { ...options, limit: rest.left, snapshot: view.snapshot };
      for await (const batch of this.#engine.scan({ gte, lt }, below)) {
        this.#misses++;
        rest.left -= batch.length;
        if (isFilling) filler.add(batch);
        yield batch;
      }
      isStopped = rest.left <= 0;
    } finally {
      if (isFilling && isStopped) filler.stop();
      else if (isFilling) filler.finish();
    }
    if (resume === undefined) rest.finish();
    else if (rest.reverse) rest.hi = resume;
    else rest.lo = resume;
  }

  /** Where the cache knows on for a while, after a gap. */
  #resumePoint(rest: Remainder, view: View): Uint8Array | undefined {
    const runs = this.#runs.near(rest.lo, rest.hi, resumeRunsTried, rest.reverse);
    const run = runs.find(
      (each) => each.count >= resumeEntriesMin && this.#fitting(each, view) !== undefined,
    );
    return rest.reverse ? run?.to : run?.from;
  }

  #drop(batch: KvBatch): void {
    for (const operation of batch) {
      if (operation.type === 'deleteRange') this.#runs.dropRange(operation.gte, operation.lt);
      else this.#runs.dropKey(operation.key);
    }
  }

  #admitKey(key: Uint8Array, value: Uint8Array | undefined, since: number): void {
    if (!this.#doorkeeper.isKnown(key)) return;
    const entries = value === undefined ? [] : [{ key, value }];
    this.#admit(key, successor(key), entries, since);
  }

  #admit(
    from: Uint8Array,
    to: Uint8Array | undefined,
    entries: readonly KvEntry[],
    since: number,
  ): void {
    if (this.#isOff || this.#log.touchedSince(since, from, to)) return;
    this.#runs.add(new Run(from, to, entries, since));
  }
}
