import { assert, compareBytes, emptyBytes } from '@themisdb/base';
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
} from '@themisdb/kv';
import { themisError } from '@themisdb/protocol';
import { Cursor, openNative, readAll, writeAll, type NativeSession } from './binding.ts';
import { fromNative } from './errors.ts';

export interface RocksDBOptions {
  /** A folder of its own; made when absent, its parent must exist. */
  readonly path: string;
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
 */
export async function openRocksDB(options: RocksDBOptions): Promise<KvEngine> {
  try {
    const session = await openNative(options.path, {
      writeBufferBytes: options.writeBufferBytes ?? 64 * 1024 * 1024,
      blockBytes: options.blockBytes ?? 8192,
      backgroundJobs: options.backgroundJobs ?? 2,
    });
    return new Engine(session);
  } catch (error) {
    throw fromNative(error, 'opening the database');
  }
}

// Above every key we write in practice; only size estimates and compaction use it.
const highKey = new Uint8Array(64).fill(0xff);

class Snapshot implements KvSnapshot {
  readonly engine: Engine;
  readonly session: NativeSession;
  #released = false;

  constructor(engine: Engine, session: NativeSession) {
    this.engine = engine;
    this.session = session;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.engine.forget(this);
  }

  get released(): boolean {
    return this.#released;
  }
}

interface PendingGet {
  readonly key: Uint8Array;
  readonly resolve: (value: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface PendingWrite {
  readonly batch: KvBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class Engine implements KvEngine {
  readonly #session: NativeSession;
  readonly #snapshots = new Set<Snapshot>();
  readonly #cursors = new Set<Cursor>();
  readonly #pendingGets = new Map<NativeSession, PendingGet[]>();
  #pendingWrites: PendingWrite[] = [];
  #writing: Promise<void> | undefined;
  #failure: string | undefined;
  #closing: Promise<void> | undefined;
  #gets = 0;
  #scans = 0;
  #batches = 0;
  #operations = 0;

  constructor(session: NativeSession) {
    this.#session = session;
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const session = this.#view(options);
    return new Promise((resolve, reject) => this.#enqueueGet(session, { key, resolve, reject }));
  }

  async multiGet(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key, options)));
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
      await cursor.open();
      let left = limit;
      for (;;) {
        const count = Math.min(left, batchEntries);
        const entries = await cursor.read(count);
        if (entries.length > 0) yield entries;
        left -= entries.length;
        if (entries.length < count || left <= 0) return;
        this.#mustBeOpen();
      }
    } catch (error) {
      throw fromNative(error, 'scanning');
    } finally {
      this.#cursors.delete(cursor);
      await cursor.close();
    }
  }

  async write(batch: KvBatch): Promise<void> {
    this.#mustBeOpen();
    this.#batches++;
    this.#operations += batch.length;
    return new Promise((resolve, reject) => {
      this.#pendingWrites.push({ batch, resolve, reject });
      this.#writing ??= this.#writePending();
    });
  }

  snapshot(): KvSnapshot {
    this.#mustBeOpen();
    const snapshot = new Snapshot(this, this.#session.snapshot());
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  forget(snapshot: Snapshot): void {
    this.#snapshots.delete(snapshot);
    // Native reads still under way hold their own reference.
    void snapshot.session.close();
  }

  async flush(): Promise<void> {
    this.#mustBeOpen();
    await this.#writing;
    await this.#native('flushing', () => this.#session.flush());
  }

  async compact(range: KvRange = {}): Promise<void> {
    this.#mustBeOpen();
    const { gte = emptyBytes, lt = highKey } = range;
    await this.#native('compacting', () =>
      range.gte === undefined && range.lt === undefined
        ? this.#session.compact()
        : this.#session.compactRange(gte, lt),
    );
  }

  async approximateSize(range: KvRange): Promise<number> {
    this.#mustBeOpen();
    const { gte = emptyBytes, lt = highKey } = range;
    return this.#native('estimating a size', () =>
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

  async #close(): Promise<void> {
    this.#failure ??= 'closed';
    await this.#writing;
    for (const snapshot of this.#snapshots) snapshot.release();
    await this.#native('closing', () => this.#session.close({ force: true }));
  }

  #enqueueGet(session: NativeSession, get: PendingGet): void {
    this.#gets++;
    const waiting = this.#pendingGets.get(session);
    if (waiting !== undefined) {
      waiting.push(get);
      return;
    }
    this.#pendingGets.set(session, [get]);
    process.nextTick(() => this.#readPending(session));
  }

  async #readPending(session: NativeSession): Promise<void> {
    const gets = this.#pendingGets.get(session)!;
    this.#pendingGets.delete(session);
    try {
      const values = await readAll(
        session,
        gets.map(({ key }) => key),
      );
      for (const [i, get] of gets.entries()) get.resolve(values[i] ?? undefined);
    } catch (error) {
      const failure = fromNative(error, 'reading');
      for (const get of gets) get.reject(failure);
    }
  }

  async #writePending(): Promise<void> {
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (this.#pendingWrites.length > 0) {
      const writes = this.#pendingWrites;
      this.#pendingWrites = [];
      await this.#writeGroup(writes);
    }
    this.#writing = undefined;
  }

  async #writeGroup(writes: readonly PendingWrite[]): Promise<void> {
    const operations = writes.flatMap(({ batch }) => batch.filter(isEffective));
    try {
      if (operations.length > 0) await writeAll(this.#session, operations);
      for (const write of writes) write.resolve();
    } catch (error) {
      const failure = fromNative(error, 'writing');
      for (const write of writes) write.reject(failure);
    }
  }

  async #native<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw fromNative(error, doing);
    }
  }

  #view(options?: ReadOptions): NativeSession {
    this.#mustBeOpen();
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return this.#session;
    assert(
      snapshot instanceof Snapshot && snapshot.engine === this,
      'a snapshot of another engine',
    );
    assert(!snapshot.released, 'a released snapshot was read');
    return snapshot.session;
  }

  #mustBeOpen(): void {
    if (this.#failure === undefined) return;
    throw themisError('STORE_FAILED', {
      message: `The key-value engine cannot be used: ${this.#failure}.`,
    });
  }
}

/** RocksDB refuses a whole batch for an inverted range. */
function isEffective(operation: KvOperation): boolean {
  return operation.type !== 'deleteRange' || compareBytes(operation.gte, operation.lt) < 0;
}
