import { assert } from '@themisdb/base';
import type { Entry, RaftLogger, Snapshot } from './types.ts';

/** Position and term of an entry: the pair that log matching compares (Raft paper section 5.3). */
export interface EntryId {
  readonly index: number;
  readonly term: number;
}

/**
 * The tail of the log that is not known to be on stable storage, and a snapshot received and not yet
 * installed.
 *
 * `entries[i]` is the entry at index `offset + i`. Entries below `offsetInProgress` have been handed
 * to the host for writing. `offset` may lie below the end of what is stored: then the entries here
 * replace what is stored from `offset` on.
 *
 * Invariant: offset <= offsetInProgress <= offset + entries.length.
 */
export class Unstable {
  snapshot: Snapshot | undefined;
  /** The snapshot has been handed to the host for writing. */
  snapshotInProgress = false;
  offset: number;
  offsetInProgress: number;
  readonly #logger: RaftLogger | undefined;
  #entries: Entry[] = [];

  constructor(offset: number, logger?: RaftLogger) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.#logger = logger;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** First index after the snapshot, which a snapshot alone determines. */
  get firstIndex(): number | undefined {
    return this.snapshot && this.snapshot.metadata.index + 1;
  }

  get lastIndex(): number | undefined {
    const { length } = this.#entries;
    return length > 0 ? this.offset + length - 1 : this.snapshot?.metadata.index;
  }

  term(index: number): number | undefined {
    if (index >= this.offset) return this.#entries[index - this.offset]?.term;
    const metadata = this.snapshot?.metadata;
    return metadata?.index === index ? metadata.term : undefined;
  }

  /** Entries of [lo, hi), all of them unstable. */
  slice(lo: number, hi: number): Entry[] {
    const end = this.offset + this.#entries.length;
    assert(
      this.offset <= lo && lo <= hi && hi <= end,
      () => `unstable: [${lo}, ${hi}) is not within [${this.offset}, ${end})`,
    );
    return this.#entries.slice(lo - this.offset, hi - this.offset);
  }

  get hasNextEntries(): boolean {
    return this.offset + this.#entries.length > this.offsetInProgress;
  }

  /** Entries the host has not been asked to write. */
  nextEntries(): Entry[] {
    return this.#entries.slice(this.offsetInProgress - this.offset);
  }

  /** The snapshot, unless the host has been asked to write it. */
  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** Everything here has been handed to the host. */
  acceptInProgress(): void {
    this.offsetInProgress = this.offset + this.#entries.length;
    if (this.snapshot !== undefined) this.snapshotInProgress = true;
  }

  /**
   * The host has written entries up to `id`. What is acknowledged may have been replaced since, which
   * the term tells; then nothing is released (the acknowledgement of the replacement will follow).
   */
  stableTo(id: EntryId): void {
    const term = this.term(id.index);
    if (term === undefined) {
      this.#info(`entry at index ${id.index} missing from unstable log; ignoring`);
    } else if (id.index < this.offset) {
      this.#info(`entry at index ${id.index} matched unstable snapshot; ignoring`);
    } else if (term !== id.term) {
      this.#info(
        `entry at (index,term)=(${id.index},${id.term}) mismatched with ` +
          `entry at (${id.index},${term}) in unstable log; ignoring`,
      );
    } else {
      this.#entries.splice(0, id.index + 1 - this.offset);
      this.offset = id.index + 1;
      this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
    }
  }

  /** The host has installed the snapshot at `index`; a newer one may have come meanwhile. */
  stableSnapshotTo(index: number): void {
    if (this.snapshot?.metadata.index !== index) return;
    this.snapshot = undefined;
    this.snapshotInProgress = false;
  }

  /** Starts over from a snapshot that replaces the whole log. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.metadata.index + 1;
    this.offsetInProgress = this.offset;
    this.#entries = [];
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Appends, dropping what is here from the first new index on. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]!.index;
    const end = this.offset + this.#entries.length;
    assert(from <= end, () => `unstable: append at ${from} leaves a gap after ${end - 1}`);
    if (from === end) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (from <= this.offset) {
      this.#info(`replace the unstable entries from index ${from}`);
      this.#entries = [...entries];
      this.offset = from;
      this.offsetInProgress = from;
    } else {
      this.#info(`truncate the unstable entries before index ${from}`);
      this.#entries = [...this.slice(this.offset, from), ...entries];
      // Entries being written that were cut off must be written again.
      this.offsetInProgress = Math.min(this.offsetInProgress, from);
    }
  }

  #info(text: string): void {
    this.#logger?.log('info', text);
  }
}
