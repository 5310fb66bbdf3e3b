import type { KeyText } from '../keys.ts';

const chunkMax = 256;

interface Chunk<V> {
  readonly keys: KeyText[];
  readonly values: V[];
}

/** A map sorted by key text: chunks of sorted arrays. No chunk is empty. */
export class SortedTexts<V> {
  #chunks: Chunk<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: KeyText): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: KeyText, value: V): void {
    const chunks = this.#chunks;
    if (chunks.length === 0) {
      chunks.push({ keys: [key], values: [value] });
      this.#size = 1;
      return;
    }
    const c = Math.min(this.#chunkOf(key), chunks.length - 1);
    const { keys, values } = chunks[c]!;
    const at = lowerBound(keys, key);
    if (keys[at] === key) {
      values[at] = value;
      return;
    }
    keys.splice(at, 0, key);
    values.splice(at, 0, value);
    this.#size++;
    if (keys.length > chunkMax) this.#split(c);
  }

  delete(key: KeyText): void {
    const c = this.#chunkOf(key);
    const chunk = this.#chunks[c];
    if (chunk === undefined) return;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] !== key) return;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    this.#size--;
    if (chunk.keys.length === 0) this.#chunks.splice(c, 1);
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }

  /** Whether an entry of [gte, lt) satisfies `test`. */
  some(gte: KeyText, lt: KeyText | undefined, test: (value: V) => boolean): boolean {
    for (let c = this.#chunkOf(gte); c < this.#chunks.length; c++) {
      const { keys, values } = this.#chunks[c]!;
      for (let i = lowerBound(keys, gte); i < keys.length; i++) {
        if (lt !== undefined && keys[i]! >= lt) return false;
        if (test(values[i]!)) return true;
      }
    }
    return false;
  }

  /** Values of [gte, lt) in key order. */
  slice(gte: KeyText, lt: KeyText | undefined): V[] {
    const out: V[] = [];
    for (let c = this.#chunkOf(gte); c < this.#chunks.length; c++) {
      const { keys, values } = this.#chunks[c]!;
      for (let i = lowerBound(keys, gte); i < keys.length; i++) {
        if (lt !== undefined && keys[i]! >= lt) return out;
        out.push(values[i]!);
      }
    }
    return out;
  }

  /** The first chunk whose last key is not below `key`; one past the end when there is none. */
  #chunkOf(key: KeyText): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { keys } = this.#chunks[middle]!;
      if (keys[keys.length - 1]! >= key) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #split(c: number): void {
    const { keys, values } = this.#chunks[c]!;
    // Ascending inserts are common: then a full left half wastes no room.
    const keep = c === this.#chunks.length - 1 ? chunkMax - 16 : keys.length >> 1;
    const right = { keys: keys.splice(keep), values: values.splice(keep) };
    this.#chunks.splice(c + 1, 0, right);
  }
}

function lowerBound(keys: readonly KeyText[], key: KeyText): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! >= key) high = middle;
    else low = middle + 1;
  }
  return low;
}
