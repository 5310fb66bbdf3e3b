import { hasCode, type Log } from '@themisdb/base';
import type { Carried, CommitQueue } from './commit-queue.ts';
import { frameType } from './format.ts';
import type { LogIndex } from './log-index.ts';
import { scanFrames } from './scan.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';

// Moved in one batch, so that appends do not wait long behind it.
const carriedBytesMax: number = 1024 * 1024;

/**
 * Removes old segments of which nothing is needed. When less than half of the closed segments is
 * needed but the oldest still holds something, its records are written anew at the end, so the log
 * stays below twice what is needed plus the segment in use and the one behind it. A byte is
 * moved only after as many were freed.
 */
export class Retention {
  readonly #segments: Segments;
  readonly #index: LogIndex;
  readonly #queue: CommitQueue;
  readonly #log: Log;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** What was there when a round was last thought of. */
  #seen = '';

  constructor(segments: Segments, index: LogIndex, queue: CommitQueue, log: Log) {
    this.#segments = segments;
    this.#index = index;
    this.#queue = queue;
    this.#log = log;
  }

  /** Starts a round unless one is under way or nothing is to be done. */
  start(): void {
    if (this.#running !== undefined || this.#stopped) return;
    const state = `${this.#index.freedBytes} ${this.#segments.active.number}`;
    if (state === this.#seen) return;
    this.#seen = state;
    if (this.#next() !== undefined) this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (let step = this.#next(); step !== undefined && !this.#stopped; step = this.#next()) {
        await step();
      }
    } catch (error) {
      // The next truncation tries again. Nothing is lost by keeping a segment.
      const level = hasCode(error, 'DISK_FULL') ? 'warn' : 'error';
      this.#log.write(level, 'an old log segment could not be removed', { error });
    }
    this.#running = undefined;
  }

  #next(): (() => Promise<void>) | undefined {
    const closed = this.#segments.all.slice(0, -1);
    const oldest = closed[0];
    if (oldest === undefined) return undefined;
    if (this.#index.liveBytes(oldest.number) === 0) return () => this.#remove(oldest);
    let [used, live] = [0, 0];
    for (const segment of closed) {
      used += segment.usedBytes;
      live += this.#index.liveBytes(segment.number);
    }
    return closed.length > 1 && 2 * live < used ? () => this.#carry(oldest) : undefined;
  }

  async #remove(segment: Segment): Promise<void> {
    await this.#segments.removeOldest();
    this.#index.forgetSegment(segment.number);
  }

  /** Writes the segment's live records anew; then nothing in it is live. */
  async #carry(segment: Segment): Promise<void> {
    let found: Carried[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      const records = found;
      [found, bytes] = [[], 0];
      await this.#queue.carry(records);
    };
    const end = await scanFrames(segment, ({ header, offset, payload, bytes: size }) => {
      if (!this.#index.isAt(header.group, header.index, segment.number, offset)) return;
      const frame = { ...header, type: frameType.carried, payload: payload.slice() };
      found.push({ frame, segment: segment.number, offset });
      bytes += size;
      return bytes < carriedBytesMax ? undefined : flush();
    });
    if (end !== segment.end) throw segment.corrupt(end, 'damaged record');
    if (found.length > 0) await flush();
  }
}
