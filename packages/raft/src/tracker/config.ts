import { JointConfig } from '../quorum/joint.ts';
import { MajorityConfig } from '../quorum/majority.ts';
import type { ConfState } from '../types.ts';

/**
 * A membership as the core uses it; immutable.
 *
 * Invariant: no node is both voter (of either half) and learner. A voter that is demoted while it
 * still votes in the outgoing half therefore waits in `learnersNext` until the joint state is left.
 */
export interface TrackerConfig {
  readonly voters: JointConfig;
  readonly learners: readonly number[];
  readonly learnersNext: readonly number[];
  readonly autoLeave: boolean;
}

export const EMPTY_CONFIG: TrackerConfig = {
  voters: new JointConfig(new MajorityConfig()),
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export function confStateOf(config: TrackerConfig): ConfState {
  return {
    voters: config.voters.incoming.ids,
    learners: config.learners,
    votersOutgoing: config.voters.outgoing.ids,
    learnersNext: config.learnersNext,
    autoLeave: config.autoLeave,
  };
}

/** The same membership, whatever the order of its lists. */
export function isSameConfState(a: ConfState, b: ConfState): boolean {
  return (
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.learners, b.learners) &&
    isSameSet(a.votersOutgoing, b.votersOutgoing) &&
    isSameSet(a.learnersNext, b.learnersNext) &&
    a.autoLeave === b.autoLeave
  );
}

export function describeConfig(config: TrackerConfig): string {
  const { voters, learners, learnersNext, autoLeave } = config;
  return [
    `voters=${voters}`,
    learners.length > 0 ? `learners=${new MajorityConfig(learners)}` : '',
    learnersNext.length > 0 ? `learners_next=${new MajorityConfig(learnersNext)}` : '',
    autoLeave ? 'autoleave' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  const sorted = b.toSorted((x, y) => x - y);
  return a.toSorted((x, y) => x - y).every((id, at) => id === sorted[at]);
}
