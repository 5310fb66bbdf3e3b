import { assert } from '@themisdb/base';
import { Changer, type ChangeResult } from './confchange/changer.ts';
import { confChangeKind } from './confchange/kind.ts';
import { restoreMembership } from './confchange/restore.ts';
import { describeConfState } from './describe.ts';
import type { Raft } from './raft.ts';
import { broadcastAppend, broadcastNewEntries } from './replication.ts';
import { describeConfig, isSameConfState } from './tracker/config.ts';
import { ProgressTracker } from './tracker/tracker.ts';
import { becomeFollower } from './transitions.ts';
import { type ConfChangeV2, type ConfState, NONE, type Snapshot, StateType } from './types.ts';

/**
 * Membership (thesis chapter 4). A change takes effect where its entry is applied, not where it is
 * appended; that is as safe, because one change at a time may be in the log unapplied.
 */
export function applyConfChange(raft: Raft, change: ConfChangeV2): ConfState {
  const result = evaluate(raft, change);
  // What the leader lets through and the host should not have proposed, or replicas that differ.
  assert(result.ok, () => `raft: configuration change is invalid: ${result.ok || result.reason}`);
  raft.tracker.reconfigure(result.membership.config, result.membership.progress);
  return membershipChanged(raft);
}

function evaluate(raft: Raft, change: ConfChangeV2): ChangeResult {
  const changer = new Changer(raft.tracker, raft.log.lastIndex);
  const kind = confChangeKind(change);
  if (kind.kind === 'leave') return changer.leaveJoint();
  if (kind.kind === 'enter') return changer.enterJoint(kind.autoLeave, change.changes);
  return changer.simple(change.changes);
}

/** Takes over a stored membership, at start or from a snapshot. */
export function loadMembership(raft: Raft, confState: ConfState): void {
  raft.tracker = new ProgressTracker(raft.settings);
  const refusal = restoreMembership(raft.tracker, confState, raft.log.lastIndex);
  assert(refusal === undefined, () => `raft: stored membership is invalid: ${refusal}`);
  const active = membershipChanged(raft);
  assert(
    isSameConfState(active, confState),
    () => `raft: stored membership ${describeConfState(confState)} is inconsistent`,
  );
}

/** The active membership is another one: draw the consequences. */
function membershipChanged(raft: Raft): ConfState {
  const { tracker } = raft;
  raft.logger?.log(
    'info',
    `${raft.name} switched to configuration ${describeConfig(tracker.config)}`,
  );
  const confState = tracker.confState;
  if (raft.state !== StateType.Leader) return confState;
  const own = tracker.progress.get(raft.id);
  if (own === undefined || own.isLearner) {
    // Without the option it goes on to lead a group it is no voter of (thesis section 4.2.2), until
    // another node is elected.
    if (raft.settings.stepDownOnRemoval) becomeFollower(raft, raft.term, NONE);
    return confState;
  }
  // A smaller quorum may be satisfied already; a new member may be sent its first entries.
  if (raft.log.maybeCommit({ term: raft.term, index: tracker.committed() })) broadcastAppend(raft);
  else broadcastNewEntries(raft);
  if (raft.leadTransferee !== NONE && !tracker.config.voters.has(raft.leadTransferee)) {
    raft.leadTransferee = NONE;
  }
  return confState;
}

/**
 * Replaces log and membership by a snapshot's; false where that would lose something or gain nothing
 * (Raft paper section 7). A snapshot of what we hold already just moves the commit index.
 */
export function restoreSnapshot(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  if (index <= raft.log.committed) return false;
  assert(raft.state === StateType.Follower, 'raft: only a follower takes a snapshot');
  if (!isMember(raft.id, confState)) {
    raft.logger?.log(
      'warn',
      `${raft.name} attempted to restore snapshot but it is not in the ConfState ` +
        `${describeConfState(confState)}; should never happen`,
    );
    return false;
  }
  if (raft.log.matches({ index, term })) {
    logRestored(raft, snapshot, 'fast-forwarded commit to');
    raft.log.commitTo(index);
    return false;
  }
  raft.log.restore(snapshot);
  loadMembership(raft, confState);
  logRestored(raft, snapshot, 'restored');
  return true;
}

/** An outgoing voter may need the snapshot as well: its vote still counts. */
function isMember(id: number, { voters, learners, votersOutgoing }: ConfState): boolean {
  return voters.includes(id) || learners.includes(id) || votersOutgoing.includes(id);
}

function logRestored(raft: Raft, snapshot: Snapshot, what: string): void {
  const { index, term } = snapshot.metadata;
  const last = raft.log.lastEntryId;
  raft.logger?.log(
    'info',
    `${raft.name} [commit: ${raft.log.committed}, lastindex: ${last.index}, ` +
      `lastterm: ${last.term}] ${what} snapshot [index: ${index}, term: ${term}]`,
  );
}
