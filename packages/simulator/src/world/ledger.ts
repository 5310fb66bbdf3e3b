import { crc32c } from '@themisdb/base';
import type { WalRecord } from '@themisdb/wal';

export interface LoggedEntry {
  readonly term: number;
  readonly hash: number;
}

/** What one node's log was given, and what it said is durable: kept outside, over all its lives. */
export class Ledger {
  readonly shard: number;
  /** In the order of calls, durable or not. */
  written: Map<number, LoggedEntry> = new Map();
  durable: Map<number, LoggedEntry> = new Map();
  lastWritten = 0;
  lastDurable = 0;
  /** Of this life, though it may have been replaced since. */
  #farthestDurable = 0;
  /** Everything before is given up, or in a snapshot. */
  truncatedBefore = 0;
  durableTerm = 0;
  #underWay: WalRecord[][] = [];

  constructor(shard: number) {
    this.shard = shard;
  }

  appending(records: readonly WalRecord[], onReplaced: () => void): WalRecord[] {
    const mine = [...records];
    this.#underWay.push(mine);
    for (const record of mine) {
      if (record.group !== this.shard) continue;
      if (record.index <= this.lastWritten) onReplaced();
      this.lastWritten = put(this.written, record, this.lastWritten);
    }
    return mine;
  }

  appended(records: WalRecord[]): void {
    this.#underWay = this.#underWay.filter((other) => other !== records);
    for (const record of records) {
      if (record.group === this.shard) {
        this.lastDurable = put(this.durable, record, this.lastDurable);
        this.#farthestDurable = Math.max(this.#farthestDurable, this.lastDurable);
      } else this.durableTerm = Math.max(this.durableTerm, record.term);
    }
  }

  /**
   * Up to where it may acknowledge in `term`. What was written in an earlier one may be replaced by the
   * same sync that makes it durable: that it was there may still be said, as by a message that is late.
   */
  durableIn(term: number): number {
    return term < this.durableTerm ? this.#farthestDurable : this.lastDurable;
  }

  /** Nothing of it is in the log; or it may be found there, when a sync failed. */
  refused(records: WalRecord[], isCertain: boolean): void {
    if (isCertain) this.#underWay = this.#underWay.filter((other) => other !== records);
    this.written = new Map(this.durable);
    this.lastWritten = this.lastDurable;
  }

  truncate(group: number, index: number): void {
    if (group !== this.shard) return;
    for (const map of [this.written, this.durable])
      for (const key of map.keys()) if (key < index) map.delete(key);
    this.truncatedBefore = Math.max(this.truncatedBefore, index);
    // A snapshot takes the place of all of it.
    if (index > this.lastDurable) this.lastWritten = this.lastDurable = index - 1;
    this.#farthestDurable = Math.max(this.#farthestDurable, this.lastDurable);
  }

  /** What must have been found again and was not. The log is as found from now on. */
  reopened(found: ReadonlyMap<number, LoggedEntry>): string | undefined {
    const underWay = this.#underWay.flat().filter(({ group }) => group === this.shard);
    const cut = underWay.reduce((least, { index }) => Math.min(least, index), Infinity);
    let lost: string | undefined;
    for (const [index, entry] of this.durable) {
      if (index >= cut) continue;
      const there = found.get(index);
      if (there?.term === entry.term && there.hash === entry.hash) continue;
      const what = there === undefined ? 'gone' : `another: term ${there.term}`;
      lost ??= `entry ${index} of term ${entry.term} was durable and is ${what}`;
    }
    this.#underWay = [];
    this.written = new Map(found);
    this.durable = new Map(found);
    this.lastWritten = this.lastDurable = Math.max(0, ...found.keys());
    this.#farthestDurable = this.lastDurable;
    return lost;
  }

  /** The disk is gone. */
  wipe(): void {
    this.written = new Map();
    this.durable = new Map();
    this.lastWritten = this.lastDurable = this.truncatedBefore = this.durableTerm = 0;
    this.#farthestDurable = 0;
    this.#underWay = [];
  }
}

function put(
  map: Map<number, LoggedEntry>,
  { index, term, payload }: WalRecord,
  last: number,
): number {
  for (let at = index + 1; at <= last; at++) map.delete(at);
  map.set(index, { term, hash: hashOf(payload) });
  return index;
}

export function hashOf(payload: Uint8Array | undefined): number {
  return payload === undefined ? 0 : crc32c(payload, 0, payload.length, payload.length);
}
