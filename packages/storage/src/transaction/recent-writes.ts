import type { KeyText } from '../keys.ts';
import { SortedTexts } from './sorted-texts.ts';

/** Keys [gte, lt), as texts. */
export interface TextRange {
  readonly gte: KeyText;
  readonly lt: KeyText;
}

interface Commit {
  readonly index: number;
  readonly keys: readonly KeyText[];
  readonly ranges: readonly TextRange[];
}

/**
 * Which keys commits wrote, with the log index of the last one, for as long as a transaction is open
 * that began before them. It answers the question of optimistic validation: did anyone write this key
 * or range after that log index?
 *
 * Keys go into a map at once, into the sorted structure only when a range is asked for: loads that
 * never read ranges do not pay for sorting. When more than `keysMax` keys are remembered the oldest
 * commits are forgotten and transactions that began before them cannot commit any more.
 */
export class RecentWrites {
  readonly #keysMax: number;
  readonly #latest = new Map<KeyText, number>();
  readonly #sorted = new SortedTexts<number>();
  /** Oldest first, from `#head` on. */
  #commits: Commit[] = [];
  #head = 0;
  /** Commits before this position of `#commits` are in `#sorted`. */
  #sortedUpTo = 0;
  /** Those of `#commits` that wrote whole ranges; few. */
  #withRanges: Commit[] = [];
  #floor = 0;

  constructor(keysMax = 2_000_000) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#latest.size;
  }

  record(index: number, keys: readonly KeyText[], ranges: readonly TextRange[]): void {
    const commit = { index, keys, ranges };
    this.#commits.push(commit);
    if (ranges.length > 0) this.#withRanges.push(commit);
    for (const key of keys) this.#latest.set(key, index);
    while (this.#latest.size > this.#keysMax && this.#commits.length - this.#head > 1) {
      this.forget(this.#commits[this.#head]!.index);
    }
  }

  /** Takes back the commits from `index` on: they did not reach the log. */
  undo(index: number): void {
    const kept = this.#commits.slice(this.#head).filter((commit) => commit.index < index);
    this.#latest.clear();
    this.#sorted.clear();
    this.#commits = kept;
    this.#head = 0;
    this.#sortedUpTo = 0;
    this.#withRanges = this.#withRanges.filter((commit) => commit.index < index);
    for (const commit of kept) for (const key of commit.keys) this.#latest.set(key, commit.index);
  }

  /** No transaction that began before `index` will validate any more. */
  forget(index: number): void {
    while (this.#head < this.#commits.length && this.#commits[this.#head]!.index <= index) {
      this.#drop(this.#commits[this.#head]!, this.#head < this.#sortedUpTo);
      this.#head++;
    }
    if (this.#head === this.#commits.length) {
      this.#commits = [];
      this.#head = this.#sortedUpTo = 0;
    } else if (this.#head > 1024) {
      this.#commits.splice(0, this.#head);
      this.#sortedUpTo = Math.max(0, this.#sortedUpTo - this.#head);
      this.#head = 0;
    }
    if (this.#withRanges.length > 0)
      this.#withRanges = this.#withRanges.filter((commit) => commit.index > index);
    if (index > this.#floor) this.#floor = index;
  }

  /** Whether what `index` saw is older than anything remembered: nothing can be said then. */
  isForgotten(index: number): boolean {
    return index < this.#floor;
  }

  changedSince(key: KeyText, index: number): boolean {
    const latest = this.#latest.get(key);
    if (latest !== undefined && latest > index) return true;
    return this.#someRange(index, ({ gte, lt }) => key >= gte && key < lt);
  }

  rangeChangedSince(range: TextRange, index: number): boolean {
    this.#sortAll();
    if (this.#sorted.some(range.gte, range.lt, (latest) => latest > index)) return true;
    return this.#someRange(index, ({ gte, lt }) => range.gte < lt && gte < range.lt);
  }

  #someRange(index: number, test: (range: TextRange) => boolean): boolean {
    return this.#withRanges.some((commit) => commit.index > index && commit.ranges.some(test));
  }

  #sortAll(): void {
    const from = Math.max(this.#sortedUpTo, this.#head);
    for (let i = from; i < this.#commits.length; i++) {
      const { keys, index } = this.#commits[i]!;
      for (const key of keys) this.#sorted.set(key, index);
    }
    this.#sortedUpTo = this.#commits.length;
  }

  #drop(commit: Commit, isSorted: boolean): void {
    for (const key of commit.keys) {
      if (this.#latest.get(key) !== commit.index) continue;
      this.#latest.delete(key);
      if (isSorted) this.#sorted.delete(key);
    }
  }
}
