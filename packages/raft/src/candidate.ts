import { messageTypeName, stateName } from './describe.ts';
import { campaign, poll } from './election.ts';
import { handleAppend, handleHeartbeat, handleSnapshot } from './follower.ts';
import type { Raft, RaftOutcome } from './raft.ts';
import { broadcastAppend } from './replication.ts';
import { becomeFollower, becomeLeader } from './transitions.ts';
import { type Message, MessageType, NONE, StateType } from './types.ts';

/** A candidate or pre-candidate (Raft paper section 5.2, thesis section 9.6). */
export function stepCandidate(raft: Raft, message: Message): RaftOutcome {
  switch (message.type) {
    case MessageType.Prop:
      raft.logger?.log('info', `${raft.name} no leader at term ${raft.term}; dropping proposal`);
      return 'proposal-dropped';
    case MessageType.App:
    case MessageType.Heartbeat:
    case MessageType.Snap:
      followLeader(raft, message);
      return 'ok';
    case MessageType.VoteResp:
    case MessageType.PreVoteResp:
      handleVoteResp(raft, message);
      return 'ok';
    case MessageType.TimeoutNow:
      raft.logger?.log(
        'debug',
        `${raft.name} [term ${raft.term} state ${stateName(raft.state)}] ignored ` +
          `MsgTimeoutNow from ${message.from.toString(16)}`,
      );
      return 'ok';
    default:
      return 'ok';
  }
}

/** Somebody else has won this term's election. */
function followLeader(raft: Raft, message: Message): void {
  becomeFollower(raft, message.term, message.from);
  if (message.type === MessageType.App) handleAppend(raft, message);
  else if (message.type === MessageType.Heartbeat) handleHeartbeat(raft, message);
  else handleSnapshot(raft, message);
}

function handleVoteResp(raft: Raft, message: Message): void {
  const isPreCandidate = raft.state === StateType.PreCandidate;
  // An answer from the stage we have left must not count in this one.
  const awaited = isPreCandidate ? MessageType.PreVoteResp : MessageType.VoteResp;
  if (message.type !== awaited) return;
  const { granted, rejected, result } = poll(raft, message);
  raft.logger?.log(
    'info',
    `${raft.name} has received ${granted} ${messageTypeName(message.type)} votes and ` +
      `${rejected} vote rejections`,
  );
  if (result === 'won' && isPreCandidate) {
    campaign(raft, 'vote');
  } else if (result === 'won') {
    becomeLeader(raft);
    broadcastAppend(raft);
  } else if (result === 'lost') {
    // The term stays: a refused pre-vote may carry our consent to a higher one that nobody holds.
    becomeFollower(raft, raft.term, NONE);
  }
}
