/** Where a record stands. */
export interface Place {
  /** Segment number. */
  readonly segment: number;
  readonly offset: number;
  /** Of the whole frame. */
  readonly bytes: number;
}

interface Chunk {
  readonly segments: Uint32Array;
  readonly offsets: Uint32Array;
  /** Zero where there is no record. */
  readonly bytes: Uint32Array;
}

const chunkRecords = 256;

/**
 * The places of one group's records by index: 12 bytes a record. `last` is `first - 1` when there are
 * none. While a log is read in, records that were moved may leave holes for a time.
 */
export class GroupIndex {
  first = 1;
  last = 0;
  count = 0;
  readonly #chunks: Map<number, Chunk> = new Map();

  get isEmpty(): boolean {
    return this.last < this.first;
  }

  get hasHoles(): boolean {
    return this.count !== this.last - this.first + 1;
  }

  get(index: number): Place | undefined {
    if (index < this.first || index > this.last) return undefined;
    const at = index % chunkRecords;
    const chunk = this.#chunks.get((index - at) / chunkRecords);
    if (chunk === undefined || chunk.bytes[at] === 0) return undefined;
    return { segment: chunk.segments[at]!, offset: chunk.offsets[at]!, bytes: chunk.bytes[at]! };
  }

  set(index: number, place: Place): void {
    if (this.isEmpty) this.first = this.last = index;
    this.first = Math.min(this.first, index);
    this.last = Math.max(this.last, index);
    const at = index % chunkRecords;
    const chunk = this.#chunkOf((index - at) / chunkRecords);
    if (chunk.bytes[at] === 0) this.count++;
    chunk.segments[at] = place.segment;
    chunk.offsets[at] = place.offset;
    chunk.bytes[at] = place.bytes;
  }

  /** Removes the records from `index` on; `dropped` hears of each. */
  cutFrom(index: number, dropped: (place: Place) => void): void {
    if (index > this.last) return;
    const from = Math.max(index, this.first);
    for (let i = this.last; i >= from; i--) this.#drop(i, dropped);
    this.last = Math.min(this.last, from - 1);
    this.#forget();
  }

  /** Removes the records below `index`; `dropped` hears of each. */
  dropBefore(index: number, dropped: (place: Place) => void): void {
    if (index <= this.first || this.isEmpty) return;
    const to = Math.min(index, this.last + 1);
    for (let i = this.first; i < to; i++) this.#drop(i, dropped);
    this.first = Math.max(this.first, to);
    this.#forget();
  }

  #drop(index: number, dropped: (place: Place) => void): void {
    const place = this.get(index);
    if (place === undefined) return;
    const at = index % chunkRecords;
    this.#chunks.get((index - at) / chunkRecords)!.bytes[at] = 0;
    this.count--;
    dropped(place);
  }

  #chunkOf(number: number): Chunk {
    let chunk = this.#chunks.get(number);
    if (chunk === undefined) {
      const make = (): Uint32Array => new Uint32Array(chunkRecords);
      this.#chunks.set(number, (chunk = { segments: make(), offsets: make(), bytes: make() }));
    }
    return chunk;
  }

  #forget(): void {
    const [first, last] = [this.first, this.last].map((i) => Math.floor(i / chunkRecords));
    for (const number of this.#chunks.keys()) {
      if (this.isEmpty || number < first! || number > last!) this.#chunks.delete(number);
    }
  }
}
