import { assert, emptyBytes, hasCode, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { CommitQueue } from './commit-queue.ts';
import type { Wal, WalRecord, WalStats } from './contract.ts';
import {
  appendBytesMax,
  frameBytes,
  frameType,
  headerBlockBytes,
  payloadBytesMax,
  storeIdBytes,
  type FrameFields,
} from './format.ts';
import { GroupTails } from './group-tails.ts';
import type { LogIndex } from './log-index.ts';
import { recover, type Recovered } from './recovery.ts';
import { readRun, runFrom } from './replay.ts';
import { Retention } from './retention.ts';
import { Segments } from './segments.ts';

export interface WalOptions {
  /** Folder of the segments, relative to the disk's root; made when absent. */
  readonly directory: string;
  /**
   * 16 bytes that name the store, kept in every segment. A log of another store is refused with
   * `CONFIG_INVALID`. Default: zeros, and any log is taken.
   */
  readonly storeId?: Uint8Array;
  /** Size of a segment file. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Size of the first one, so that an empty log is small. Default 4 MiB. */
  readonly firstSegmentBytes?: number;
}

/**
 * Opens the log in `directory`, or makes an empty one. Rejects with `LOG_CORRUPT`, `FORMAT_UNKNOWN`,
 * `CONFIG_INVALID` or an error of the disk. Two logs on one directory are the caller's to prevent.
 */
export async function openWal(env: Env, options: WalOptions): Promise<Wal> {
  const { directory: folder, storeId, segmentBytes = 64 * 1024 * 1024 } = options;
  const firstSegmentBytes = Math.min(options.firstSegmentBytes ?? 4 * 1024 * 1024, segmentBytes);
  assert(storeId === undefined || storeId.length === storeIdBytes, 'a store id has 16 bytes');
  assert(firstSegmentBytes >= 2 * headerBlockBytes, 'a segment has at least 8192 bytes');
  const recovered = await recover(env, { folder, storeId });
  const segments = new Segments(
    env,
    { folder, storeId: storeId ?? new Uint8Array(storeIdBytes) },
    { segmentBytes, firstSegmentBytes },
    recovered.segments,
  );
  if (recovered.segments.length === 0) await segments.roll(0);
  return new SegmentedWal(env, segments, recovered);
}

class SegmentedWal implements Wal {
  readonly #segments: Segments;
  readonly #index: LogIndex;
  readonly #tails: GroupTails;
  readonly #queue: CommitQueue;
  readonly #retention: Retention;
  readonly #tornBytes: number;
  readonly #isMarked: boolean;
  #closed = false;

  constructor(env: Env, segments: Segments, { index, tornBytes, isMarked }: Recovered) {
    this.#segments = segments;
    this.#index = index;
    this.#tornBytes = tornBytes;
    this.#isMarked = isMarked;
    this.#tails = new GroupTails(index);
    this.#queue = new CommitQueue(env, segments, index, {
      idle: () => this.#tails.settled(),
      lost: (lost, waiting) => this.#tailsAfter(lost, waiting),
      committed: () => this.#retention.start(),
    });
    this.#retention = new Retention(segments, index, this.#queue, env.log);
  }

  async append(records: readonly WalRecord[]): Promise<void> {
    this.#mustBeOpen();
    let bytes = 0;
    for (const record of records) bytes += checkedBytes(record);
    if (bytes > appendBytesMax) throw tooLarge('append', bytes, appendBytesMax);
    if (!this.#tails.tryAppend(records)) throw followsFailed();
    await this.#queue.add(
      records.map((record) => frameOf(record)),
      true,
    );
  }

  reserve(bytes: number): Promise<void> | undefined {
    this.#mustBeOpen();
    return this.#queue.reserve(bytes);
  }

  async *replay(group: number, fromIndex = 1): AsyncIterableIterator<WalRecord[]> {
    for (let index = fromIndex; ;) {
      this.#mustBeOpen();
      const records = this.#index.group(group);
      if (records === undefined) return;
      index = Math.max(index, records.first);
      if (index > records.last) return;
      const run = runFrom(records, index);
      const segment = this.#segments.get(run.places[0]!.segment);
      assert(segment !== undefined, () => `no segment ${run.places[0]!.segment}`);
      const batch = await readRun(segment, group, run);
      yield batch;
      index += batch.length;
    }
  }

  bounds(group: number): { readonly first: number; readonly last: number } | undefined {
    const records = this.#index.group(group);
    return records && { first: records.first, last: records.last };
  }

  groups(): number[] {
    return this.#index.groups();
  }

  async truncateBefore(group: number, index: number): Promise<void> {
    this.#mustBeOpen();
    assert(isU53(index), () => `truncate before ${index}`);
    this.#tails.truncateBefore(group, index);
    await this.#queue.add([mark(frameType.truncated, group, index)], false);
  }

  stats(): WalStats {
    let [bytes, liveBytes] = [0, 0];
    for (const segment of this.#segments.all) {
      bytes += segment.usedBytes;
      liveBytes += this.#index.liveBytes(segment.number);
    }
    const segments = this.#segments.all.length;
    return { ...this.#queue.counts, segments, bytes, liveBytes, tornBytes: this.#tornBytes };
  }

  async close(): Promise<void> {
    assert(!this.#closed, 'the log is closed');
    this.#closed = true;
    await this.#retention.stop();
    await this.#queue.drained();
    if (!this.#isMarked || this.#queue.counts.syncs > 0) await this.#markClosed();
    await this.#segments.close();
  }

  async #markClosed(): Promise<void> {
    if (this.#queue.failure !== undefined) return;
    try {
      await this.#queue.add([mark(frameType.closed, 0, 0)], false);
    } catch (error) {
      // Without the mark the log is still whole, only less sure of its last batch.
      if (!hasCode(error, 'DISK_FULL', 'STORE_FAILED')) throw error;
    }
    await this.#queue.drained();
  }

  #mustBeOpen(): void {
    assert(!this.#closed, 'the log is closed');
    const { failure } = this.#queue;
    if (failure !== undefined) throw failure;
  }

  #tailsAfter(lost: readonly FrameFields[], waiting: readonly FrameFields[]): void {
    this.#tails.failed(lost.filter(({ type }) => type === frameType.record));
    for (const { group, index } of waiting) this.#tails.truncateBefore(group, index);
  }
}

function frameOf(record: WalRecord): FrameFields {
  const { group, index, term, kind, payload } = record;
  return { type: frameType.record, group, index, term, kind, payload };
}

function mark(type: number, group: number, index: number): FrameFields {
  return { type, group, index, term: 0, kind: 0, payload: emptyBytes };
}

/** The size of a record's frame; asserts that its fields fit into it. */
function checkedBytes({ group, index, term, kind, payload }: WalRecord): number {
  assert(group >>> 0 === group, () => `group ${group} is not a u32`);
  assert(index > 0 && isU53(index), () => `index ${index} is not from 1 to 2^53 - 1`);
  assert(isU53(term), () => `term ${term} is not below 2^53`);
  assert((kind & 0xff) === kind, () => `kind ${kind} is not a u8`);
  if (payload.length > payloadBytesMax) throw tooLarge('record', payload.length, payloadBytesMax);
  return frameBytes(payload.length);
}

function isU53(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function tooLarge(what: string, bytes: number, bytesMax: number): Error {
  return themisError('LIMIT_EXCEEDED', {
    message: `a log ${what} of ${bytes} bytes; ${bytesMax} are allowed`,
    details: { bytes, bytesMax },
  });
}

function followsFailed(): Error {
  return themisError('DISK_FULL', {
    message: 'an append before this one in the same group failed because the disk is full',
  });
}
