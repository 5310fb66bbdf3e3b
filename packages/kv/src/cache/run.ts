import { compareBytes, emptyBytes } from '@themisdb/base';
import type { KvEntry } from '../engine.ts';

const bookkeepingBytes = 300;

/**
 * A piece of the key space whose content is known: in [from, to) there are these entries and no
 * others. Keys and values lie one after the other in one block, so that a run costs the garbage
 * collector one object, not two for each entry; views are made when entries are handed out.
 */
export class Run {
  readonly from: Uint8Array;
  /** Undefined: to the end of the key space. */
  readonly to: Uint8Array | undefined;
  readonly count: number;
  /** Number of the last write known to be contained; none since has touched the run. */
  readonly validFrom: number;
  readonly bytes: number;
  readonly #block: Uint8Array;
  /** For each entry, where its key and where its value ends. */
  readonly #ends: Uint32Array;

  // The eviction queue's.
  isVisited = false;
  newer: Run | undefined = undefined;
  older: Run | undefined = undefined;

  constructor(
    from: Uint8Array,
    to: Uint8Array | undefined,
    entries: readonly KvEntry[],
    validFrom: number,
  ) {
    this.from = from;
    this.to = to;
    this.count = entries.length;
    this.validFrom = validFrom;
    this.#ends = new Uint32Array(2 * entries.length);
    this.#block = new Uint8Array(contentBytes(entries));
    let at = 0;
    for (let i = 0; i < entries.length; i++) {
      const { key, value } = entries[i]!;
      this.#block.set(key, at);
      at += key.length;
      this.#ends[2 * i] = at;
      this.#block.set(value, at);
      at += value.length;
      this.#ends[2 * i + 1] = at;
    }
    this.bytes = at + 8 * this.count + from.length + (to?.length ?? 0) + bookkeepingBytes;
  }

  contains(key: Uint8Array): boolean {
    return (
      compareBytes(key, this.from) >= 0 && (this.to === undefined || compareBytes(key, this.to) < 0)
    );
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const at = this.lowerBound(key);
    return at < this.count && this.#compareAt(at, key) === 0 ? this.#value(at) : undefined;
  }

  /** Index of the first entry not below `key`. */
  lowerBound(key: Uint8Array): number {
    let low = 0;
    for (let high = this.count; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.#compareAt(middle, key) >= 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  keyAt(index: number): Uint8Array {
    return this.#block.subarray(this.#start(index), this.#ends[2 * index]!);
  }

  entryAt(index: number, keysOnly: boolean): KvEntry {
    return { key: this.keyAt(index), value: keysOnly ? emptyBytes : this.#value(index) };
  }

  #value(index: number): Uint8Array {
    return this.#block.subarray(this.#ends[2 * index]!, this.#ends[2 * index + 1]!);
  }

  #start(index: number): number {
    return index === 0 ? 0 : this.#ends[2 * index - 1]!;
  }

  #compareAt(index: number, key: Uint8Array): number {
    const block = this.#block;
    const start = this.#start(index);
    const length = this.#ends[2 * index]! - start;
    const common = length < key.length ? length : key.length;
    for (let i = 0; i < common; i++) {
      const difference = block[start + i]! - key[i]!;
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }
}

export function contentBytes(entries: readonly KvEntry[]): number {
  let bytes = 0;
  for (const { key, value } of entries) bytes += key.length + value.length;
  return bytes;
}
