import { assert, crc32c, joinPath, parentPath, type DiskFile, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Wal, WalRecord, WalStats } from './contract.ts';
import {
  encodeFrame,
  frameBytes,
  frameHeaderBytes,
  frameType,
  headerBlockBytes,
  tryDecodeHeader,
  viewOf,
  type FrameFields,
} from './format.ts';

export interface WalOptions {
  /** Folder of the segments, relative to the disk's root; made when absent. */
  readonly directory: string;
}

/** Opens the log in `directory`, or makes an empty one. */
export async function openWal(env: Env, options: WalOptions): Promise<Wal> {
  const { disk } = env;
  await disk.makeDirectory(options.directory);
  const path = joinPath(options.directory, 'segment-0000000001.wal');
  const file = await disk.open(path, { create: true });
  await disk.syncDirectory(options.directory);
  await disk.syncDirectory(parentPath(options.directory));
  const wal = new ThinWal(env, file);
  await wal.recover();
  return wal;
}

interface Place {
  readonly offset: number;
  readonly bytes: number;
}
interface Group {
  first: number;
  next: number;
  places: Place[];
}
interface Waiting {
  readonly frames: readonly FrameFields[];
  resolve(): void;
  reject(error: unknown): void;
}

class ThinWal implements Wal {
  readonly #env: Env;
  readonly #file: DiskFile;
  readonly #groups = new Map<number, Group>();
  #end = headerBlockBytes;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #failure: unknown;
  #appends = 0;
  #records = 0;
  #syncs = 0;

  constructor(env: Env, file: DiskFile) {
    this.#env = env;
    this.#file = file;
  }

  async recover(): Promise<void> {
    const bytes = await this.#file.read(0, await this.#file.size());
    const view = viewOf(bytes);
    for (;;) {
      const header = tryDecodeHeader(bytes, view, this.#end, 0, this.#end);
      if (header === undefined) break;
      const from = this.#end + frameHeaderBytes;
      if (crc32c(bytes, from, from + header.payloadBytes) !== header.payloadCrc) break;
      const payload = bytes.subarray(from, from + header.payloadBytes);
      this.#index({ ...header, payload }, this.#end);
      this.#end += frameBytes(header.payloadBytes);
    }
    await this.#file.truncate(this.#end);
    await this.#file.datasync();
  }

  #index(frame: FrameFields, offset: number): void {
    const group = this.#groups.get(frame.group) ?? { first: frame.index, next: 0, places: [] };
    this.#groups.set(frame.group, group);
    if (frame.type === frameType.truncated) {
      group.places.splice(0, frame.index - group.first);
      group.first = frame.index;
      return;
    }
    if (group.places.length === 0) group.first = frame.index;
    group.places.length = Math.min(group.places.length, frame.index - group.first);
    group.places.push({ offset, bytes: frame.payload.length });
    this.#records++;
  }

  append(records: readonly WalRecord[]): Promise<void> {
    this.#appends++;
    return this.#submit(records.map((record) => ({ ...record, type: frameType.record })));
  }

  #submit(frames: readonly FrameFields[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        const message = 'the log failed before';
        return reject(themisError('STORE_FAILED', { message, cause: this.#failure }));
      }
      this.#waiting.push({ frames, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#env.timers.yield();
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeBatch(batch.flatMap((waiting) => waiting.frames));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#failure = error;
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    // In the same turn as the last look at the queue, so that nobody waits on a loop that ended.
    this.#flushing = undefined;
  }

  async #writeBatch(frames: readonly FrameFields[]): Promise<void> {
    const start = this.#end;
    const bytes = frames.reduce((sum, { payload }) => sum + frameBytes(payload.length), 0);
    const out = new Uint8Array(bytes);
    const view = viewOf(out);
    let at = 0;
    for (const frame of frames) {
      const place = { salt: 0, fileOffset: start + at, batchStart: start };
      encodeFrame(out, view, at, frame, place);
      at += frameBytes(frame.payload.length);
    }
    await this.#file.write(start, out);
    await this.#file.datasync();
    this.#syncs++;
    for (const frame of frames) {
      this.#index(frame, this.#end);
      this.#end += frameBytes(frame.payload.length);
    }
  }

  async *replay(group: number, fromIndex = 0): AsyncIterableIterator<WalRecord[]> {
    for (let index = fromIndex; ; index++) {
      const state = this.#groups.get(group);
      if (state === undefined) return;
      index = Math.max(index, state.first);
      const place = state.places[index - state.first];
      if (place === undefined) return;
      const bytes = await this.#file.read(place.offset, frameBytes(place.bytes));
      const header = tryDecodeHeader(bytes, viewOf(bytes), 0, 0, place.offset);
      assert(header !== undefined);
      const payload = bytes.subarray(frameHeaderBytes, frameHeaderBytes + header.payloadBytes);
      yield [{ group, index, term: header.term, kind: header.kind, payload }];
    }
  }

  bounds(group: number): { readonly first: number; readonly last: number } | undefined {
    const state = this.#groups.get(group);
    if (state === undefined || state.places.length === 0) return undefined;
    return { first: state.first, last: state.first + state.places.length - 1 };
  }

  async truncateBefore(group: number, index: number): Promise<void> {
    const payload = new Uint8Array(0);
    await this.#submit([{ type: frameType.truncated, group, index, term: 0, kind: 0, payload }]);
  }

  stats(): WalStats {
    const counts = { appends: this.#appends, records: this.#records, syncs: this.#syncs };
    return { segments: 1, bytes: this.#end, ...counts, tornBytes: 0 };
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }
}
