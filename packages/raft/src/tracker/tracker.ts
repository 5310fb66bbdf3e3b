import type { VoteResult } from '../quorum/majority.ts';
import type { ConfState } from '../types.ts';
import { confStateOf, EMPTY_CONFIG, type TrackerConfig } from './config.ts';
import { Inflights } from './inflights.ts';
import { Progress } from './progress.ts';

export interface InflightLimits {
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
}

export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

/**
 * The active membership, the progress of each of its members, and the votes of the election under
 * way.
 *
 * Invariant: exactly the members (voters of both halves, learners) have a progress; it keeps the
 * order of ascending ids, so that messages leave in a fixed order.
 */
export class ProgressTracker {
  readonly #limits: InflightLimits;
  readonly #votes = new Map<number, boolean>();
  #config: TrackerConfig = EMPTY_CONFIG;
  #progress: ReadonlyMap<number, Progress> = new Map();

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  get config(): TrackerConfig {
    return this.#config;
  }

  /** In ascending order of id. */
  get progress(): ReadonlyMap<number, Progress> {
    return this.#progress;
  }

  get confState(): ConfState {
    return confStateOf(this.#config);
  }

  get isSingleton(): boolean {
    return this.#config.voters.isSingleton;
  }

  /** Puts another membership in force; `progress` covers exactly its members. */
  reconfigure(config: TrackerConfig, progress: ReadonlyMap<number, Progress>): void {
    this.#config = config;
    this.#progress = new Map([...progress].sort(([a], [b]) => a - b));
    for (const [id, member] of this.#progress) member.isLearner = config.learners.includes(id);
  }

  /** Starts every member's progress anew at the end of our log, as any change of role does. */
  resetProgress(self: number, lastIndex: number): void {
    const next = lastIndex + 1;
    const fresh = [...this.#progress].map(([id, { isLearner }]): [number, Progress] => [
      id,
      this.makeProgress({ next, isLearner, recentActive: false }),
    ]);
    this.#progress = new Map(fresh);
    const own = this.#progress.get(self);
    if (own !== undefined) own.match = lastIndex;
  }

  makeProgress(init: { next: number; isLearner: boolean; recentActive: boolean }): Progress {
    const { inflightMessagesMax, inflightBytesMax } = this.#limits;
    return new Progress({
      ...init,
      match: 0,
      inflights: new Inflights(inflightMessagesMax, inflightBytesMax),
    });
  }

  /** The largest index that the voters have acknowledged (Raft paper section 5.3). */
  committed(): number {
    return this.#config.voters.committedIndex((id) => this.#progress.get(id)?.match);
  }

  /** Has a quorum been heard from since the marks were last cleared? */
  quorumActive(): boolean {
    const active = new Map<number, boolean>();
    for (const [id, { isLearner, recentActive }] of this.#progress) {
      if (!isLearner) active.set(id, recentActive);
    }
    return this.#config.voters.voteResult(active) === 'won';
  }

  resetVotes(): void {
    this.#votes.clear();
  }

  /** The first word of a voter counts; it cannot be changed in the same election. */
  recordVote(id: number, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  tallyVotes(): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const [id, { isLearner }] of this.#progress) {
      const vote = isLearner ? undefined : this.#votes.get(id);
      if (vote === true) granted++;
      if (vote === false) rejected++;
    }
    return { granted, rejected, result: this.#config.voters.voteResult(this.#votes) };
  }
}
