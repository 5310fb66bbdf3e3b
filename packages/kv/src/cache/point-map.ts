import { compareBytes, equalBytes } from '@themisdb/base';

export interface Point {
  readonly key: Uint8Array;
  /** Undefined: known to be absent. */
  readonly value: Uint8Array | undefined;
  /** As a run's. */
  readonly validFrom: number;
  readonly bytes: number;
}

interface Dropped {
  readonly number: number;
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

const bookkeepingBytes = 250;
const pointBytesExpected = 400;
const droppedMax = 32;

/**
 * Single keys by hash: a table with two places for each key and no order, so that looking, entering
 * and replacing cost next to nothing where keys are read at random from data larger than the cache.
 * A key takes the place of another one only at its second miss in that place.
 */
export class PointMap {
  readonly #bytesMax: number;
  readonly #mask: number;
  readonly #points: (Point | undefined)[];
  /** Of the keys in `#points`, so that most others are told apart without a look at them. */
  readonly #hashes: Uint32Array;
  readonly #wasUsed: Uint8Array;
  /** Hash of the last key that missed in each pair of places. */
  readonly #missed: Uint32Array;
  /** Ranges deleted since; what they hold is swept out when the list is full. */
  #dropped: Dropped[] = [];
  #bytes = 0;
  #hand = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    const places = 2 ** Math.max(1, Math.floor(Math.log2(bytesMax / pointBytesExpected)));
    this.#mask = places - 1;
    this.#points = Array.from({ length: places }, () => undefined);
    this.#hashes = new Uint32Array(places);
    this.#wasUsed = new Uint8Array(places);
    this.#missed = new Uint32Array(places / 2);
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: Uint8Array, hash: number): Point | undefined {
    const place = this.#placeOf(key, hash);
    if (place < 0) return undefined;
    const point = this.#points[place]!;
    if (this.#dropped.length > 0 && this.#isDropped(point)) {
      this.#clearPlace(place);
      return undefined;
    }
    this.#wasUsed[place] = 1;
    return point;
  }

  /** Whether a key that just missed should enter now. */
  isWanted(hash: number): boolean {
    const pair = (hash & this.#mask) >>> 1;
    const isSecond = this.#missed[pair] === hash;
    this.#missed[pair] = hash;
    return isSecond;
  }

  add(key: Uint8Array, hash: number, value: Uint8Array | undefined, validFrom: number): void {
    const bytes = key.length + (value?.length ?? 0) + bookkeepingBytes;
    if (bytes > this.#bytesMax / 16) return;
    let place = this.#placeOf(key, hash);
    if (place < 0) place = this.#victim(hash & this.#mask);
    this.#clearPlace(place);
    // A copy: what comes from a native engine is costly to keep.
    this.#points[place] = { key, value: value?.slice(), validFrom, bytes };
    this.#hashes[place] = hash;
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) this.#clearPlace(this.#hand++ & this.#mask);
  }

  drop(key: Uint8Array, hash: number): void {
    const place = this.#placeOf(key, hash);
    if (place >= 0) this.#clearPlace(place);
  }

  /** `number` is the deleting write's: what is valid from there on stays. */
  dropRange(gte: Uint8Array, lt: Uint8Array, number: number): void {
    this.#dropped.push({ number, gte, lt });
    if (this.#dropped.length < droppedMax) return;
    for (let place = 0; place <= this.#mask; place++) {
      const point = this.#points[place];
      if (point !== undefined && this.#isDropped(point)) this.#clearPlace(place);
    }
    this.#dropped = [];
  }

  clear(): void {
    for (let place = 0; place <= this.#mask; place++) this.#clearPlace(place);
  }

  #placeOf(key: Uint8Array, hash: number): number {
    const place = hash & this.#mask;
    if (this.#holds(place, key, hash)) return place;
    return this.#holds(place ^ 1, key, hash) ? place ^ 1 : -1;
  }

  #holds(place: number, key: Uint8Array, hash: number): boolean {
    if (this.#hashes[place] !== hash) return false;
    const point = this.#points[place];
    return point !== undefined && equalBytes(point.key, key);
  }

  /** The place of the pair that was not used since the last time somebody looked for one. */
  #victim(place: number): number {
    const other = place ^ 1;
    if (this.#points[place] === undefined || this.#wasUsed[place] === 0) return place;
    this.#wasUsed[place] = 0;
    if (this.#points[other] === undefined || this.#wasUsed[other] === 0) return other;
    this.#wasUsed[other] = 0;
    return place;
  }

  #clearPlace(place: number): void {
    this.#bytes -= this.#points[place]?.bytes ?? 0;
    this.#points[place] = undefined;
    this.#wasUsed[place] = 0;
  }

  #isDropped({ key, validFrom }: Point): boolean {
    return this.#dropped.some(
      ({ number, gte, lt }) =>
        number > validFrom && compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0,
    );
  }
}

/** FNV-1a with a last mix, 32 bits. */
export function hashKey(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
