import { assert, concatBytes, emptyBytes, type Prng } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type {
  KvBatch,
  KvEngine,
  KvEntry,
  KvOperation,
  KvRange,
  KvSnapshot,
  KvStats,
  ReadOptions,
  ScanOptions,
} from './engine.ts';
import { eachOperation, operationCount } from './puts.ts';
import { SortedMap } from './sorted-map.ts';

export interface MemoryEngineOptions {
  /** Remember the batches since the last flush, so that `crash()` can lose some. Default false. */
  readonly crashable?: boolean;
}

/**
 * An engine in memory with the whole contract of `KvEngine`, and with the crash semantics of a real
 * one for simulation. Touches no clock, no disk, no random numbers of its own.
 */
export interface MemoryEngine extends KvEngine {
  /**
   * The engine as it comes back after a crash now: all batches up to the last `flush`, and a prefix
   * of the later ones whose length `prng` chooses. This engine is dead afterwards. Needs
   * `crashable: true`.
   */
  crash(prng: Prng): MemoryEngine;
}

export function makeMemoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  return new Engine(new SortedMap(), options.crashable ?? false);
}

const zeroByte = new Uint8Array(1);

class Snapshot implements KvSnapshot {
  readonly map: SortedMap<Uint8Array>;
  readonly #onRelease: () => void;
  released = false;

  constructor(map: SortedMap<Uint8Array>, onRelease: () => void) {
    this.map = map;
    this.#onRelease = onRelease;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.#onRelease();
  }
}

class Engine implements MemoryEngine {
  #map: SortedMap<Uint8Array>;
  /** State of the last flush; only kept when crashable. */
  #durable: SortedMap<Uint8Array> | undefined;
  #unflushed: KvBatch[] = [];
  #open = true;
  #gets = 0;
  #scans = 0;
  #batches = 0;
  #operations = 0;
  #snapshotsOpen = 0;

  constructor(map: SortedMap<Uint8Array>, crashable: boolean) {
    this.#map = map;
    this.#durable = crashable ? map.fork() : undefined;
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    this.#gets++;
    return this.#view(options).get(key);
  }

  async multiGet(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    this.#gets += keys.length;
    const view = this.#view(options);
    return keys.map((key) => view.get(key));
  }

  async *scan(range: KvRange, options: ScanOptions = {}): AsyncIterableIterator<KvEntry[]> {
    this.#scans++;
    const isOwnView = options.snapshot === undefined;
    const view = isOwnView ? this.#view().fork() : this.#view(options);
    const { reverse = false, batchEntries = 256, keysOnly = false } = options;
    let left = options.limit ?? Infinity;
    let { gte, lt } = range;
    while (left > 0) {
      this.#mustBeOpen();
      const batch = view.read(gte, lt, Math.min(left, batchEntries), reverse);
      if (batch.length === 0) return;
      left -= batch.length;
      const last = batch[batch.length - 1]!.key;
      if (reverse) lt = last;
      else gte = concatBytes(last, zeroByte);
      yield keysOnly ? batch.map(({ key }) => ({ key, value: emptyBytes })) : batch;
    }
  }

  async write(batch: KvBatch): Promise<void> {
    this.#mustBeOpen();
    for (const operation of eachOperation(batch)) apply(this.#map, operation);
    if (this.#durable !== undefined) this.#unflushed.push(batch);
    this.#batches++;
    this.#operations += operationCount(batch);
  }

  snapshot(): KvSnapshot {
    this.#mustBeOpen();
    this.#snapshotsOpen++;
    return new Snapshot(this.#map.fork(), () => this.#snapshotsOpen--);
  }

  async flush(): Promise<void> {
    this.#mustBeOpen();
    if (this.#durable === undefined) return;
    this.#durable = this.#map.fork();
    this.#unflushed = [];
  }

  async compact(_range?: KvRange): Promise<void> {
    this.#mustBeOpen();
  }

  async approximateSize(range: KvRange): Promise<number> {
    let bytes = 0;
    for (const { key, value } of this.#view().read(range.gte, range.lt, Infinity, false)) {
      bytes += key.length + value.length;
    }
    return bytes;
  }

  stats(): KvStats {
    return {
      engine: 'memory',
      gets: this.#gets,
      scans: this.#scans,
      batches: this.#batches,
      operations: this.#operations,
      snapshotsOpen: this.#snapshotsOpen,
    };
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  crash(prng: Prng): MemoryEngine {
    assert(this.#durable !== undefined, 'crash() needs an engine made with crashable: true');
    this.#open = false;
    const survived = this.#durable.fork();
    const count = prng.between(0, this.#unflushed.length);
    for (const batch of this.#unflushed.slice(0, count)) {
      for (const operation of eachOperation(batch)) apply(survived, operation);
    }
    return new Engine(survived, true);
  }

  #view(options?: ReadOptions): SortedMap<Uint8Array> {
    this.#mustBeOpen();
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return this.#map;
    assert(snapshot instanceof Snapshot, 'a snapshot of another engine was given');
    assert(!snapshot.released, 'a released snapshot was read');
    return snapshot.map;
  }

  #mustBeOpen(): void {
    if (this.#open) return;
    throw themisError('STORE_FAILED', { message: 'The key-value engine is closed.' });
  }
}

function apply(map: SortedMap<Uint8Array>, operation: KvOperation): void {
  switch (operation.type) {
    case 'put':
      return map.put(operation.key, operation.value);
    case 'delete':
      return map.delete(operation.key);
    case 'deleteRange':
      return map.deleteRange(operation.gte, operation.lt);
  }
}
