import { assert } from '@themisdb/base';
import type { Inflights } from './inflights.ts';

/**
 * How the leader deals with a follower:
 *
 * - `probe`: where the logs agree is unknown; one append at a time feels for it.
 * - `replicate`: the position is known; appends are pipelined within the window of `inflights`.
 * - `snapshot`: the entries the follower needs are compacted away; nothing is sent until it has
 *   installed a snapshot.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

const STATE_NAMES: Readonly<Record<ProgressState, string>> = {
  probe: 'StateProbe',
  replicate: 'StateReplicate',
  snapshot: 'StateSnapshot',
};

/** What a new progress starts from. */
export interface ProgressInit {
  readonly match: number;
  readonly next: number;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly inflights: Inflights;
}

/**
 * One follower in the leader's eyes (`matchIndex` and `nextIndex` of the Raft paper, figure 2, plus
 * flow control).
 *
 * Invariant 1: match < next. Everything up to `match` is known to be in the follower's log; entries
 * in (match, next) have been sent and not acknowledged.
 * Invariant 2: in `snapshot`, next = pendingSnapshot + 1 at the moment the state is entered.
 */
export class Progress {
  match: number;
  next: number;
  state: ProgressState = 'probe';
  /** Index of the snapshot being sent; 0 outside `snapshot`. */
  pendingSnapshot = 0;
  /** Heard from since the last quorum check. */
  recentActive: boolean;
  /**
   * No further append until the follower answers or a heartbeat comes back: set by an append while
   * probing, or by filling the window while replicating.
   */
  appendsPaused = false;
  isLearner: boolean;
  readonly inflights: Inflights;
  /** The commit index last sent; lowered when the appends that carried it may be lost. */
  #sentCommit = 0;

  constructor(init: ProgressInit) {
    this.match = init.match;
    this.next = init.next;
    this.isLearner = init.isLearner;
    this.recentActive = init.recentActive;
    this.inflights = init.inflights;
  }

  becomeProbe(): void {
    const { state, pendingSnapshot } = this;
    this.#enter('probe');
    // A snapshot that was delivered makes the follower's log reach at least its index.
    const known = state === 'snapshot' ? Math.max(this.match, pendingSnapshot) : this.match;
    this.#rewindTo(known + 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(snapshotIndex: number): void {
    this.#enter('snapshot');
    this.pendingSnapshot = snapshotIndex;
    this.next = snapshotIndex + 1;
    this.#sentCommit = snapshotIndex;
  }

  /** Notes an append of `count` entries with `bytes` of payload, starting at `next`. */
  sentEntries(count: number, bytes: number): void {
    assert(this.state !== 'snapshot', 'progress: entries sent while a snapshot is pending');
    if (this.state === 'probe') {
      if (count > 0) this.appendsPaused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
    }
    // An empty append to a full window counts too: it is the probe of this heartbeat interval.
    this.appendsPaused = this.inflights.full;
  }

  /** Would telling the follower `commit` let it commit more than what it was told before? */
  canBumpCommit(commit: number): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  sentCommit(commit: number): void {
    this.#sentCommit = commit;
  }

  /** Takes an acknowledgement up to `index`; false for a late one that tells nothing new. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.appendsPaused = false;
    return true;
  }

  /**
   * Takes a rejection of the append that followed entry `rejected`; `hint` is the last index at which
   * the logs may agree. False for a late rejection, which changes nothing.
   */
  maybeDecreaseTo(rejected: number, hint: number): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.#rewindTo(this.match + 1);
      return true;
    }
    // While probing there is one append under way, and it followed entry next - 1.
    if (this.next - 1 !== rejected) return false;
    this.#rewindTo(Math.max(Math.min(rejected, hint + 1), this.match + 1));
    this.appendsPaused = false;
    return true;
  }

  /** Nothing may be sent to the follower for now (heartbeats excepted). */
  get isPaused(): boolean {
    return this.state === 'snapshot' || this.appendsPaused;
  }

  /** A copy with a window of its own left out: for status reports. */
  snapshot(): ProgressView {
    return {
      match: this.match,
      next: this.next,
      state: this.state,
      pendingSnapshot: this.pendingSnapshot,
      recentActive: this.recentActive,
      appendsPaused: this.appendsPaused,
      isLearner: this.isLearner,
      inflightCount: this.inflights.count,
      inflightFull: this.inflights.full,
    };
  }

  toString(): string {
    return describeProgress(this.snapshot());
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.appendsPaused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }

  #rewindTo(next: number): void {
    assert(next > this.match, () => `progress: next ${next} must be above match ${this.match}`);
    this.next = next;
    // Commit indexes told with appends past `next` may have been lost with them.
    this.#sentCommit = Math.min(this.#sentCommit, next - 1);
  }
}

/** A progress at one moment, as plain data. */
export interface ProgressView {
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  readonly pendingSnapshot: number;
  readonly recentActive: boolean;
  readonly appendsPaused: boolean;
  readonly isLearner: boolean;
  readonly inflightCount: number;
  readonly inflightFull: boolean;
}

export function describeProgress(progress: ProgressView): string {
  const parts = [
    `${STATE_NAMES[progress.state]} match=${progress.match} next=${progress.next}`,
    progress.isLearner ? 'learner' : '',
    progress.state === 'snapshot' || progress.appendsPaused ? 'paused' : '',
    progress.pendingSnapshot > 0 ? `pendingSnap=${progress.pendingSnapshot}` : '',
    progress.recentActive ? '' : 'inactive',
    progress.inflightCount > 0
      ? `inflight=${progress.inflightCount}${progress.inflightFull ? '[full]' : ''}`
      : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** One progress a line, in order of id. */
export function describeProgresses(progresses: ReadonlyMap<number, ProgressView>): string {
  return [...progresses]
    .sort(([a], [b]) => a - b)
    .map(([id, progress]) => `${id}: ${describeProgress(progress)}\n`)
    .join('');
}
