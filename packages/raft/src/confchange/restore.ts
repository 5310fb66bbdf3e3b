import type { ProgressTracker } from '../tracker/tracker.ts';
import { type ConfChangeSingle, ConfChangeType, type ConfState } from '../types.ts';
import { Changer, type ChangeResult } from './changer.ts';

/**
 * Brings an empty tracker to a stored membership, by the changes that would have led there: nothing
 * but `Changer` has to know what a valid membership is. Every member starts to be probed at
 * `lastIndex`. Returns the reason where the stored membership is none.
 */
export function restoreMembership(
  tracker: ProgressTracker,
  state: ConfState,
  lastIndex: number,
): string | undefined {
  for (const change of stepsTo(state)) {
    const result = change(new Changer(tracker, lastIndex));
    if (!result.ok) return result.reason;
    tracker.reconfigure(result.membership.config, result.membership.progress);
  }
  return undefined;
}

type Step = (changer: Changer) => ChangeResult;

/**
 * A joint state is reached from its outgoing voters alone. Taking all of them out of the incoming
 * half first makes the order of the rest irrelevant; a voter in both halves is added back, and one to
 * be demoted becomes a learner that waits.
 */
function stepsTo(state: ConfState): Step[] {
  const incoming = [
    ...singles(ConfChangeType.RemoveNode, state.votersOutgoing),
    ...singles(ConfChangeType.AddNode, state.voters),
    ...singles(ConfChangeType.AddLearnerNode, state.learners),
    ...singles(ConfChangeType.AddLearnerNode, state.learnersNext),
  ];
  const oneByOne = (changes: readonly ConfChangeSingle[]): Step[] =>
    changes.map((change) => (changer) => changer.simple([change]));
  if (state.votersOutgoing.length === 0) return oneByOne(incoming);
  const outgoing = singles(ConfChangeType.AddNode, state.votersOutgoing);
  return [...oneByOne(outgoing), (changer) => changer.enterJoint(state.autoLeave, incoming)];
}

function singles(type: ConfChangeType, ids: readonly number[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}
