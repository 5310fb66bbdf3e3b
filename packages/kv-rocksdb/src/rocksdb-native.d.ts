// Hand-written types of rocksdb-native 3.18.1, which ships none. Members that start with an
// underscore are private to it; `binding.ts` says which ones we lean on and why.
declare module 'rocksdb-native' {
  interface NativeOptions {
    columnFamily?: NativeColumnFamily;
    readOnly?: boolean;
    createIfMissing?: boolean;
    maxBackgroundJobs?: number;
    maxOpenFiles?: number;
    bytesPerSync?: number;
    skipStatsUpdateOnOpen?: boolean;
    avoidFlushDuringShutdown?: boolean;
    tableBlockSize?: number;
    /** On or off only: the size is fixed at 32 MiB. */
    blockCache?: boolean;
    writeBufferSize?: number;
    maxWriteBufferNumber?: number;
  }

  interface NativeRange {
    gt?: Uint8Array;
    gte?: Uint8Array;
    lt?: Uint8Array;
    lte?: Uint8Array;
  }

  interface NativeIteratorOptions {
    reverse?: boolean;
    limit?: number;
    /** Entries per native read. */
    capacity?: number;
    values?: boolean;
  }

  export interface NativeIterator {
    _capacity: number;
    _limit: number;
    _buffer: unknown;
    _onread(error: Error | undefined, keys: ArrayBuffer[], values: ArrayBuffer[]): void;
    _pendingRead: ((error?: Error | null) => void) | null;
    _db: { _state: { io: { dec(): void } } };
    _open(done: (error?: Error | null) => void): Promise<void>;
    _read(done: (error?: Error | null) => void): Promise<void>;
    _destroy(done: (error?: Error | null) => void): Promise<void>;
    _resize(): void;
  }

  interface NativeReadBatch {
    get(key: Uint8Array): Promise<Uint8Array | null>;
    tryFlush(): void;
  }

  export interface NativeWriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    flush(): Promise<void>;
    destroy(): void;
  }

  interface NativeBatchOptions {
    capacity?: number;
    autoDestroy?: boolean;
  }

  class NativeColumnFamily {
    constructor(name: string, options?: NativeOptions);
  }

  export default class RocksDB {
    constructor(path: string, options?: NativeOptions);
    ready(): Promise<void>;
    close(options?: { force?: boolean }): Promise<void>;
    snapshot(): RocksDB;
    iterator(range: NativeRange, options?: NativeIteratorOptions): NativeIterator;
    read(options?: NativeBatchOptions): NativeReadBatch;
    write(options?: NativeBatchOptions): NativeWriteBatch;
    flush(): Promise<void>;
    compact(): Promise<void>;
    compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
    approximateSize(
      start: Uint8Array,
      end: Uint8Array,
      options?: { includeMemtables?: boolean },
    ): Promise<number>;
    getProperty(name: string): Promise<string | undefined>;
  }
}
