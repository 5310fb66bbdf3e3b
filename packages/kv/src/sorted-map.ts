import { compareBytes } from '@themisdb/base';

const chunkEntriesMax = 128;

export interface MapEntry<V> {
  readonly key: Uint8Array;
  readonly value: V;
}

interface Chunk<V> {
  /** The edition that may change this chunk in place; every other one copies it first. */
  readonly owner: Edition;
  readonly entries: MapEntry<V>[];
}

/** Identity of the one holder that may write in place. */
type Edition = object;

/** A place in the map: entry `at` of chunk `chunk`. */
interface Position {
  chunk: number;
  at: number;
}

/**
 * A sorted map of byte strings as a list of short sorted chunks, copy-on-write: `fork()` is O(1) and
 * leaves two maps that share all chunks until one of them writes, which then copies the list of
 * chunks once and each touched chunk once.
 *
 * Invariants: no chunk is empty; entries ascend strictly inside and across chunks.
 */
export class SortedMap<V> {
  #edition: Edition = {};
  #ownsList = true;
  #chunks: Chunk<V>[] = [];

  fork(): SortedMap<V> {
    const copy = new SortedMap<V>();
    copy.#chunks = this.#chunks;
    copy.#ownsList = false;
    this.#ownsList = false;
    this.#edition = {};
    return copy;
  }

  get(key: Uint8Array): V | undefined {
    const { chunk, at } = this.#seek(key);
    const entry = this.#chunks[chunk]?.entries[at];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
  }

  /** The value at the greatest key not above `key`. */
  floor(key: Uint8Array): V | undefined {
    const { chunk, at } = this.#seek(key);
    const entry = this.#chunks[chunk]?.entries[at];
    if (entry !== undefined && compareBytes(entry.key, key) === 0) return entry.value;
    return this.#before(chunk, at)?.value;
  }

  /** The value at the greatest key below `key`, or at the last one without `key`. */
  below(key: Uint8Array | undefined): V | undefined {
    if (key === undefined) return this.#before(this.#chunks.length, 0)?.value;
    const { chunk, at } = this.#seek(key);
    return this.#before(chunk, at)?.value;
  }

  put(key: Uint8Array, value: V): void {
    this.#ownList();
    if (this.#chunks.length === 0) {
      this.#chunks.push({ owner: this.#edition, entries: [{ key, value }] });
      return;
    }
    const place = this.#seek(key);
    if (place.chunk === this.#chunks.length) this.#toEndOfPrevious(place);
    const entries = this.#ownChunk(place.chunk);
    const found = entries[place.at];
    const replaces = found !== undefined && compareBytes(found.key, key) === 0;
    entries.splice(place.at, replaces ? 1 : 0, { key, value });
    if (entries.length > chunkEntriesMax) this.#split(place.chunk);
  }

  delete(key: Uint8Array): void {
    const { chunk, at } = this.#seek(key);
    const entry = this.#chunks[chunk]?.entries[at];
    if (entry === undefined || compareBytes(entry.key, key) !== 0) return;
    this.#ownList();
    const entries = this.#ownChunk(chunk);
    entries.splice(at, 1);
    if (entries.length === 0) this.#chunks.splice(chunk, 1);
  }

  /** Removes every key in [gte, lt). */
  deleteRange(gte: Uint8Array, lt: Uint8Array): void {
    if (compareBytes(gte, lt) >= 0) return;
    const from = this.#seek(gte);
    const to = this.#seek(lt);
    if (from.chunk === to.chunk && from.at === to.at) return;
    this.#ownList();
    const kept: Chunk<V>[] = [];
    const head = this.#chunks[from.chunk]!.entries.slice(0, from.at);
    const tail = this.#chunks[to.chunk]?.entries.slice(to.at) ?? [];
    if (head.length > 0) kept.push({ owner: this.#edition, entries: head });
    if (tail.length > 0) kept.push({ owner: this.#edition, entries: tail });
    this.#chunks.splice(from.chunk, to.chunk - from.chunk + 1, ...kept);
  }

  /**
   * Up to `count` entries of [gte, lt) in ascending order, or in descending order from its end.
   * Callers page by narrowing the range.
   */
  read(
    gte: Uint8Array | undefined,
    lt: Uint8Array | undefined,
    count: number,
    reverse: boolean,
  ): MapEntry<V>[] {
    return reverse ? this.#readDown(gte, lt, count) : this.#readUp(gte, lt, count);
  }

  #readUp(gte: Uint8Array | undefined, lt: Uint8Array | undefined, count: number): MapEntry<V>[] {
    const out: MapEntry<V>[] = [];
    let { chunk, at } = gte === undefined ? { chunk: 0, at: 0 } : this.#seek(gte);
    for (; chunk < this.#chunks.length; chunk++, at = 0) {
      const { entries } = this.#chunks[chunk]!;
      for (; at < entries.length; at++) {
        const entry = entries[at]!;
        if (out.length >= count) return out;
        if (lt !== undefined && compareBytes(entry.key, lt) >= 0) return out;
        out.push(entry);
      }
    }
    return out;
  }

  #readDown(gte: Uint8Array | undefined, lt: Uint8Array | undefined, count: number): MapEntry<V>[] {
    const out: MapEntry<V>[] = [];
    let { chunk, at } = lt === undefined ? { chunk: this.#chunks.length, at: 0 } : this.#seek(lt);
    for (;;) {
      at--;
      while (at < 0) {
        chunk--;
        if (chunk < 0) return out;
        at = this.#chunks[chunk]!.entries.length - 1;
      }
      const entry = this.#chunks[chunk]!.entries[at]!;
      if (out.length >= count) return out;
      if (gte !== undefined && compareBytes(entry.key, gte) < 0) return out;
      out.push(entry);
    }
  }

  /** Place of the first key not below `key`; one past the last chunk when there is none. */
  #seek(key: Uint8Array): Position {
    const chunks = this.#chunks;
    let chunk = 0;
    for (let high = chunks.length; chunk < high;) {
      const middle = (chunk + high) >>> 1;
      const { entries } = chunks[middle]!;
      if (compareBytes(entries[entries.length - 1]!.key, key) >= 0) high = middle;
      else chunk = middle + 1;
    }
    if (chunk === chunks.length) return { chunk, at: 0 };
    const { entries } = chunks[chunk]!;
    let at = 0;
    for (let high = entries.length; at < high;) {
      const middle = (at + high) >>> 1;
      if (compareBytes(entries[middle]!.key, key) >= 0) high = middle;
      else at = middle + 1;
    }
    return { chunk, at };
  }

  #before(chunk: number, at: number): MapEntry<V> | undefined {
    if (at > 0) return this.#chunks[chunk]!.entries[at - 1];
    return this.#chunks[chunk - 1]?.entries.at(-1);
  }

  #toEndOfPrevious(place: Position): void {
    place.chunk--;
    place.at = this.#chunks[place.chunk]!.entries.length;
  }

  #ownList(): void {
    if (this.#ownsList) return;
    this.#chunks = this.#chunks.slice();
    this.#ownsList = true;
  }

  #ownChunk(index: number): MapEntry<V>[] {
    const chunk = this.#chunks[index]!;
    if (chunk.owner === this.#edition) return chunk.entries;
    const entries = chunk.entries.slice();
    this.#chunks[index] = { owner: this.#edition, entries };
    return entries;
  }

  #split(index: number): void {
    const { entries } = this.#chunks[index]!;
    // Appends are the common case: a full left half and a short right one waste no room on them.
    const isLast = index === this.#chunks.length - 1;
    const keep = isLast ? chunkEntriesMax - 8 : entries.length >> 1;
    const right = entries.splice(keep);
    this.#chunks.splice(index + 1, 0, { owner: this.#edition, entries: right });
  }
}
