import { assert } from '@themisdb/base';
import { limitSize } from './size.ts';
import type {
  Compacted,
  ConfState,
  Entry,
  HardState,
  Snapshot,
  Storage,
  Unavailable,
} from './types.ts';

const EMPTY_HARD_STATE: HardState = { term: 0, vote: 0, commit: 0 };

const EMPTY_CONF_STATE: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

export const EMPTY_SNAPSHOT: Snapshot = {
  data: undefined,
  metadata: { confState: EMPTY_CONF_STATE, index: 0, term: 0 },
};

/**
 * A log in memory: for tests, and as the index in memory over a log on disk. The host writes through
 * the methods beyond `Storage`, the core only reads.
 */
export class MemoryStorage implements Storage {
  #hardState = EMPTY_HARD_STATE;
  #snapshot = EMPTY_SNAPSHOT;
  /** The entry before the first one, of which index and term are still known. */
  #before: { readonly index: number; readonly term: number } = { index: 0, term: 0 };
  #entries: Entry[] = [];

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  firstIndex(): number {
    return this.#before.index + 1;
  }

  lastIndex(): number {
    return this.#before.index + this.#entries.length;
  }

  term(index: number): number | Compacted | Unavailable {
    if (index < this.#before.index) return 'compacted';
    if (index === this.#before.index) return this.#before.term;
    return this.#entries[index - this.firstIndex()]?.term ?? 'unavailable';
  }

  entries(lo: number, hi: number, bytesMax: number): readonly Entry[] | Compacted | Unavailable {
    const first = this.firstIndex();
    const last = this.lastIndex();
    if (lo < first) return 'compacted';
    assert(hi <= last + 1, () => `storage: entries up to ${hi - 1} asked, last is ${last}`);
    if (this.#entries.length === 0) return 'unavailable';
    return limitSize(this.#entries.slice(lo - first, hi - first), bytesMax);
  }

  snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Entries from the first new index on are replaced; what is compacted already is skipped. */
  append(entries: readonly Entry[]): void {
    const first = this.firstIndex();
    const fresh = entries.filter(({ index }) => index >= first);
    if (fresh.length === 0) return;
    const from = fresh[0]!.index;
    const last = this.lastIndex();
    assert(from <= last + 1, () => `storage: append at ${from} leaves a gap after ${last}`);
    this.#entries.length = from - first;
    for (const entry of fresh) this.#entries.push(entry);
  }

  /** Replaces everything by a snapshot; one that is not newer than ours is refused. */
  applySnapshot(snapshot: Snapshot): 'ok' | 'out-of-date' {
    const { index, term } = snapshot.metadata;
    const ours = this.#snapshot.metadata.index;
    // At index 0 a snapshot only brings the first membership, and may be given again.
    if (ours !== 0 && ours >= index) return 'out-of-date';
    this.#snapshot = snapshot;
    this.#before = { index, term };
    this.#entries = [];
    return 'ok';
  }

  /** Makes the snapshot at `index` the latest. The log stays; `compact` shortens it. */
  createSnapshot(
    index: number,
    confState: ConfState | undefined,
    data: Uint8Array,
  ): Snapshot | 'out-of-date' {
    const { metadata } = this.#snapshot;
    if (index <= metadata.index) return 'out-of-date';
    const term = this.term(index);
    assert(typeof term === 'number', () => `storage: no entry ${index} to make a snapshot of`);
    this.#snapshot = {
      data,
      metadata: { confState: confState ?? metadata.confState, index, term },
    };
    return this.#snapshot;
  }

  /** Drops entries up to `index`, which the application must have applied. */
  compact(index: number): 'ok' | Compacted {
    if (index <= this.#before.index) return 'compacted';
    const term = this.term(index);
    assert(typeof term === 'number', () => `storage: compact at ${index}, which is not there`);
    this.#entries = this.#entries.slice(index - this.#before.index);
    this.#before = { index, term };
    return 'ok';
  }
}
