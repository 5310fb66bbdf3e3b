import { assert } from '@themisdb/base';
import { entriesSize, limitSize } from './size.ts';
import type { Compacted, Entry, RaftLogger, Snapshot, Storage, Unavailable } from './types.ts';
import { type EntryId, Unstable } from './unstable.ts';

/** Entries that follow `previous` without a gap: what an append message carries. */
export interface LogSlice {
  readonly previous: EntryId;
  readonly entries: readonly Entry[];
}

/**
 * The whole log as one: stable entries in the host's storage, the unstable tail in memory, and how
 * far it has been committed and applied.
 *
 * Invariant: applied <= applying <= committed <= lastIndex. `applying` is the last index handed to
 * the application, `applied` the last it has acknowledged.
 */
export class RaftLog {
  readonly unstable: Unstable;
  committed: number;
  applying: number;
  applied: number;
  readonly #storage: Storage;
  readonly #logger: RaftLogger | undefined;
  /** Limit on the encoded bytes of entries in (applied, applying]. */
  readonly applyingBytesMax: number;
  #applyingBytes = 0;
  /** No more entries are handed out until the application has acknowledged some. */
  #applyingPaused = false;

  constructor(storage: Storage, applyingBytesMax: number, logger?: RaftLogger) {
    this.#storage = storage;
    this.#logger = logger;
    this.applyingBytesMax = applyingBytesMax;
    this.unstable = new Unstable(storage.lastIndex() + 1, logger);
    // What was compacted away had been applied, hence committed.
    const compacted = storage.firstIndex() - 1;
    this.committed = compacted;
    this.applying = compacted;
    this.applied = compacted;
  }

  // Reading.

  get firstIndex(): number {
    return this.unstable.firstIndex ?? this.#storage.firstIndex();
  }

  get lastIndex(): number {
    return this.unstable.lastIndex ?? this.#storage.lastIndex();
  }

  get lastEntryId(): EntryId {
    const index = this.lastIndex;
    return { index, term: this.mustTerm(index) };
  }

  /** Term of an entry in [firstIndex - 1, lastIndex]. */
  term(index: number): number | Compacted | Unavailable {
    const term = this.unstable.term(index);
    if (term !== undefined) return term;
    if (index + 1 < this.firstIndex) return 'compacted';
    return index > this.lastIndex ? 'unavailable' : this.#storage.term(index);
  }

  /** Term of an entry that the caller knows to be there. */
  mustTerm(index: number): number {
    const term = this.term(index);
    assert(typeof term === 'number', () => `log: term of entry ${index} is ${term}`);
    return term;
  }

  /** Is this the entry at that index? False also for what is not known here (any more). */
  matches({ index, term }: EntryId): boolean {
    return this.term(index) === term;
  }

  /** Entries from `index` to the end, cut to `bytesMax` but at least one. */
  entriesFrom(index: number, bytesMax: number): readonly Entry[] | Compacted {
    const last = this.lastIndex;
    return index > last ? [] : this.slice(index, last + 1, bytesMax);
  }

  /** Entries of [lo, hi), hi <= lastIndex + 1, cut to `bytesMax` but at least one. */
  slice(lo: number, hi: number, bytesMax: number): readonly Entry[] | Compacted {
    assert(lo <= hi && hi <= this.lastIndex + 1, () => `log: [${lo}, ${hi}) is out of bounds`);
    if (lo < this.firstIndex) return 'compacted';
    if (lo === hi) return [];
    const { offset } = this.unstable;
    if (lo >= offset) return limitSize(this.unstable.slice(lo, hi), bytesMax);
    const stable = this.#storage.entries(lo, Math.min(hi, offset), bytesMax);
    if (stable === 'compacted') return stable;
    assert(
      stable !== 'unavailable',
      () => `log: entries [${lo}, ${offset}) are missing in storage`,
    );
    const isCut = stable.length < Math.min(hi, offset) - lo;
    return hi <= offset || isCut ? stable : this.#extend(stable, hi, bytesMax);
  }

  /** Adds unstable entries up to `hi` to the stable ones before them, as far as `bytesMax` allows. */
  #extend(stable: readonly Entry[], hi: number, bytesMax: number): readonly Entry[] {
    const { offset } = this.unstable;
    const bytesLeft = bytesMax - entriesSize(stable);
    const more = limitSize(this.unstable.slice(offset, hi), bytesLeft);
    // The exception for a first entry that is too large is not ours to take: there is one already.
    if (more.length === 1 && entriesSize(more) > bytesLeft) return stable;
    return [...stable, ...more];
  }

  /** The latest snapshot; undefined while the host prepares it. */
  snapshot(): Snapshot | undefined {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  // Log matching (Raft paper section 5.3).

  /**
   * Appends what a leader sent, if our log holds the entry before it; returns the last index of the
   * slice, or undefined where it does not. Entries we have already are kept, a conflicting one and
   * all after it are replaced.
   */
  maybeAppend({ previous, entries }: LogSlice, committed: number): number | undefined {
    if (!this.matches(previous)) return undefined;
    const conflict = this.#findConflict(entries);
    if (conflict !== undefined) {
      assert(
        conflict > this.committed,
        () => `log: entry ${conflict} conflicts with committed entry ${this.committed}`,
      );
      this.append(entries.slice(conflict - previous.index - 1));
    }
    const last = previous.index + entries.length;
    this.commitTo(Math.min(committed, last));
    return last;
  }

  /** Index of the first entry we do not have in this form. */
  #findConflict(entries: readonly Entry[]): number | undefined {
    const entry = entries.find((candidate) => !this.matches(candidate));
    if (entry !== undefined && entry.index <= this.lastIndex) {
      this.#logger?.log(
        'info',
        `found conflict at index ${entry.index} ` +
          `[existing term: ${this.term(entry.index)}, conflicting term: ${entry.term}]`,
      );
    }
    return entry?.index;
  }

  /**
   * The last entry up to `index` whose term is at most `term`: the best guess where a log whose entry
   * at `index` has that term may agree with ours. It skips a whole term at once, as the end of
   * section 5.3 of the paper suggests. Term 0 where our log does not reach back so far.
   */
  findConflictByTerm({ index, term }: EntryId): EntryId {
    let at = index;
    for (; at > 0; at--) {
      const ours = this.term(at);
      if (typeof ours !== 'number') return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  /** May a candidate with this last entry be voted for (Raft paper section 5.4.1)? */
  isUpToDate({ index, term }: EntryId): boolean {
    const ours = this.lastEntryId;
    return term > ours.term || (term === ours.term && index >= ours.index);
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const first = entries[0]!.index;
    assert(first > this.committed, () => `log: append at ${first} overwrites committed entries`);
    this.unstable.truncateAndAppend(entries);
  }

  /** Takes another log in place of ours. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#logger?.log(
      'info',
      `log [${this}] starts to restore snapshot [index: ${index}, term: ${term}]`,
    );
    this.committed = index;
    this.unstable.restore(snapshot);
  }

  // Committing.

  commitTo(index: number): void {
    if (index <= this.committed) return;
    const last = this.lastIndex;
    // Else the log was lost, or a node came back under its old id without its log.
    assert(index <= last, () => `log: commit index ${index} is past the last entry ${last}`);
    this.committed = index;
  }

  /**
   * Commits up to an entry a quorum has. Only an entry of the leader's own term counts; those before
   * it follow along (Raft paper section 5.4.2). Term 0 is no term.
   */
  maybeCommit(at: EntryId): boolean {
    if (at.term === 0 || at.index <= this.committed || !this.matches(at)) return false;
    this.commitTo(at.index);
    return true;
  }

  hasCommittedInTerm(term: number): boolean {
    return this.matches({ index: this.committed, term });
  }

  // Applying.

  /** `allowUnstable`: an entry may be applied before our own copy of it is stable. */
  hasNextCommitted(allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.unstable.snapshot !== undefined) return false;
    return this.applying < this.#appliableIndex(allowUnstable);
  }

  /** Committed entries to hand to the application next. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return [];
    const bytesLeft = this.applyingBytesMax - this.#applyingBytes;
    assert(bytesLeft > 0, 'log: application is to be paused but is not');
    const hi = this.#appliableIndex(allowUnstable) + 1;
    const entries = this.slice(this.applying + 1, hi, bytesLeft);
    assert(
      entries !== 'compacted',
      'log: committed entries were compacted before they were applied',
    );
    return entries;
  }

  /** Entries up to `index`, `bytes` in size, have been handed to the application. */
  acceptApplying(index: number, bytes: number, allowUnstable: boolean): void {
    assert(index <= this.committed, () => `log: applying ${index} past commit ${this.committed}`);
    this.applying = index;
    this.#applyingBytes += bytes;
    // Entries left out mean that the next one would have gone over the limit, so the limit counts as
    // reached: otherwise entries would trickle out in ever smaller portions.
    this.#applyingPaused =
      this.#applyingBytes >= this.applyingBytesMax || index < this.#appliableIndex(allowUnstable);
  }

  /** The application has applied entries up to `index`, `bytes` in size. */
  appliedTo(index: number, bytes: number): void {
    assert(
      this.applied <= index && index <= this.committed,
      () => `log: applied(${index}) is out of range [${this.applied}, ${this.committed}]`,
    );
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    // A snapshot can overtake entries that were handed out, so there may be less to give back.
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.applyingBytesMax;
  }

  #appliableIndex(allowUnstable: boolean): number {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** Is there an entry in [lo, hi) that passes? Reads page by page, not all at once. */
  some(lo: number, hi: number, test: (entry: Entry) => boolean): boolean {
    for (let at = lo; at < hi;) {
      const page = this.slice(at, hi, this.applyingBytesMax);
      assert(page !== 'compacted' && page.length > 0, () => `log: no entry at ${at}`);
      if (page.some(test)) return true;
      at += page.length;
    }
    return false;
  }

  toString(): string {
    const { offset, offsetInProgress, length } = this.unstable;
    return (
      `committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, ` +
      `unstable.offset=${offset}, unstable.offsetInProgress=${offsetInProgress}, ` +
      `len(unstable.Entries)=${length}`
    );
  }
}
