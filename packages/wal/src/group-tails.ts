import { assert } from '@themisdb/base';
import type { WalRecord } from './contract.ts';
import type { LogIndex } from './log-index.ts';

interface Tail {
  /** The first index a record may have: one below it would leave a gap or reach into what is gone. */
  first: number;
  /** The index that goes on; `first` again when the group holds nothing. */
  next: number;
}

/**
 * What each group will hold once all that waits is durable: what the indexes of an append are
 * checked against. A group not named here stands as the index says.
 */
export class GroupTails {
  readonly #index: LogIndex;
  #tails: Map<number, Tail> = new Map();
  #broken: Map<number, number> = new Map();

  constructor(index: LogIndex) {
    this.#index = index;
  }

  /**
   * Takes the records as waiting. False when one of them follows a record whose append failed. A gap,
   * or an index below what the group holds, is an error of the caller.
   */
  tryAppend(records: readonly WalRecord[]): boolean {
    const groups = new Set<number>();
    for (const { group, index } of this.#broken.size === 0 ? [] : records) {
      if (!groups.has(group) && index > (this.#broken.get(group) ?? Infinity)) return false;
      groups.add(group);
    }
    for (const group of groups) this.#broken.delete(group);
    for (const record of records) this.#appendOne(record);
    return true;
  }

  truncateBefore(group: number, index: number): void {
    const tail = this.#tail(group);
    if (tail === undefined) return;
    tail.first = Math.max(tail.first, index);
    if (tail.first >= tail.next) this.#tails.set(group, { first: 1, next: 1 });
  }

  /** All that waited failed: what is durable counts again. `records` are those that got lost. */
  failed(records: Iterable<{ readonly group: number; readonly index: number }>): void {
    this.#tails = new Map();
    for (const { group, index } of records) {
      this.#broken.set(group, Math.min(this.#broken.get(group) ?? Infinity, index));
    }
  }

  /** Nothing waits any more: what is durable says it all. */
  settled(): void {
    this.#tails = new Map();
  }

  #appendOne({ group, index }: WalRecord): void {
    const tail = this.#tail(group);
    if (tail === undefined) {
      this.#tails.set(group, { first: index, next: index + 1 });
      return;
    }
    assert(
      index >= tail.first && index <= tail.next,
      () => `append to group ${group} at ${index}, not from ${tail.first} to ${tail.next}`,
    );
    tail.next = index + 1;
  }

  /** Undefined when the group holds nothing. */
  #tail(group: number): Tail | undefined {
    let tail = this.#tails.get(group);
    if (tail === undefined) {
      const records = this.#index.group(group);
      if (records === undefined || records.isEmpty) return undefined;
      tail = { first: records.first, next: records.last + 1 };
      this.#tails.set(group, tail);
    }
    return tail.first === tail.next ? undefined : tail;
  }
}
