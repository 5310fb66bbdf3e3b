import { assert, joinPath, type Disk, type Env } from '@themisdb/base';
import { frameHeaderBytes, headerBlockBytes, segmentName } from './format.ts';
import { createSegment, type Segment } from './segment.ts';

export interface SegmentSizes {
  /** Of the first segment of a log; each following one is twice as large, up to `segmentBytes`. */
  readonly firstSegmentBytes: number;
  readonly segmentBytes: number;
}

/**
 * The segment files of a log in order. The last one is written to; the next is made in the
 * background once that is half full, so that no append waits for its space to be zeroed.
 */
export class Segments {
  readonly #env: Env;
  readonly #folder: string;
  readonly #storeId: Uint8Array;
  readonly #sizes: SegmentSizes;
  readonly #kept: Segment[];
  #spare: Promise<Segment | undefined> | undefined;
  #rolling: Promise<Segment> | undefined;

  constructor(
    env: Env,
    place: { readonly folder: string; readonly storeId: Uint8Array },
    sizes: SegmentSizes,
    kept: readonly Segment[],
  ) {
    this.#env = env;
    this.#folder = place.folder;
    this.#storeId = place.storeId;
    this.#sizes = sizes;
    this.#kept = [...kept];
  }

  /** Kept free in each segment for truncations: on a full disk they are what frees space. */
  get reservedBytes(): number {
    return Math.min(64 * 1024, this.#sizes.segmentBytes >> 4);
  }

  get all(): readonly Segment[] {
    return this.#kept;
  }

  get active(): Segment {
    return this.#kept.at(-1)!;
  }

  get(number: number): Segment | undefined {
    const first = this.#kept[0];
    return first && this.#kept[number - first.number];
  }

  /** Goes on to a new segment with room for so many bytes of frames. */
  async roll(bytes: number): Promise<Segment> {
    this.#rolling = this.#roll(bytes);
    try {
      return await this.#rolling;
    } finally {
      this.#rolling = undefined;
    }
  }

  /** Makes the next segment now, with room for so many bytes of frames, unless it is there. */
  async prepareFor(bytes: number): Promise<void> {
    await this.#rolling?.catch(() => undefined);
    const needed = headerBlockBytes + bytes + frameHeaderBytes + this.reservedBytes;
    const made = Promise.resolve(this.#spare).then(async (spare) => {
      const segment = spare ?? (await this.#create(this.#nextNumber(), bytes));
      if (segment.allocated < needed) await this.#enlarge(segment, needed);
      return segment;
    });
    this.#spare = made.catch(() => undefined);
    await made;
  }

  async #roll(bytes: number): Promise<Segment> {
    const spare = await this.#spare;
    this.#spare = undefined;
    const next = spare ?? (await this.#create(this.#nextNumber(), bytes));
    const needed = headerBlockBytes + bytes + this.reservedBytes;
    if (next.allocated < needed) await this.#enlarge(next, needed);
    this.#kept.push(next);
    return next;
  }

  /** Starts to make the next segment when the active one is half full. */
  prepare(): void {
    const { end, allocated } = this.active;
    if (this.#spare !== undefined || 2 * end < allocated) return;
    this.#spare = this.#create(this.#nextNumber(), 0).catch((error: unknown) => {
      // Told to an append when the space is needed and still cannot be had.
      this.#env.log.write('warn', 'the next log segment could not be prepared', { error });
      return undefined;
    });
  }

  /** Removes the oldest segment. Its name is gone for good before the next one's is touched. */
  async removeOldest(): Promise<void> {
    const oldest = this.#kept[0]!;
    assert(oldest !== this.active, 'the active segment cannot be removed');
    await this.#disk.remove(oldest.file.path);
    await this.#disk.syncDirectory(this.#folder);
    this.#kept.shift();
    await oldest.file.close();
  }

  /** Closes all files; an unused spare is removed. */
  async close(): Promise<void> {
    const spare = await this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) await this.#discard(spare);
    for (const segment of this.#kept) await segment.file.close();
  }

  async #enlarge(segment: Segment, bytes: number): Promise<void> {
    try {
      await segment.file.allocate(bytes);
      await segment.file.datasync();
      segment.allocated = await segment.file.size();
    } catch (error) {
      await this.#discard(segment);
      throw error;
    }
  }

  async #discard(segment: Segment): Promise<void> {
    await segment.file.close();
    await this.#disk.remove(segment.file.path);
  }

  #create(number: number, bytes: number): Promise<Segment> {
    const folder = this.#folder;
    return createSegment(this.#disk, {
      folder,
      path: joinPath(folder, segmentName(number)),
      number,
      salt: this.#env.random.u32(),
      storeId: this.#storeId,
      bytes: Math.max(headerBlockBytes + bytes + this.reservedBytes, this.#sizeOf(number)),
    });
  }

  #nextNumber(): number {
    return (this.#kept.at(-1)?.number ?? 0) + 1;
  }

  #sizeOf(number: number): number {
    const { firstSegmentBytes, segmentBytes } = this.#sizes;
    return Math.min(segmentBytes, firstSegmentBytes * 2 ** Math.min(number - 1, 30));
  }

  get #disk(): Disk {
    return this.#env.disk;
  }
}
