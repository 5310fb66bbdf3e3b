import { assert } from '@themisdb/base';
import { JointConfig } from '../quorum/joint.ts';
import { MajorityConfig } from '../quorum/majority.ts';
import type { TrackerConfig } from '../tracker/config.ts';
import type { Progress } from '../tracker/progress.ts';

/** A membership being rewritten; the original is never touched. */
export class Draft {
  incoming: MajorityConfig;
  outgoing: MajorityConfig;
  autoLeave: boolean;
  readonly #learners: Set<number>;
  readonly #learnersNext: Set<number>;
  readonly #progress: Map<number, Progress>;

  constructor(config: TrackerConfig, progress: ReadonlyMap<number, Progress>) {
    this.incoming = config.voters.incoming;
    this.outgoing = config.voters.outgoing;
    this.autoLeave = config.autoLeave;
    this.#learners = new Set(config.learners);
    this.#learnersNext = new Set(config.learnersNext);
    this.#progress = new Map(progress);
  }

  makeVoter(id: number, makeProgress: () => Progress): void {
    if (!this.#progress.has(id)) this.#progress.set(id, makeProgress());
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    this.incoming = this.incoming.with(id);
  }

  /**
   * A voter that is demoted keeps its progress. While it still votes in the outgoing half it must not
   * be a learner as well, so that waits until the joint state is left.
   */
  makeLearner(id: number, makeProgress: () => Progress): void {
    if (this.#learners.has(id)) return;
    const progress = this.#progress.get(id) ?? makeProgress();
    this.remove(id);
    this.#progress.set(id, progress);
    if (this.outgoing.has(id)) this.#learnersNext.add(id);
    else this.#learners.add(id);
  }

  /** The progress of an outgoing voter stays: its acknowledgements still count. */
  remove(id: number): void {
    this.incoming = this.incoming.without(id);
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    if (!this.outgoing.has(id)) this.#progress.delete(id);
  }

  leaveJoint(): void {
    for (const id of this.#learnersNext) this.#learners.add(id);
    this.#learnersNext.clear();
    for (const id of this.outgoing.ids) {
      if (!this.incoming.has(id) && !this.#learners.has(id)) this.#progress.delete(id);
    }
    this.outgoing = new MajorityConfig();
    this.autoLeave = false;
  }

  finish(): { config: TrackerConfig; progress: ReadonlyMap<number, Progress> } {
    this.#check();
    const config: TrackerConfig = {
      voters: new JointConfig(this.incoming, this.outgoing),
      learners: ascending(this.#learners),
      learnersNext: ascending(this.#learnersNext),
      autoLeave: this.autoLeave,
    };
    return { config, progress: this.#progress };
  }

  #check(): void {
    const { incoming, outgoing } = this;
    const members = new Set([...incoming.ids, ...outgoing.ids, ...this.#learners]);
    assert(
      members.size === this.#progress.size && [...members].every((id) => this.#progress.has(id)),
      'membership: every member has a progress and nobody else',
    );
    for (const id of this.#learners) {
      assert(!incoming.has(id) && !outgoing.has(id), () => `membership: ${id} votes and learns`);
    }
    for (const id of this.#learnersNext) {
      assert(outgoing.has(id), () => `membership: ${id} is to be demoted but does not vote`);
    }
    if (outgoing.size > 0) return;
    assert(
      !this.autoLeave && this.#learnersNext.size === 0,
      'membership: joint marks outside joint',
    );
  }
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
