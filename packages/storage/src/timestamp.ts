import { setU64 } from './codec/integers.ts';
import type { Clock } from '@themisdb/base';
import type { Timestamp } from './contract/transaction.ts';

const counterBits = 16n;

/** The first timestamp of a millisecond. */
export function timestampOfMs(ms: number): Timestamp {
  return BigInt(Math.max(0, Math.floor(ms))) << counterBits;
}

export function msOfTimestamp(timestamp: Timestamp): number {
  return Number(timestamp >> counterBits);
}

/** Sixteen lower-case hexadecimal digits: `_rev` and ETag. */
export function formatTimestamp(timestamp: Timestamp): string {
  return timestamp.toString(16).padStart(16, '0');
}

/** Undefined unless `text` is what `formatTimestamp` writes. */
export function tryTimestamp(text: string): Timestamp | undefined {
  return /^[0-9a-f]{16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

export function timestampBytes(timestamp: bigint): Uint8Array {
  const out = new Uint8Array(8);
  setU64(out, 0, timestamp);
  return out;
}

/**
 * A hybrid logical clock (Kulkarni et al. 2014): follows the wall clock, never goes back, and counts
 * on where the wall clock stands still or jumps back. Timestamps it gave before a restart are told to
 * it with `observe`.
 */
export class HybridClock {
  readonly #clock: Clock;
  #last: Timestamp = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Greater than every timestamp given or observed so far. */
  next(): Timestamp {
    const wall = timestampOfMs(this.#clock.nowMs());
    this.#last = wall > this.#last ? wall : this.#last + 1n;
    return this.#last;
  }

  observe(timestamp: Timestamp): void {
    if (timestamp > this.#last) this.#last = timestamp;
  }

  /** What time it is: no timestamp given so far is greater. Does not advance. */
  now(): Timestamp {
    const wall = timestampOfMs(this.#clock.nowMs());
    return wall > this.#last ? wall : this.#last;
  }
}
