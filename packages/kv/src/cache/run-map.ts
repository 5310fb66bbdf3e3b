import { compareBytes } from '@themisdb/base';
import { SortedMap } from '../sorted-map.ts';
import type { Run } from './run.ts';

/**
 * The runs in the cache, which never overlap, by key. When they outgrow `bytesMax`, the oldest not
 * asked for since the last look go first (SIEVE, Zhang et al., NSDI 2024): cheap, and one large scan
 * does not push out what is in use.
 */
export class RunMap {
  readonly #bytesMax: number;
  readonly #runs = new SortedMap<Run>();
  #bytes = 0;
  #newest: Run | undefined;
  #oldest: Run | undefined;
  #hand: Run | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#newest === undefined;
  }

  /** The run that knows about `key`. */
  covering(key: Uint8Array): Run | undefined {
    const run = this.#runs.floor(key);
    if (run === undefined || !run.contains(key)) return undefined;
    run.isVisited = true;
    return run;
  }

  /** The run that knows what is directly below `bound`, or at the end of the key space. */
  coveringBelow(bound: Uint8Array | undefined): Run | undefined {
    const run = this.#runs.below(bound);
    if (run === undefined) return undefined;
    const reaches =
      run.to === undefined || (bound !== undefined && compareBytes(run.to, bound) >= 0);
    if (!reaches) return undefined;
    run.isVisited = true;
    return run;
  }

  /** Some runs in [gte, lt) by key, those nearest to `gte` (or to `lt` when `reverse`). */
  near(
    gte: Uint8Array | undefined,
    lt: Uint8Array | undefined,
    count: number,
    reverse: boolean,
  ): Run[] {
    return this.#runs.read(gte, lt, count, reverse).map(({ value }) => value);
  }

  /** Takes the place of whatever it overlaps. */
  add(run: Run): void {
    if (run.bytes > this.#bytesMax / 4) return;
    this.dropRange(run.from, run.to);
    this.#runs.put(run.from, run);
    this.#bytes += run.bytes;
    run.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = run;
    this.#newest = run;
    this.#oldest ??= run;
    while (this.#bytes > this.#bytesMax) this.#evict();
  }

  dropKey(key: Uint8Array): void {
    const run = this.#runs.floor(key);
    if (run?.contains(key)) this.#remove(run);
  }

  /** Drops every run that overlaps [gte, lt). */
  dropRange(gte: Uint8Array, lt: Uint8Array | undefined): void {
    if (this.isEmpty) return;
    this.dropKey(gte);
    for (const { value } of this.#runs.read(gte, lt, Infinity, false)) this.#remove(value);
  }

  clear(): void {
    while (this.#oldest !== undefined) this.#remove(this.#oldest);
  }

  #evict(): void {
    let run = this.#hand ?? this.#oldest!;
    while (run.isVisited) {
      run.isVisited = false;
      run = run.newer ?? this.#oldest!;
    }
    this.#hand = run;
    this.#remove(run);
  }

  #remove(run: Run): void {
    if (this.#hand === run) this.#hand = run.newer;
    if (run.newer === undefined) this.#newest = run.older;
    else run.newer.older = run.older;
    if (run.older === undefined) this.#oldest = run.newer;
    else run.older.newer = run.newer;
    this.#runs.delete(run.from);
    this.#bytes -= run.bytes;
  }
}
