import type { Run } from './operator.ts';

export type Order<T> = (a: T, b: T) => number;

/** Items sorted at once: about a millisecond's work. */
const runLength = 4096;

/**
 * Sorts by runs and merges them, giving others a turn in between: sorting a million items at once
 * would keep the loop for seconds. Stable.
 */
export class MergeSorter<T> {
  readonly #order: Order<T>;
  #runs: T[][] = [];
  #current: T[] = [];
  #length = 0;

  constructor(order: Order<T>) {
    this.#order = order;
  }

  get length(): number {
    return this.#length;
  }

  add(item: T): void {
    this.#length++;
    this.#current.push(item);
    if (this.#current.length >= runLength) this.#closeRun();
  }

  /** All items in order. The sorter is empty afterwards. */
  async finish(run: Run): Promise<T[]> {
    if (this.#current.length > 0) this.#closeRun();
    while (this.#runs.length > 1) {
      const merged: T[][] = [];
      for (let i = 0; i < this.#runs.length; i += 2) {
        const [left, right] = [this.#runs[i]!, this.#runs[i + 1]];
        merged.push(right === undefined ? left : await this.#merge(left, right, run));
      }
      this.#runs = merged;
    }
    const [sorted] = this.#runs;
    this.#runs = [];
    this.#length = 0;
    return sorted ?? [];
  }

  #closeRun(): void {
    this.#runs.push(this.#current.sort(this.#order));
    this.#current = [];
  }

  async #merge(left: readonly T[], right: readonly T[], run: Run): Promise<T[]> {
    const order = this.#order;
    const out: T[] = [];
    let l = 0;
    let r = 0;
    while (l < left.length && r < right.length) {
      // Of equal items the one that came first goes first.
      out.push(order(left[l]!, right[r]!) <= 0 ? left[l++]! : right[r++]!);
      if ((out.length & (runLength - 1)) === 0 && run.checkpoint()) await run.pause();
    }
    while (l < left.length) out.push(left[l++]!);
    while (r < right.length) out.push(right[r++]!);
    return out;
  }
}
