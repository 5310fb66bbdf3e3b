import { emptyBytes, hasCode, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { BatchWriter } from './batch.ts';
import {
  frameBytes,
  frameHeaderBytes,
  frameType,
  headerBlockBytes,
  type FrameFields,
} from './format.ts';
import type { LogIndex } from './log-index.ts';
import type { Segment } from './segment.ts';
import type { Segments } from './segments.ts';

// More than this is not put into one write, unless a single append is larger.
const batchBytesMax: number = 4 * 1024 * 1024;

/** A record to be moved, and where it was found. */
export interface Carried {
  readonly frame: FrameFields;
  readonly segment: number;
  readonly offset: number;
}

export interface QueueCounts {
  appends: number;
  records: number;
  syncs: number;
  writtenBytes: number;
  waitingAppends: number;
  waitingBytes: number;
  carriedRecords: number;
}

interface Waiting {
  readonly frames: readonly FrameFields[];
  readonly bytes: number;
  readonly isAppend: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface CarriedWaiting {
  readonly records: readonly Carried[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface QueueEvents {
  /** All that waited is durable, or has failed. */
  readonly idle: () => void;
  /** The first frames failed; of all that waited only the second are still to come. */
  readonly lost: (lost: readonly FrameFields[], waiting: readonly FrameFields[]) => void;
  /** Something became durable that may have freed a segment. */
  readonly committed: () => void;
}

/**
 * Group commit. One batch is under way at a time: one write, one sync; what comes meanwhile waits for
 * the next. The order of the queue is the order of the log.
 */
export class CommitQueue {
  readonly counts: QueueCounts = {
    appends: 0,
    records: 0,
    syncs: 0,
    writtenBytes: 0,
    waitingAppends: 0,
    waitingBytes: 0,
    carriedRecords: 0,
  };
  readonly #env: Env;
  readonly #segments: Segments;
  readonly #index: LogIndex;
  readonly #events: QueueEvents;
  readonly #writer: BatchWriter = new BatchWriter();
  #waiting: Waiting[] = [];
  #carried: CarriedWaiting[] = [];
  #running: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(env: Env, segments: Segments, index: LogIndex, events: QueueEvents) {
    this.#env = env;
    this.#segments = segments;
    this.#index = index;
    this.#events = events;
  }

  /** The error every call rejects with since the log failed; undefined while all is well. */
  get failure(): Error | undefined {
    return this.#failure && storeFailed(this.#failure.cause);
  }

  /** Resolves when the frames are durable, in the order of calls. */
  add(frames: readonly FrameFields[], isAppend: boolean): Promise<void> {
    const bytes = sizeOf(frames);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frames, bytes, isAppend, resolve, reject });
      this.counts.waitingBytes += bytes;
      if (isAppend) this.counts.waitingAppends++;
      this.#start();
    });
  }

  /** Undefined when appends of so many bytes, behind those that wait, fit where space is allocated. */
  reserve(bytes: number): Promise<void> | undefined {
    const { end, allocated } = this.#segments.active;
    const free = allocated - end - frameHeaderBytes - this.#segments.reservedBytes;
    const needed = this.counts.waitingBytes + bytes;
    return needed <= free ? undefined : this.#segments.prepareFor(needed);
  }

  /** Writes records anew that still stand where they were found. */
  carry(records: readonly Carried[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#carried.push({ records, resolve, reject });
      this.#start();
    });
  }

  /** Waits until nothing is under way. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 || this.#carried.length > 0) {
      // The rest of this loop turn may bring more.
      await this.#env.timers.yield();
      await this.#commitOne();
    }
    // In the same turn as the last look at the queue, so that nobody waits on a loop that has ended.
    this.#running = undefined;
    this.#events.idle();
  }

  async #commitOne(): Promise<void> {
    // Moved records go first: where they stand is known to be true until this batch is applied.
    const carried = this.#carried.splice(0, 1);
    const moved = carried.flatMap(({ records }) => this.#stillThere(records));
    const { batch, rolls } = this.#take(sizeOf(moved));
    try {
      await this.#write([...moved, ...batch.flatMap(({ frames }) => frames)], rolls);
    } catch (error) {
      this.#fail(carried, batch, error);
      return;
    }
    this.counts.carriedRecords += moved.length;
    for (const { resolve } of carried) resolve();
    for (const waiting of batch) this.#acknowledge(waiting);
    this.#events.committed();
  }

  #stillThere(records: readonly Carried[]): FrameFields[] {
    const isThere = ({ frame, segment, offset }: Carried): boolean =>
      this.#index.isAt(frame.group, frame.index, segment, offset);
    return records.filter(isThere).map(({ frame }) => frame);
  }

  /** What goes with the moved records into the active segment, or if that cannot be, into a new one. */
  #take(movedBytes: number): { readonly batch: Waiting[]; readonly rolls: boolean } {
    const { end, allocated } = this.#segments.active;
    const free = allocated - end - frameHeaderBytes - movedBytes;
    const freeForRecords = free - this.#segments.reservedBytes;
    const room = (waiting: Waiting): number => (waiting.isAppend ? freeForRecords : free);
    const first = this.#waiting[0];
    const rolls =
      (movedBytes > 0 && freeForRecords < 0) || (first !== undefined && first.bytes > room(first));
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length; count++) {
      const waiting = this.#waiting[count]!;
      bytes += waiting.bytes;
      if (bytes > (rolls ? batchBytesMax : Math.min(room(waiting), batchBytesMax)) && count > 0)
        break;
    }
    return { batch: this.#waiting.splice(0, count), rolls };
  }

  async #write(frames: readonly FrameFields[], rolls: boolean): Promise<void> {
    if (frames.length === 0) return;
    const segment = rolls ? await this.#roll(sizeOf(frames)) : this.#segments.active;
    const all = segment.isEmpty ? [...this.#rolledFrame(segment), ...frames] : frames;
    const bytes = this.#writer.encode(all, sizeOf(all), segment);
    await this.#writeBytes(segment, bytes);
    await fatalUnlessDone(segment.file.datasync());
    this.counts.syncs++;
    this.counts.writtenBytes += bytes.length;
    for (const frame of all) this.#apply(frame, segment);
    this.#segments.prepare();
  }

  async #roll(bytes: number): Promise<Segment> {
    const segment = await this.#segments.roll(bytes + frameHeaderBytes);
    this.counts.writtenBytes += headerBlockBytes;
    return segment;
  }

  #rolledFrame(segment: Segment): FrameFields[] {
    const before = this.#segments.all.findLast((other) => other !== segment && !other.isEmpty);
    if (before === undefined) return [];
    const { number: group, end: index } = before;
    return [{ type: frameType.rolled, group, index, term: 0, kind: 0, payload: emptyBytes }];
  }

  async #writeBytes(segment: Segment, bytes: Uint8Array): Promise<void> {
    try {
      await segment.file.write(segment.end, bytes);
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) throw new FatalFailure(error);
      await fatalUnlessDone(cutBack(segment));
      throw error;
    }
  }

  #apply(frame: FrameFields, segment: Segment): void {
    const bytes = frameBytes(frame.payload.length);
    const place = { segment: segment.number, offset: segment.end, bytes };
    this.#index.apply(frame, place);
    segment.end += bytes;
  }

  #acknowledge(waiting: Waiting): void {
    this.#forget(waiting);
    if (waiting.isAppend) {
      this.counts.appends++;
      this.counts.records += waiting.frames.length;
    }
    waiting.resolve();
  }

  #fail(carried: readonly CarriedWaiting[], batch: readonly Waiting[], error: unknown): void {
    const all = [...batch, ...this.#waiting];
    if (!hasCode(error, 'DISK_FULL')) {
      this.#failure = { cause: error instanceof FatalFailure ? error.cause : error };
      for (const { reject } of [...carried, ...this.#carried.splice(0)]) reject(this.failure);
      this.#lose(all, [], this.failure);
    } else if (carried.length > 0) {
      // Only tidying needed the space, it may be: the others try once more without.
      for (const { reject } of carried) reject(error);
      this.#waiting = all;
    } else {
      this.#refuse(batch, all, error);
    }
  }

  /**
   * A full disk fails every append that waits, or a later one of the same group would leave a gap.
   * Truncations stay: they fit into the reserve, and free space.
   */
  #refuse(batch: readonly Waiting[], all: readonly Waiting[], error: unknown): void {
    const hasAppends = batch.some(({ isAppend }) => isAppend);
    const stays = ({ isAppend }: Waiting): boolean => hasAppends && !isAppend;
    this.#lose(
      all.filter((waiting) => !stays(waiting)),
      all.filter(stays),
      error,
    );
  }

  #lose(lost: readonly Waiting[], waiting: readonly Waiting[], reason: unknown): void {
    this.#waiting = [...waiting];
    for (const entry of lost) {
      this.#forget(entry);
      entry.reject(reason);
    }
    this.#events.lost(
      lost.flatMap(({ frames }) => frames),
      waiting.flatMap(({ frames }) => frames),
    );
  }

  #forget(waiting: Waiting): void {
    this.counts.waitingBytes -= waiting.bytes;
    if (waiting.isAppend) this.counts.waitingAppends--;
  }
}

/** Nothing is known about the log's end any more. */
class FatalFailure extends Error {
  constructor(cause: unknown) {
    super('the log failed', { cause });
  }
}

async function fatalUnlessDone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new FatalFailure(error);
  }
}

/** Takes back what a failed write left, so that it can never be read; the segment is then full. */
async function cutBack(segment: Segment): Promise<void> {
  await segment.file.truncate(segment.end);
  await segment.file.datasync();
  segment.allocated = segment.end;
}

function storeFailed(cause: unknown): Error {
  return themisError('STORE_FAILED', {
    message: 'the log stopped after a write or sync that failed; it must be opened anew',
    cause,
  });
}

function sizeOf(frames: readonly FrameFields[]): number {
  let bytes = 0;
  for (const { payload } of frames) bytes += frameBytes(payload.length);
  return bytes;
}
