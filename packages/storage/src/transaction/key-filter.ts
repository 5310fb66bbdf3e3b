import { ownerOf, spaceOf } from '../keys.ts';

const firstCapacity = 1 << 14;
const growth = 4;
/** Bits a key; with four of them set, in one block of 256, one or two in a hundred absent keys look present. */
const bitsPerKey = 12;
const blockWords = 8;

/**
 * A Bloom filter (Bloom 1970; blocked after Putze et al. 2007) that grows by layers: says for certain
 * that a key was never added.
 */
export class KeyFilter {
  readonly #layers: { readonly words: Uint32Array; left: number }[] = [];
  #bytes = 0;

  /** Memory taken. */
  get bytes(): number {
    return this.#bytes;
  }

  add(key: Uint8Array): void {
    this.addAt(key, 0, key.length);
  }

  /** The key at `bytes[start, end)`. */
  addAt(bytes: Uint8Array, start: number, end: number): void {
    const hash = hashOf(bytes, start, end);
    let layer = this.#layers[this.#layers.length - 1];
    if (layer === undefined || layer.left === 0) this.#layers.push((layer = this.#grow()));
    layer.left--;
    const { words } = layer;
    const block = blockOf(hash, words.length);
    let bits = mix(hash ^ 0x9e3779b9);
    for (let i = 0; i < 4; i++, bits >>>= 8) words[block + (bits & 7)]! |= 1 << ((bits >>> 3) & 31);
  }

  mayHave(key: Uint8Array): boolean {
    return this.mayHaveAt(key, 0, key.length);
  }

  mayHaveAt(bytes: Uint8Array, start: number, end: number): boolean {
    const hash = hashOf(bytes, start, end);
    const bits = mix(hash ^ 0x9e3779b9);
    for (let i = 0; i < this.#layers.length; i++)
      if (hasBits(this.#layers[i]!.words, hash, bits)) return true;
    return false;
  }

  #grow(): { readonly words: Uint32Array; left: number } {
    const capacity = firstCapacity * growth ** this.#layers.length;
    const words = new Uint32Array(Math.ceil((capacity * bitsPerKey) / 256) * blockWords);
    this.#bytes += words.byteLength;
    return { words, left: capacity };
  }
}

function hasBits(words: Uint32Array, hash: number, all: number): boolean {
  const block = blockOf(hash, words.length);
  let bits = all;
  for (let i = 0; i < 4; i++, bits >>>= 8)
    if ((words[block + (bits & 7)]! & (1 << ((bits >>> 3) & 31))) === 0) return false;
  return true;
}

function blockOf(hash: number, words: number): number {
  const blocks = words / blockWords;
  return Math.floor((hash / 0x1_0000_0000) * blocks) * blockWords;
}

/** FNV-1a over what tells keys of one owner apart, then a finaliser. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start + 9; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mix(hash);
}

/** The finaliser of MurmurHash3 (public domain). */
function mix(value: number): number {
  let hash = value;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const bytesMaxDefault: number = 64 * 1024 * 1024;

/**
 * Filters for collections and unique indexes that were empty at some time since the store was opened.
 * Every key of theirs was added here before it could be seen anywhere, and none is ever taken out: a
 * key the filter does not know is in no snapshot, and needs not be looked up. That is what bulk imports
 * into new collections spend most reads on.
 */
export class PresenceBook {
  readonly #filters = new Map<number, KeyFilter>();
  readonly #bytesMax: number;

  constructor(bytesMax: number = bytesMaxDefault) {
    this.#bytesMax = bytesMax;
  }

  /** There is nothing in this collection or index yet: from here on every key must be added. */
  start(of: number, id: number): void {
    this.#filters.set(nameOf(of, id), new KeyFilter());
  }

  drop(of: number, id: number): void {
    this.#filters.delete(nameOf(of, id));
  }

  /** The filter that knows all keys of this collection or index; call `shrink` after adding to it. */
  filterOf(of: number, id: number): KeyFilter | undefined {
    return this.#filters.get(nameOf(of, id));
  }

  /** Gives up a filter that has grown too large. */
  shrink(of: number, id: number): void {
    const filter = this.filterOf(of, id);
    if (filter !== undefined && filter.bytes > this.#bytesMax) this.drop(of, id);
  }

  /** Nothing is known to be empty any more. */
  clear(): void {
    this.#filters.clear();
  }

  add(key: Uint8Array): void {
    const name = nameOf(spaceOf(key), ownerOf(key));
    const filter = this.#filters.get(name);
    if (filter === undefined) return;
    filter.add(key);
    if (filter.bytes > this.#bytesMax) this.#filters.delete(name);
  }

  /** True: no snapshot has this key. False: it must be looked up. */
  isSurelyAbsent(key: Uint8Array): boolean {
    const filter = this.#filters.get(nameOf(spaceOf(key), ownerOf(key)));
    return filter !== undefined && !filter.mayHave(key);
  }
}

function nameOf(of: number, id: number): number {
  return id * 256 + of;
}
