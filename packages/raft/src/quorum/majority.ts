/**
 * A set of voters that decides by majority (Raft paper section 5.2, 5.3). Immutable: a membership
 * change makes a new set, so a configuration can be shared and compared by reference.
 */

/** Where a voter's log is known to reach; `undefined` when nothing is known of it. */
export type AckedIndex = (voter: number) => number | undefined;

export type VoteResult = 'pending' | 'lost' | 'won';

/** What the empty set has committed: everything. A constant neutral to `Math.min`. */
const EVERYTHING = Number.POSITIVE_INFINITY;

export class MajorityConfig {
  /** Ascending, without repetition. */
  readonly ids: readonly number[];

  constructor(ids: Iterable<number> = []) {
    this.ids = [...new Set(ids)].sort((a, b) => a - b);
  }

  get size(): number {
    return this.ids.length;
  }

  has(id: number): boolean {
    return this.ids.includes(id);
  }

  with(id: number): MajorityConfig {
    return this.has(id) ? this : new MajorityConfig([...this.ids, id]);
  }

  without(id: number): MajorityConfig {
    return this.has(id) ? new MajorityConfig(this.ids.filter((other) => other !== id)) : this;
  }

  /** Members of exactly one of the two sets. */
  differenceCount(other: MajorityConfig): number {
    const shared = this.ids.filter((id) => other.has(id)).length;
    return this.size + other.size - 2 * shared;
  }

  /**
   * The largest index that a majority has reached. A voter of whom nothing is known counts as 0; the
   * empty set has committed everything, which makes it neutral in a joint configuration.
   */
  committedIndex(acked: AckedIndex): number {
    const count = this.ids.length;
    if (count === 0) return EVERYTHING;
    const reached: number[] = [];
    for (const id of this.ids) insertAscending(reached, acked(id) ?? 0);
    return reached[count - quorumOf(count)]!;
  }

  /**
   * Outcome of the votes cast so far: `pending` while the missing votes could still win it. The empty
   * set has won, which makes it neutral in a joint configuration.
   */
  voteResult(votes: ReadonlyMap<number, boolean>): VoteResult {
    if (this.ids.length === 0) return 'won';
    let granted = 0;
    let missing = 0;
    for (const id of this.ids) {
      const vote = votes.get(id);
      if (vote === undefined) missing++;
      else if (vote) granted++;
    }
    const quorum = quorumOf(this.ids.length);
    if (granted >= quorum) return 'won';
    return granted + missing >= quorum ? 'pending' : 'lost';
  }

  /** Ids in hexadecimal, as in all log lines. */
  toString(): string {
    return `(${this.ids.map((id) => id.toString(16)).join(' ')})`;
  }
}

function quorumOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** Insertion keeps small arrays sorted faster than a sort with a comparator. */
function insertAscending(sorted: number[], value: number): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1]! > value) {
    sorted[at] = sorted[at - 1]!;
    at--;
  }
  sorted[at] = value;
}
