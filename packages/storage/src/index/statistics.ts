import { crc32c } from '@themisdb/base';
import { indexPrefixBytes, ownerBytes } from './entries.ts';
import type { IndexInfo, IndexStatistics } from '../contract/catalog.ts';

/**
 * Entries and distinct keys of every index, kept in memory and saved at checkpoints; estimates, this
 * node's own, never part of replicated state.
 *
 * Distinct keys are counted by HyperLogLog (Flajolet et al. 2007) with 1,024 registers, standard error
 * 3 %. Registers never go down, so the ratio is taken over all entries ever added: right as long as
 * removed entries repeated as much as those that stayed.
 */
export class IndexStatisticsBook {
  readonly #sketches = new Map<number, Sketch>();

  /** A commit put (1), replaced (0) or removed (-1) an entry. */
  note(indexId: number, key: Uint8Array, isUnique: boolean, change: number): void {
    if (change === 0) return;
    const sketch = this.#sketch(indexId);
    if (change < 0) {
      sketch.entries = Math.max(0, sketch.entries - 1);
      return;
    }
    sketch.entries++;
    sketch.added++;
    if (!isUnique) sketch.add(hashOf(key, indexPrefixBytes, key.length - ownerBytes));
  }

  /** A commit put the entry with the key `bytes[start, end)` of an index that is not unique. */
  notePut(indexId: number, bytes: Uint8Array, start: number, end: number): void {
    const sketch = this.#sketch(indexId);
    sketch.entries++;
    sketch.added++;
    sketch.add(hashOf(bytes, start + indexPrefixBytes, end - ownerBytes));
  }

  drop(indexId: number): void {
    this.#sketches.delete(indexId);
  }

  of(index: IndexInfo): IndexStatistics {
    const sketch = this.#sketches.get(index.id);
    if (sketch === undefined) return { entries: 0, selectivity: 1 };
    return {
      entries: sketch.entries,
      selectivity: index.unique ? 1 : Math.min(1, sketch.distinct() / Math.max(1, sketch.added)),
    };
  }

  ids(): readonly number[] {
    return [...this.#sketches.keys()];
  }

  save(indexId: number): Uint8Array {
    return this.#sketch(indexId).encode();
  }

  /** Ignores what fails its checksum: estimates grow again. */
  load(indexId: number, bytes: Uint8Array): void {
    const sketch = Sketch.tryDecode(bytes);
    if (sketch !== undefined) this.#sketches.set(indexId, sketch);
  }

  replace(by: IndexStatisticsBook): void {
    this.#sketches.clear();
    for (const [id, sketch] of by.#sketches) this.#sketches.set(id, sketch);
  }

  #sketch(indexId: number): Sketch {
    let sketch = this.#sketches.get(indexId);
    if (sketch === undefined) this.#sketches.set(indexId, (sketch = new Sketch()));
    return sketch;
  }
}

const registerBits = 10;
const registerCount: number = 1 << registerBits;
const savedBytes: number = 4 + 8 + 8 + registerCount;

/** Saved as `[crc32c u32][entries f64][added f64][registers]`. */
class Sketch {
  entries = 0;
  added = 0;
  readonly #registers: Uint8Array;

  constructor(registers: Uint8Array = new Uint8Array(registerCount)) {
    this.#registers = registers;
  }

  add(hash: number): void {
    const register = hash >>> (32 - registerBits);
    const rank = Math.clz32((hash << registerBits) | (1 << (registerBits - 1))) + 1;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
  }

  distinct(): number {
    let sum = 0;
    let empty = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty++;
    }
    const m = registerCount;
    const raw = ((0.7213 / (1 + 1.079 / m)) * m * m) / sum;
    return raw <= 2.5 * m && empty > 0 ? m * Math.log(m / empty) : raw;
  }

  encode(): Uint8Array {
    const out = new Uint8Array(savedBytes);
    const view = new DataView(out.buffer);
    view.setFloat64(4, this.entries);
    view.setFloat64(12, this.added);
    out.set(this.#registers, 20);
    view.setUint32(0, crc32c(out, 4));
    return out;
  }

  static tryDecode(bytes: Uint8Array): Sketch | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length !== savedBytes || view.getUint32(0) !== crc32c(bytes, 4)) return undefined;
    const sketch = new Sketch(bytes.slice(20));
    sketch.entries = view.getFloat64(4);
    sketch.added = view.getFloat64(12);
    return sketch;
  }
}

/** FNV-1a over the bytes, then the finaliser of MurmurHash3 (public domain) to spread the bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
