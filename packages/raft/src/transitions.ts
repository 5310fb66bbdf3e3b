import { assert } from '@themisdb/base';
import { appendProposal } from './proposals.ts';
import type { Raft } from './raft.ts';
import { NONE, StateType } from './types.ts';

/** Changes of role (Raft paper, figure 4). */

export function becomeFollower(raft: Raft, term: number, lead: number): void {
  reset(raft, term);
  raft.lead = lead;
  raft.state = StateType.Follower;
  raft.logger?.log('info', `${raft.name} became follower at term ${raft.term}`);
}

export function becomeCandidate(raft: Raft): void {
  assert(!raft.isLeader, 'raft: a leader cannot become candidate');
  reset(raft, raft.term + 1);
  raft.vote = raft.id;
  raft.state = StateType.Candidate;
  raft.logger?.log('info', `${raft.name} became candidate at term ${raft.term}`);
}

/** Changes neither term nor vote: asking must not disturb anybody (thesis section 9.6). */
export function becomePreCandidate(raft: Raft): void {
  assert(!raft.isLeader, 'raft: a leader cannot become pre-candidate');
  raft.tracker.resetVotes();
  raft.lead = NONE;
  raft.state = StateType.PreCandidate;
  raft.logger?.log('info', `${raft.name} became pre-candidate at term ${raft.term}`);
}

export function becomeLeader(raft: Raft): void {
  assert(raft.state !== StateType.Follower, 'raft: a follower cannot become leader');
  reset(raft, raft.term);
  raft.lead = raft.id;
  raft.state = StateType.Leader;
  const own = raft.tracker.progress.get(raft.id);
  assert(own !== undefined, 'raft: a leader is a member');
  own.becomeReplicate();
  own.recentActive = true;
  // A change among the entries of former leaders may be unapplied; where is not worth a search.
  raft.pendingConfIndex = raft.log.lastIndex;
  // Committing an entry of the new term commits the earlier ones (paper sections 5.4.2 and 8).
  const isAppended = appendProposal(raft, [NOTHING]);
  assert(isAppended, 'raft: the empty entry of a new leader is never refused');
  raft.logger?.log('info', `${raft.name} became leader at term ${raft.term}`);
}

const NOTHING = { term: 0, index: 0, type: undefined, data: undefined };

function reset(raft: Raft, term: number): void {
  assert(term >= raft.term, () => `raft: term ${term} is below ${raft.term}`);
  if (raft.term !== term) {
    raft.term = term;
    raft.vote = NONE;
  }
  raft.lead = NONE;
  raft.electionElapsed = 0;
  raft.heartbeatElapsed = 0;
  const { electionTicks, random } = raft.settings;
  raft.randomizedElectionTicks = electionTicks + random(electionTicks);
  raft.leadTransferee = NONE;
  raft.tracker.resetVotes();
  raft.tracker.resetProgress(raft.id, raft.log.lastIndex);
  raft.uncommittedBytes = 0;
  raft.readOnly.clear();
}
