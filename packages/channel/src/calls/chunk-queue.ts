import { assert } from '@themisdb/base';
import { FrameFault } from '../wire/faults.ts';
import { costOf } from './send-window.ts';

type Result = IteratorResult<Uint8Array, undefined>;

interface Waiter {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export interface ChunkQueueEvents {
  /** The reader has taken so much that the writer may send so many more bytes. */
  credit(bytes: number): void;
  /** The reader left before the end. */
  left(): void;
}

/** Chunks that came in and wait to be read: the reading end of one stream. Can be read once. */
export class ChunkQueue implements AsyncIterable<Uint8Array> {
  readonly #events: ChunkQueueEvents;
  readonly #windowBytes: number;
  #chunks: Uint8Array[] = [];
  #next = 0;
  readonly #waiters: Waiter[] = [];
  /** What the writer may still send. */
  #allowed: number;
  /** Read, and not given as credit yet. */
  #owed = 0;
  #isTaken = false;
  #isOver = false;
  #error: unknown;
  #hasFailed = false;

  constructor(windowBytes: number, events: ChunkQueueEvents) {
    this.#windowBytes = windowBytes;
    this.#allowed = windowBytes;
    this.#events = events;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    assert(!this.#isTaken, 'a stream of chunks can be read once');
    this.#isTaken = true;
    return { next: () => this.#read(), return: () => this.leave() };
  }

  /** Whether all has come and been read, or nothing more will. */
  get isOver(): boolean {
    return this.#isOver;
  }

  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#allowed <= 0) throw new FrameFault('out-of-place', 'a chunk beyond the window');
    this.#allowed -= costOf(chunk);
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    this.#consumed(chunk);
    waiter.resolve({ done: false, value: chunk });
  }

  /** What came before the end is still read. */
  end(): void {
    this.#isOver = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  /** What came before is dropped: after an error the reader cannot use it. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks = [];
    this.#next = 0;
    const [first, ...others] = this.#waiters.splice(0);
    if (first === undefined) {
      this.#hasFailed = true;
      this.#error = error;
    } else first.reject(error);
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
  }

  leave(): Promise<Result> {
    const wasOver = this.#isOver;
    this.#chunks = [];
    this.#next = 0;
    this.#hasFailed = false;
    this.end();
    if (!wasOver) this.#events.left();
    return Promise.resolve({ done: true, value: undefined });
  }

  #read(): Promise<Result> {
    const chunk = this.#chunks[this.#next];
    if (chunk !== undefined) {
      this.#next++;
      if (this.#next === this.#chunks.length) {
        this.#chunks = [];
        this.#next = 0;
      }
      if (!this.#isOver) this.#consumed(chunk);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#hasFailed) {
      this.#hasFailed = false;
      return Promise.reject(this.#error as Error);
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => void this.#waiters.push({ resolve, reject }));
  }

  #consumed(chunk: Uint8Array): void {
    this.#owed += costOf(chunk);
    if (this.#owed * 2 < this.#windowBytes) return;
    this.#allowed += this.#owed;
    this.#events.credit(this.#owed);
    this.#owed = 0;
  }
}
