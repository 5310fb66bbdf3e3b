import type { KvEntry } from '../engine.ts';
import { contentBytes } from './run.ts';

/** Bytes of content in a run: what one write throws out of the cache. */
const runBytes = 16_384;

/** Tells the cache that [from, to) holds exactly `entries`, which ascend. */
export type Admit = (
  from: Uint8Array,
  to: Uint8Array | undefined,
  entries: readonly KvEntry[],
) => void;

/**
 * Turns the batches of a scan of [lo, hi) into runs without a gap between them. Holds back the latest
 * batch, since only the next one, or the end, tells how far what it knows reaches. Gives no more than
 * `bytesMax`: the next scan of the same range then finds its first part, where a cache filled in
 * rotation would have lost it.
 */
export class ScanFiller {
  readonly #reverse: boolean;
  readonly #admit: Admit;
  readonly #bytesMax: number;
  /** The far end of what is not admitted yet. */
  readonly #end: Uint8Array | undefined;
  #begin: Uint8Array | undefined;
  #held: readonly KvEntry[] = [];
  #bytes = 0;

  constructor(
    lo: Uint8Array,
    hi: Uint8Array | undefined,
    options: { readonly reverse: boolean; readonly bytesMax: number; readonly admit: Admit },
  ) {
    this.#reverse = options.reverse;
    this.#admit = options.admit;
    this.#bytesMax = options.bytesMax;
    this.#begin = options.reverse ? hi : lo;
    this.#end = options.reverse ? lo : hi;
  }

  add(batch: readonly KvEntry[]): void {
    this.#release(batch[0]!.key);
    this.#held = batch;
  }

  /** The scan saw everything there is. */
  finish(): void {
    this.#flush(this.#end);
  }

  /** The scan stopped behind the last entry it gave. */
  stop(): void {
    const last = this.#held.at(-1)?.key;
    if (last !== undefined) this.#flush(this.#reverse ? last : successor(last));
  }

  /** Up to the next batch, which begins with `key`. */
  #release(key: Uint8Array): void {
    if (this.#held.length > 0) this.#flush(this.#reverse ? successor(key) : key);
  }

  #flush(edge: Uint8Array | undefined): void {
    const begin = this.#begin;
    const entries = this.#held;
    this.#begin = edge;
    this.#held = [];
    if (this.#reverse) this.#admitPieces(edge!, begin, [...entries].reverse());
    else this.#admitPieces(begin!, edge, entries);
  }

  #admitPieces(from: Uint8Array, to: Uint8Array | undefined, entries: readonly KvEntry[]): void {
    let first = 0;
    let bytes = 0;
    for (let i = 0; i < entries.length; i++) {
      const { key, value } = entries[i]!;
      if (bytes > 0 && bytes + key.length + value.length > runBytes) {
        this.#admitPiece(from, key, entries.slice(first, i));
        from = key;
        first = i;
        bytes = 0;
      }
      bytes += key.length + value.length;
    }
    this.#admitPiece(from, to, entries.slice(first));
  }

  #admitPiece(from: Uint8Array, to: Uint8Array | undefined, entries: readonly KvEntry[]): void {
    this.#bytes += contentBytes(entries);
    if (this.#bytes <= this.#bytesMax) this.#admit(from, to, entries);
  }
}

/** The smallest key above `key`. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
