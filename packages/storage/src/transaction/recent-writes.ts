import type { KeyText } from '../keys.ts';
import { SortedTexts } from './sorted-texts.ts';

/** Keys [gte, lt), as texts. */
export interface TextRange {
  readonly gte: KeyText;
  readonly lt: KeyText;
}

/** A key written; its text may be made only when it is asked for. */
export interface Written {
  readonly text: KeyText;
  /** Of bulk writes: the keys, `text` being one of them. */
  readonly all?: WrittenKeys | undefined;
}

/** Many keys written at once, which need no map to be found in. */
export interface WrittenKeys {
  readonly count: number;
  /** May say yes for a key of the same entity that was not written. */
  has(text: KeyText): boolean;
  forEach(visit: (text: KeyText) => void): void;
}

interface Commit {
  readonly index: number;
  readonly count: number;
  readonly written: readonly Written[];
  readonly ranges: readonly TextRange[];
}

/**
 * Which keys commits wrote, with the log index of the last one, for as long as a transaction is open
 * that began before them. It answers the question of optimistic validation: did anyone write this key
 * or range after that log index?
 *
 * Commits are kept as lists; they go into the map by key when a key is asked for, and into the sorted
 * one when a range is asked for. So a bulk load that nobody runs beside pays for neither. When more
 * than `keysMax` keys are remembered the oldest commits are forgotten and transactions that began
 * before them cannot commit any more.
 */
export class RecentWrites {
  readonly #keysMax: number;
  /** Oldest first, from `#head` on. */
  #commits: Commit[] = [];
  #head = 0;
  #size = 0;
  readonly #latest = new Map<KeyText, number>();
  readonly #sorted = new SortedTexts<number>();
  /** Commits before these positions of `#commits` are in `#latest` and `#sorted`. */
  #mappedUpTo = 0;
  #sortedUpTo = 0;
  /** Those of `#commits` with `WrittenKeys`, which are not in `#latest`; few. */
  #withKeys: Commit[] = [];
  /** Those of `#commits` that wrote whole ranges; few. */
  #withRanges: Commit[] = [];
  #floor = 0;

  constructor(keysMax = 2_000_000) {
    this.#keysMax = keysMax;
  }

  /** Keys remembered, the same key counted once per commit. */
  get size(): number {
    return this.#size;
  }

  /** Index of the last commit remembered; 0 when there is none. */
  get lastIndex(): number {
    return this.#commits[this.#commits.length - 1]?.index ?? 0;
  }

  record(index: number, written: readonly Written[], ranges: readonly TextRange[]): void {
    const count = countOf(written);
    const commit = { index, count, written, ranges };
    this.#commits.push(commit);
    this.#size += count;
    if (ranges.length > 0) this.#withRanges.push(commit);
    if (count > written.length) this.#withKeys.push(commit);
    while (this.#size > this.#keysMax && this.#commits.length - this.#head > 1) {
      this.forget(this.#commits[this.#head]!.index);
    }
  }

  /** Takes back the commits from `index` on: they did not reach the log. */
  undo(index: number): void {
    this.#commits = this.#commits.slice(this.#head).filter((commit) => commit.index < index);
    this.#head = this.#mappedUpTo = this.#sortedUpTo = 0;
    this.#size = this.#commits.reduce((sum, { count }) => sum + count, 0);
    this.#latest.clear();
    this.#sorted.clear();
    this.#withRanges = this.#withRanges.filter((commit) => commit.index < index);
    this.#withKeys = this.#withKeys.filter((commit) => commit.index < index);
  }

  /** The state at `index` came from elsewhere: what led to it is not known here. */
  restart(index: number): void {
    this.undo(0);
    this.#floor = Math.max(this.#floor, index);
  }

  /** No transaction that began before `index` will validate any more. */
  forget(index: number): void {
    while (this.#head < this.#commits.length && this.#commits[this.#head]!.index <= index) {
      this.#drop(this.#commits[this.#head]!);
      this.#head++;
    }
    if (this.#head === this.#commits.length) {
      this.#commits = [];
      this.#head = this.#mappedUpTo = this.#sortedUpTo = 0;
    } else if (this.#head > 1024) {
      this.#commits.splice(0, this.#head);
      this.#mappedUpTo = Math.max(0, this.#mappedUpTo - this.#head);
      this.#sortedUpTo = Math.max(0, this.#sortedUpTo - this.#head);
      this.#head = 0;
    }
    if (this.#withRanges.length > 0)
      this.#withRanges = this.#withRanges.filter((commit) => commit.index > index);
    if (this.#withKeys.length > 0)
      this.#withKeys = this.#withKeys.filter((commit) => commit.index > index);
    if (index > this.#floor) this.#floor = index;
  }

  /** Whether what `index` saw is older than anything remembered: nothing can be said then. */
  isForgotten(index: number): boolean {
    return index < this.#floor;
  }

  changedSince(key: KeyText, index: number): boolean {
    if (index >= this.lastIndex) return false;
    this.#map();
    const latest = this.#latest.get(key);
    if (latest !== undefined && latest > index) return true;
    if (this.#withKeys.some((commit) => commit.index > index && hasKey(commit, key))) return true;
    return this.#someRange(index, ({ gte, lt }) => key >= gte && key < lt);
  }

  rangeChangedSince(range: TextRange, index: number): boolean {
    if (index >= this.lastIndex) return false;
    this.#sort();
    if (this.#sorted.some(range.gte, range.lt, (latest) => latest > index)) return true;
    return this.#someRange(index, ({ gte, lt }) => range.gte < lt && gte < range.lt);
  }

  #someRange(index: number, test: (range: TextRange) => boolean): boolean {
    return this.#withRanges.some((commit) => commit.index > index && commit.ranges.some(test));
  }

  #map(): void {
    for (let i = Math.max(this.#mappedUpTo, this.#head); i < this.#commits.length; i++) {
      const { written, index } = this.#commits[i]!;
      for (const { text, all } of written) if (all === undefined) this.#latest.set(text, index);
    }
    this.#mappedUpTo = this.#commits.length;
  }

  #sort(): void {
    for (let i = Math.max(this.#sortedUpTo, this.#head); i < this.#commits.length; i++) {
      const { written, index } = this.#commits[i]!;
      forEachText(written, (text) => this.#sorted.set(text, index));
    }
    this.#sortedUpTo = this.#commits.length;
  }

  #drop({ index, count, written }: Commit): void {
    this.#size -= count;
    if (this.#head < this.#mappedUpTo) {
      for (const { text, all } of written)
        if (all === undefined && this.#latest.get(text) === index) this.#latest.delete(text);
    }
    if (this.#head < this.#sortedUpTo)
      forEachText(written, (text) => {
        if (this.#sorted.get(text) === index) this.#sorted.delete(text);
      });
  }
}

function countOf(written: readonly Written[]): number {
  let count = written.length;
  for (const { all } of written) if (all !== undefined) count += all.count - 1;
  return count;
}

function hasKey({ written }: Commit, key: KeyText): boolean {
  return written.some(({ all }) => all?.has(key) === true);
}

function forEachText(written: readonly Written[], visit: (text: KeyText) => void): void {
  for (const each of written) {
    if (each.all === undefined) visit(each.text);
    else each.all.forEach(visit);
  }
}
