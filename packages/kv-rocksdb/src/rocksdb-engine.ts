import { assert, emptyBytes, type ThemisError } from '@themisdb/base';
import {
  operationCount,
  withReadCache,
  type KvBatch,
  type KvEngine,
  type KvEntry,
  type KvRange,
  type KvSnapshot,
  type KvStats,
  type ReadOptions,
  type ScanOptions,
} from '@themisdb/kv';
import { themisError } from '@themisdb/protocol';
import { Cursor, openNative, type NativeSession } from './binding.ts';
import { fromNative } from './errors.ts';
import { Reader, type Values } from './reader.ts';
import { Writer } from './writer.ts';

export interface RocksDBOptions {
  /** A folder of its own; made when absent, with its parents. */
  readonly path: string;
  /**
   * Bytes of the read cache in this process, which answers without the native binding (see
   * `withReadCache`). Default 128 MiB; 0: none.
   */
  readonly cacheBytes?: number;
  /** Bytes collected in memory before they become a file. Default 64 MiB. */
  readonly writeBufferBytes?: number;
  /** Bytes of a data block. Default 8 KiB. */
  readonly blockBytes?: number;
  /** Threads for flush and compaction. Default 2. */
  readonly backgroundJobs?: number;
}

/**
 * Opens or creates a database. Rejects with `DATA_LOCKED` when another process (or this one) has it
 * open, `DATA_CORRUPT`, `DISK_FULL`, `DISK_IO`.
 *
 * Failures: what a read reports concerns that read. A failed write or flush stops the engine (every
 * later call: `STORE_FAILED`) unless the disk is full, since nobody knows what is on disk then:
 * reopen and replay the log.
 */
export async function openRocksDB(options: RocksDBOptions): Promise<KvEngine> {
  const session = await native('opening the database', () =>
    openNative(options.path, {
      writeBufferBytes: options.writeBufferBytes ?? 64 * 1024 * 1024,
      blockBytes: options.blockBytes ?? 8192,
      backgroundJobs: options.backgroundJobs ?? 2,
    }),
  );
  const engine = new Engine(session);
  const cacheBytes = options.cacheBytes ?? 128 * 1024 * 1024;
  return cacheBytes > 0 ? withReadCache(engine, { bytesMax: cacheBytes, pause }) : engine;
}

function pause(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

// Above every key written in practice; only size estimates and compaction use it.
const highKey = new Uint8Array(300).fill(0xff);

class Snapshot implements KvSnapshot {
  readonly engine: Engine;
  readonly session: NativeSession;
  released = false;

  constructor(engine: Engine, session: NativeSession) {
    this.engine = engine;
    this.session = session;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.engine.forget(this);
  }
}

class Engine implements KvEngine {
  readonly #session: NativeSession;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #snapshots = new Set<Snapshot>();
  readonly #cursors = new Set<Cursor>();
  /** Why the engine cannot be used any more. */
  #stopped: string | undefined;
  #closing: Promise<void> | undefined;
  #gets = 0;
  #scans = 0;
  #batches = 0;
  #operations = 0;

  constructor(session: NativeSession) {
    this.#session = session;
    this.#reader = new Reader(session);
    this.#writer = new Writer(session, (failure) => this.#stopUnlessFull(failure));
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return (await this.multiGet([key], options))[0];
  }

  async multiGet(keys: readonly Uint8Array[], options?: ReadOptions): Promise<Values> {
    const session = this.#view(options);
    this.#gets += keys.length;
    return keys.length === 0 ? [] : this.#reader.read(session, keys);
  }

  async *scan(range: KvRange, options: ScanOptions = {}): AsyncIterableIterator<KvEntry[]> {
    const session = this.#view(options);
    this.#scans++;
    const { limit = Infinity, batchEntries = 256 } = options;
    // To the binding an empty bound is no bound.
    if (limit <= 0 || range.lt?.length === 0) return;
    const cursor = new Cursor(session, {
      gte: range.gte,
      lt: range.lt,
      reverse: options.reverse ?? false,
      keysOnly: options.keysOnly ?? false,
      capacity: Math.min(limit, batchEntries),
    });
    this.#cursors.add(cursor);
    try {
      let left = limit;
      let ahead: Promise<KvEntry[]> | undefined;
      for (let batches = 0; left > 0; batches++) {
        const count = Math.min(left, batchEntries);
        const entries = await native('scanning', () => ahead ?? cursor.read(count));
        left -= entries.length;
        if (entries.length < count) left = 0;
        // Read on while the consumer works, once it has come back for more.
        ahead = batches > 0 && left > 0 ? cursor.read(Math.min(left, batchEntries)) : undefined;
        ahead?.catch(() => {});
        if (entries.length > 0) yield entries;
        this.#mustBeOpen();
      }
    } finally {
      this.#cursors.delete(cursor);
      void cursor.close();
    }
  }

  async write(batch: KvBatch): Promise<void> {
    this.#mustBeOpen();
    this.#batches++;
    this.#operations += operationCount(batch);
    return this.#writer.write(batch);
  }

  snapshot(): KvSnapshot {
    this.#mustBeOpen();
    const snapshot = new Snapshot(this, this.#session.snapshot());
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  forget(snapshot: Snapshot): void {
    if (!this.#snapshots.delete(snapshot)) return;
    this.#reader.send(snapshot.session);
    // Native reads under way hold their own references.
    void snapshot.session.close();
  }

  async flush(): Promise<void> {
    this.#mustBeOpen();
    await this.#writer.idle();
    this.#mustBeOpen();
    try {
      await native('flushing', () => this.#session.flush());
    } catch (error) {
      this.#stopUnlessFull(error as ThemisError);
      throw error;
    }
  }

  async compact(range: KvRange = {}): Promise<void> {
    this.#mustBeOpen();
    const { gte = emptyBytes, lt = highKey } = range;
    const isWhole = range.gte === undefined && range.lt === undefined;
    await native('compacting', () =>
      isWhole ? this.#session.compact() : this.#session.compactRange(gte, lt),
    );
  }

  async approximateSize(range: KvRange): Promise<number> {
    this.#mustBeOpen();
    const { gte = emptyBytes, lt = highKey } = range;
    return native('estimating a size', () =>
      this.#session.approximateSize(gte, lt, { includeMemtables: true }),
    );
  }

  stats(): KvStats {
    return {
      engine: 'rocksdb',
      gets: this.#gets,
      scans: this.#scans,
      batches: this.#batches,
      operations: this.#operations,
      snapshotsOpen: this.#snapshots.size,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Lets writes and gets under way finish; cuts scans short. */
  async #close(): Promise<void> {
    this.#stopped ??= 'it is closed';
    this.#reader.send(this.#session);
    await this.#writer.close();
    for (const snapshot of this.#snapshots) snapshot.release();
    await Promise.all([...this.#cursors].map((cursor) => cursor.close()));
    await native('closing', () => this.#session.close({ force: true }));
  }

  #stopUnlessFull(failure: ThemisError): void {
    if (failure.code !== 'DISK_FULL') this.#stopped ??= failure.message;
  }

  #view(options?: ReadOptions): NativeSession {
    this.#mustBeOpen();
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return this.#session;
    assert(snapshot instanceof Snapshot && snapshot.engine === this, 'a foreign snapshot was read');
    assert(!snapshot.released, 'a released snapshot was read');
    return snapshot.session;
  }

  #mustBeOpen(): void {
    if (this.#stopped === undefined) return;
    throw themisError('STORE_FAILED', {
      message: `The key-value engine cannot be used: ${this.#stopped}`,
    });
  }
}

async function native<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error, doing);
  }
}
