import RocksDB, { type NativeIterator, type NativeWriteBatch } from 'rocksdb-native';
import {
  operationCount,
  putCount,
  putKey,
  putValue,
  type KvBatch,
  type KvEntry,
} from '@themisdb/kv';
import { emptyBytes } from '@themisdb/base';

/** A view of the database: the live one, or a snapshot session of it. */
export type NativeSession = RocksDB;

export interface NativeDatabaseOptions {
  readonly writeBufferBytes: number;
  readonly blockBytes: number;
  readonly backgroundJobs: number;
}

export async function openNative(
  path: string,
  options: NativeDatabaseOptions,
): Promise<NativeSession> {
  const database = new RocksDB(path, {
    writeBufferSize: options.writeBufferBytes,
    tableBlockSize: options.blockBytes,
    maxBackgroundJobs: options.backgroundJobs,
  });
  await database.ready();
  return database;
}

/** What one key of a read came to: its value, undefined when it has none, or why it failed. */
export type ReadResult = Uint8Array | undefined | Error;

/** One native call for all keys. Each key fails on its own. */
export async function readAll(
  session: NativeSession,
  keys: readonly Uint8Array[],
): Promise<ReadResult[]> {
  const batch = session.read({ capacity: keys.length, autoDestroy: true });
  const results = keys.map((key) => batch.get(key));
  batch.tryFlush();
  return (await Promise.allSettled(results)).map((result) =>
    result.status === 'fulfilled' ? plain(result.value) : (result.reason as Error),
  );
}

/** The binding hands out Buffers, whose methods differ from those of a Uint8Array. */
function plain(bytes: Uint8Array | null): Uint8Array | undefined {
  return bytes === null ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Larger batches than this are not kept. */
const operationsKept = 65_536;

/**
 * Atomic native batches, one under way at a time, since the pool does not order them. The native
 * batch is kept from one to the next: its buffer costs as much as writing a few hundred entries. `close`
 * must come, or the database waits for it.
 */
export class BatchWriter {
  readonly #session: NativeSession;
  #batch: NativeWriteBatch | undefined;

  constructor(session: NativeSession) {
    this.#session = session;
  }

  async write(operations: KvBatch): Promise<void> {
    const count = operationCount(operations);
    const isKept = count <= operationsKept;
    const batch = isKept ? this.#kept() : this.#session.write({ capacity: count });
    fill(batch, operations);
    try {
      await batch.flush();
    } finally {
      if (!isKept) batch.destroy();
    }
  }

  close(): void {
    this.#batch?.destroy();
    this.#batch = undefined;
  }

  #kept(): NativeWriteBatch {
    return (this.#batch ??= this.#session.write({ capacity: 64 }));
  }
}

function fill(batch: NativeWriteBatch, operations: KvBatch): void {
  for (const operation of operations) {
    switch (operation.type) {
      case 'puts':
        for (let i = 0; i < putCount(operation); i++)
          batch.tryPut(putKey(operation, i), putValue(operation, i));
        break;
      case 'put':
        batch.tryPut(operation.key, operation.value);
        break;
      case 'delete':
        batch.tryDelete(operation.key);
        break;
      case 'deleteRange':
        batch.tryDeleteRange(operation.gte, operation.lt);
        break;
    }
  }
}

export interface CursorOptions {
  readonly gte: Uint8Array | undefined;
  readonly lt: Uint8Array | undefined;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  readonly capacity: number;
}

/**
 * A native iterator without the stream it is wrapped in: that would read ahead unasked, and its
 * bookkeeping for each entry costs as much as the reading. One `read` at a time; `close` may come
 * at any moment, waits for the read under way, and must come.
 */
export class Cursor {
  readonly #iterator: NativeIterator;
  readonly #keysOnly: boolean;
  #entries: KvEntry[] = [];
  /** The last call on the iterator, settled or not. */
  #last: Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(session: NativeSession, options: CursorOptions) {
    this.#keysOnly = options.keysOnly;
    this.#iterator = session.iterator(
      {
        ...(options.gte === undefined ? {} : { gte: options.gte }),
        ...(options.lt === undefined ? {} : { lt: options.lt }),
      },
      { reverse: options.reverse, values: !options.keysOnly, capacity: options.capacity },
    );
    this.#iterator._onread = (error, keys, values) => this.#onRead(error, keys, values);
    this.#last = settled((done) => this.#iterator._open(done));
    this.#last.catch(() => {});
  }

  /** The next entries, as many as `count` (at most the capacity); fewer only at the end. */
  async read(count: number): Promise<KvEntry[]> {
    await this.#last;
    // The native iterator would answer "invalid argument".
    if (this.#closed !== undefined) throw new Error('Cursor session is closed');
    this.#iterator._limit = count;
    this.#last = settled((done) => this.#iterator._read(done));
    await this.#last;
    return this.#entries;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#last]);
    // A reader that fails to end has read all the same.
    await Promise.allSettled([settled((done) => this.#iterator._destroy(done))]);
  }

  /** In place of the stream's own method, which would push entry by entry. */
  #onRead(error: Error | undefined, keys: ArrayBuffer[], values: ArrayBuffer[]): void {
    const iterator = this.#iterator;
    const done = iterator._pendingRead!;
    iterator._pendingRead = null;
    iterator._db._state.io.dec();
    if (error) return done(error);
    const entries: KvEntry[] = [];
    for (let i = 0; i < keys.length; i++) {
      const value = this.#keysOnly ? emptyBytes : new Uint8Array(values[i]!);
      entries.push({ key: new Uint8Array(keys[i]!), value });
    }
    this.#entries = entries;
    done();
  }
}

type Done = (error?: Error | null) => void;

function settled(start: (done: Done) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve())).catch(reject);
  });
}
