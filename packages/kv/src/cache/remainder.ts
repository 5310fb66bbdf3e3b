import { compareBytes } from '@themisdb/base';
import type { KvEntry, KvRange, KvSnapshot } from '../engine.ts';
import type { Run } from './run.ts';

/** A state to read: the live one, or a snapshot of the engine below. */
export interface View {
  readonly snapshot: KvSnapshot | undefined;
  /** Number of the last write surely contained. */
  readonly since: number;
}

/** Where the cache finds runs that hold in the view being read. */
export interface RunSource {
  covering(key: Uint8Array): Run | undefined;
  coveringBelow(bound: Uint8Array | undefined): Run | undefined;
}

/** What of a range is still to be scanned. */
export class Remainder {
  lo: Uint8Array;
  hi: Uint8Array | undefined;
  left: number;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  #isFinished = false;

  constructor(
    range: KvRange,
    options: { readonly limit: number; readonly reverse: boolean; readonly keysOnly: boolean },
  ) {
    this.lo = range.gte ?? new Uint8Array(0);
    this.hi = range.lt;
    this.left = options.limit;
    this.reverse = options.reverse;
    this.keysOnly = options.keysOnly;
  }

  get isDone(): boolean {
    if (this.#isFinished || this.left <= 0) return true;
    return this.hi !== undefined && compareBytes(this.lo, this.hi) >= 0;
  }

  /** Nothing is left. */
  finish(): void {
    this.#isFinished = true;
  }

  /** Up to `count` entries from runs without a gap; fewer where the cache knows no further. */
  take(runs: RunSource, count: number): KvEntry[] {
    const out: KvEntry[] = [];
    const most = Math.min(count, this.left);
    while (out.length < most && !this.isDone) {
      const run = this.reverse ? runs.coveringBelow(this.hi) : runs.covering(this.lo);
      if (run === undefined) break;
      if (this.reverse) this.#takeDown(run, most, out);
      else this.#takeUp(run, most, out);
    }
    this.left -= out.length;
    return out;
  }

  #takeUp(run: Run, most: number, out: KvEntry[]): void {
    const isLastRun =
      run.to === undefined || (this.hi !== undefined && compareBytes(run.to, this.hi) >= 0);
    const first = run.lowerBound(this.lo);
    const end = isLastRun && this.hi !== undefined ? run.lowerBound(this.hi) : run.count;
    const stop = Math.min(end, first + most - out.length);
    for (let i = first; i < stop; i++) out.push(run.entryAt(i, this.keysOnly));
    if (stop < end) this.lo = run.keyAt(stop);
    else if (isLastRun) this.finish();
    else this.lo = run.to!;
  }

  #takeDown(run: Run, most: number, out: KvEntry[]): void {
    const isLastRun = compareBytes(run.from, this.lo) <= 0;
    const end = this.hi === undefined ? run.count : run.lowerBound(this.hi);
    const first = isLastRun ? run.lowerBound(this.lo) : 0;
    const stop = Math.max(first, end - (most - out.length));
    for (let i = end - 1; i >= stop; i--) out.push(run.entryAt(i, this.keysOnly));
    if (stop > first) this.hi = run.keyAt(stop);
    else if (isLastRun) this.finish();
    else this.hi = run.from;
  }
}
