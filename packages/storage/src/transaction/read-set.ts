import type { KeyText } from '../keys.ts';
import type { RecentWrites, TextRange } from './recent-writes.ts';

/** Past so many single keys a transaction's reads are remembered as one range from first to last. */
const keysMax = 200_000;
/** Past so many ranges, adjoining ones are merged, and if that does not help, all of them. */
const rangesMax = 50_000;

/** What a serializable transaction read: keys, and ranges as far as they were looked at. */
export class ReadSet {
  #keys = new Set<KeyText>();
  #ranges: TextRange[] = [];
  readonly #open = new Set<OpenRange>();

  addKey(key: KeyText): void {
    this.#keys.add(key);
    if (this.#keys.size <= keysMax) return;
    const sorted = [...this.#keys].sort();
    this.#keys = new Set();
    this.addRange({ gte: sorted[0]!, lt: after(sorted[sorted.length - 1]!) });
  }

  addRange(range: TextRange): void {
    if (range.gte >= range.lt) return;
    const last = this.#ranges[this.#ranges.length - 1];
    if (last !== undefined && last.gte === range.gte && last.lt === range.lt) return;
    this.#ranges.push({ gte: range.gte, lt: range.lt });
    if (this.#ranges.length > rangesMax) this.#coarsen();
  }

  /** A range that is being scanned and counts as read only as far as the scan came. */
  addOpenRange(gte: KeyText, lt: KeyText, reverse = false): OpenRange {
    const range = new OpenRange(gte, lt, reverse);
    this.#open.add(range);
    return range;
  }

  /** The scan ended, or was given up. */
  closeRange(range: OpenRange): void {
    if (this.#open.delete(range)) this.addRange(range);
  }

  /** Whether a commit after `index` wrote something read here. */
  conflicts(recent: RecentWrites, index: number): boolean {
    for (const key of this.#keys) if (recent.changedSince(key, index)) return true;
    for (const open of this.#open) this.addRange(open);
    this.#open.clear();
    this.#ranges = mergeOverlapping(this.#ranges);
    return this.#ranges.some((range) => recent.rangeChangedSince(range, index));
  }

  #coarsen(): void {
    this.#ranges = mergeOverlapping(this.#ranges);
    if (this.#ranges.length <= rangesMax / 2) return;
    const last = this.#ranges[this.#ranges.length - 1]!;
    this.#ranges = [{ gte: this.#ranges[0]!.gte, lt: last.lt }];
  }
}

/** The part of a range a scan has looked at so far; empty before its first row. */
export class OpenRange implements TextRange {
  gte: KeyText;
  lt: KeyText;
  readonly #first: KeyText;
  readonly #end: KeyText;
  readonly #reverse: boolean;

  constructor(first: KeyText, end: KeyText, reverse: boolean) {
    this.#first = first;
    this.#end = end;
    this.#reverse = reverse;
    this.gte = this.lt = reverse ? end : first;
  }

  /** The scan handed out the row of this key. */
  reach(key: KeyText): void {
    if (this.#reverse) this.gte = key;
    else this.lt = after(key);
  }

  /** All keys below this one were looked at; for forward scans. */
  reachBefore(key: KeyText): void {
    this.lt = key;
  }

  reachEnd(): void {
    this.gte = this.#first;
    this.lt = this.#end;
  }
}

/** The key right after `key`. */
export function after(key: KeyText): KeyText {
  return `${key}\0` as KeyText;
}

function mergeOverlapping(ranges: readonly TextRange[]): TextRange[] {
  if (ranges.length < 2) return [...ranges];
  const sorted = [...ranges].sort((a, b) => (a.gte < b.gte ? -1 : a.gte > b.gte ? 1 : 0));
  const out: TextRange[] = [sorted[0]!];
  for (const range of sorted) {
    const last = out[out.length - 1]!;
    if (range.gte > last.lt) out.push(range);
    else if (range.lt > last.lt) out[out.length - 1] = { gte: last.gte, lt: range.lt };
  }
  return out;
}
