import { assert } from '@themisdb/base';
import { limitSize, type Compacted, type Entry, type Unavailable } from '@themisdb/raft';

interface Place {
  readonly index: number;
  readonly term: number;
}

/**
 * The stable entries a replica holds in memory, without a gap, for peers that are behind; and the place
 * before them. Dropped from the front by bytes: who needs older ones gets a snapshot.
 */
export class EntryCache {
  #before: Place;
  #entries: Entry[] = [];
  /** Entries before this position are dropped and not yet cut off the array. */
  #head = 0;
  #bytes = 0;

  constructor(before: Place) {
    this.#before = before;
  }

  get before(): Place {
    return this.#before;
  }

  get firstIndex(): number {
    return this.#before.index + 1;
  }

  get lastIndex(): number {
    return this.#before.index + this.#entries.length - this.#head;
  }

  /** Payload bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  term(index: number): number | Compacted | Unavailable {
    if (index < this.#before.index) return 'compacted';
    if (index === this.#before.index) return this.#before.term;
    return this.#at(index)?.term ?? 'unavailable';
  }

  slice(lo: number, hi: number, bytesMax: number): readonly Entry[] | Compacted | Unavailable {
    if (lo < this.firstIndex) return 'compacted';
    if (hi > this.lastIndex + 1) return 'unavailable';
    const start = this.#head + lo - this.firstIndex;
    return limitSize(this.#entries.slice(start, start + hi - lo), bytesMax);
  }

  /** Entries from the first new index on are replaced. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const last = this.lastIndex;
    assert(
      first.index > this.#before.index && first.index <= last + 1,
      () => `an append at ${first.index}, not from ${this.firstIndex} to ${last + 1}`,
    );
    for (let index = first.index; index <= last; index++) this.#bytes -= bytesOf(this.#at(index)!);
    this.#entries.length = this.#head + first.index - this.firstIndex;
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += bytesOf(entry);
    }
  }

  /** Drops entries up to `index`. */
  compact(index: number): void {
    if (index <= this.#before.index) return;
    assert(
      index <= this.lastIndex,
      () => `compact to ${index}, the last entry is ${this.lastIndex}`,
    );
    const { term } = this.#at(index)!;
    for (let at = this.firstIndex; at <= index; at++) this.#bytes -= bytesOf(this.#at(at)!);
    this.#head += index - this.#before.index;
    this.#before = { index, term };
    if (this.#head < 1024 && this.#head < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** Drops the oldest entries up to `index` until `bytesMax` are held. */
  shrink(index: number, bytesMax: number): void {
    let bytes = this.#bytes;
    let to = this.#before.index;
    while (to < index && bytes > bytesMax) bytes -= bytesOf(this.#at(++to)!);
    this.compact(to);
  }

  /** Everything gives way to a snapshot. */
  restart(before: Place): void {
    this.#before = before;
    this.#entries = [];
    this.#head = this.#bytes = 0;
  }

  #at(index: number): Entry | undefined {
    return this.#entries[this.#head + index - this.firstIndex];
  }
}

/** An entry costs something even if it is empty. */
function bytesOf({ data }: Entry): number {
  return 64 + (data?.length ?? 0);
}
