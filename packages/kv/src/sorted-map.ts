import { compareBytes } from '@themisdb/base';
import type { KvEntry } from './engine.ts';

const chunkEntriesMax = 128;

interface Chunk {
  /** The edition that may change this chunk in place; every other one copies it first. */
  readonly owner: Edition;
  readonly entries: KvEntry[];
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
export class SortedMap {
  #edition: Edition = {};
  #ownsList = true;
  #chunks: Chunk[] = [];

  fork(): SortedMap {
    const copy = new SortedMap();
    copy.#chunks = this.#chunks;
    copy.#ownsList = false;
    this.#ownsList = false;
    this.#edition = {};
    return copy;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const { chunk, at } = this.#seek(key);
    const entry = this.#chunks[chunk]?.entries[at];
    return entry !== undefined && compareBytes(entry.key, key) === 0 ? entry.value : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
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
    const kept: Chunk[] = [];
    const head = this.#chunks[from.chunk]!.entries.slice(0, from.at);
    const tail = this.#chunks[to.chunk]?.entries.slice(to.at) ?? [];
    if (head.length > 0) kept.push({ owner: this.#edition, entries: head });
    if (tail.length > 0) kept.push({ owner: this.#edition, entries: tail });
    this.#chunks.splice(from.chunk, to.chunk - from.chunk + 1, ...kept);
  }

  /**
   * Up to `count` entries of [gte, lt) in ascending order, or in descending order from its end.
   * Callers page by narrowing the range; see `successor`.
   */
  read(
    gte: Uint8Array | undefined,
    lt: Uint8Array | undefined,
    count: number,
    reverse: boolean,
  ): KvEntry[] {
    return reverse ? this.#readDown(gte, lt, count) : this.#readUp(gte, lt, count);
  }

  #readUp(gte: Uint8Array | undefined, lt: Uint8Array | undefined, count: number): KvEntry[] {
    const out: KvEntry[] = [];
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

  #readDown(gte: Uint8Array | undefined, lt: Uint8Array | undefined, count: number): KvEntry[] {
    const out: KvEntry[] = [];
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
    const chunk = lowestIndex(this.#chunks.length, (i) => {
      const { entries } = this.#chunks[i]!;
      return compareBytes(entries[entries.length - 1]!.key, key) >= 0;
    });
    if (chunk === this.#chunks.length) return { chunk, at: 0 };
    const { entries } = this.#chunks[chunk]!;
    return {
      chunk,
      at: lowestIndex(entries.length, (i) => compareBytes(entries[i]!.key, key) >= 0),
    };
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

  #ownChunk(index: number): KvEntry[] {
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

/** The smallest index for which `holds`, given that it holds for all greater ones; else `length`. */
function lowestIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
