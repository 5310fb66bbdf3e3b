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
import { putCount, putKey } from '../puts.ts';
import { hashKey, PointMap } from './point-map.ts';
import { Remainder, type RunSource, type View } from './remainder.ts';
import { Run } from './run.ts';
import { RunMap } from './run-map.ts';
import { ScanFiller } from './scan-filler.ts';
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

const unknown = Symbol('unknown');
/** Of the bytes, what is set apart for single keys. */
const pointsShare = 0.4;
/** Runs with fewer entries are not worth ending a native scan for. */
const resumeEntriesMin = 32;
const resumeRunsTried = 4;
const pauseEntries = 4096;

class CachedEngine implements KvEngine {
  readonly #engine: KvEngine;
  readonly #options: ReadCacheOptions;
  readonly #runs: RunMap;
  readonly #points: PointMap;
  readonly #log = new WriteLog();
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
    this.#runs = new RunMap(options.bytesMax * (1 - pointsShare));
    this.#points = new PointMap(options.bytesMax * pointsShare);
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    this.#gets++;
    const view = this.#view(options);
    const hash = hashKey(key);
    const known = this.#lookUp(key, hash, view);
    if (known !== unknown) {
      this.#hits++;
      return known;
    }
    this.#misses++;
    const value = await this.#engine.get(key, view);
    this.#admitKey(key, hash, value, view.since);
    return value;
  }

  async multiGet(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    this.#gets += keys.length;
    const view = this.#view(options);
    const values: (Uint8Array | undefined)[] = [];
    const wanted: Uint8Array[] = [];
    const places: number[] = [];
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!;
      const known = this.#lookUp(key, hashKey(key), view);
      values.push(known === unknown ? undefined : known);
      if (known !== unknown) continue;
      wanted.push(key);
      places.push(at);
    }
    this.#hits += keys.length - wanted.length;
    this.#misses += wanted.length;
    if (wanted.length === 0 && !this.#isOff) return values;
    const found = await this.#readMissing(wanted, view, wanted.length < keys.length);
    for (let i = 0; i < wanted.length; i++) {
      const key = wanted[i]!;
      values[places[i]!] = found[i];
      this.#admitKey(key, hashKey(key), found[i], view.since);
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
    this.#drop(batch, number);
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
      cache: {
        hits: this.#hits,
        misses: this.#misses,
        bytes: this.#runs.bytes + this.#points.bytes,
      },
    };
  }

  close(): Promise<void> {
    this.#switchOff();
    return this.#engine.close();
  }

  #switchOff(): void {
    this.#isOff = true;
    this.#runs.clear();
    this.#points.clear();
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

  /** The value, undefined for an absent key, `unknown` when the engine below must be asked. */
  #lookUp(key: Uint8Array, hash: number, view: View): Uint8Array | undefined | typeof unknown {
    const point = this.#points.find(key, hash);
    if (point !== undefined && this.#holds(point.validFrom, key, view)) return point.value;
    const run = this.#covering(key, view);
    return run === undefined ? unknown : run.get(key);
  }

  #holds(validFrom: number, key: Uint8Array, { snapshot, since }: View): boolean {
    return snapshot === undefined || validFrom <= since || !this.#log.keyTouchedSince(since, key);
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

  #drop(batch: KvBatch, number: number): void {
    for (const operation of batch) {
      if (operation.type === 'deleteRange') {
        this.#runs.dropRange(operation.gte, operation.lt);
        this.#points.dropRange(operation.gte, operation.lt, number);
      } else if (operation.type !== 'puts') this.#dropKey(operation.key);
      else if (!this.#runs.isEmpty || this.#points.bytes > 0)
        for (let i = 0; i < putCount(operation); i++) this.#dropKey(putKey(operation, i));
    }
  }

  #dropKey(key: Uint8Array): void {
    if (!this.#runs.isEmpty) this.#runs.dropKey(key);
    if (this.#points.bytes > 0) this.#points.drop(key, hashKey(key));
  }

  #admitKey(key: Uint8Array, hash: number, value: Uint8Array | undefined, since: number): void {
    if (this.#isOff || !this.#points.isWanted(hash)) return;
    if (!this.#log.keyTouchedSince(since, key)) this.#points.add(key, hash, value, since);
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
