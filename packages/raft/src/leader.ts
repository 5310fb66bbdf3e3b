import { handleAppendResp, handleHeartbeatResp } from './acknowledgements.ts';
import { handleProposal } from './proposals.ts';
import type { Raft, RaftOutcome } from './raft.ts';
import { handleReadIndex } from './reads.ts';
import { broadcastHeartbeat } from './replication.ts';
import type { Progress } from './tracker/progress.ts';
import { handleTransferLeader } from './transfer.ts';
import { becomeFollower } from './transitions.ts';
import { type Message, MessageType, NONE } from './types.ts';

export function stepLeader(raft: Raft, message: Message): RaftOutcome {
  switch (message.type) {
    case MessageType.Beat:
      broadcastHeartbeat(raft, raft.readOnly.context);
      return 'ok';
    case MessageType.CheckQuorum:
      checkQuorum(raft);
      return 'ok';
    case MessageType.Prop:
      return handleProposal(raft, message);
    case MessageType.ReadIndex:
      handleReadIndex(raft, message);
      return 'ok';
    case MessageType.ForgetLeader:
      return 'ok';
    default:
      stepFromMember(raft, message);
      return 'ok';
  }
}

/** Messages about or from one member. */
function stepFromMember(raft: Raft, message: Message): void {
  const progress = raft.tracker.progress.get(message.from);
  if (progress === undefined) {
    raft.logger?.log(
      'debug',
      `${raft.name} no progress available for ${message.from.toString(16)}`,
    );
    return;
  }
  switch (message.type) {
    case MessageType.AppResp:
      handleAppendResp(raft, message, progress);
      break;
    case MessageType.HeartbeatResp:
      handleHeartbeatResp(raft, message, progress);
      break;
    case MessageType.SnapStatus:
      handleSnapshotStatus(raft, message, progress);
      break;
    case MessageType.Unreachable:
      handleUnreachable(raft, message, progress);
      break;
    case MessageType.TransferLeader:
      handleTransferLeader(raft, message, progress);
      break;
    default:
  }
}

/** A leader that no quorum answers could not commit anything; clients better look elsewhere. */
function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) {
    raft.logger?.log('warn', `${raft.name} stepped down to follower since quorum is not active`);
    becomeFollower(raft, raft.term, NONE);
  }
  for (const [id, progress] of raft.tracker.progress) {
    if (id !== raft.id) progress.recentActive = false;
  }
}

/** The host tells what became of a snapshot it carried. */
function handleSnapshotStatus(raft: Raft, { from, reject }: Message, progress: Progress): void {
  if (progress.state !== 'snapshot') return;
  // A failed snapshot must not count as delivered.
  if (reject) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  raft.logger?.log(
    'debug',
    `${raft.name} snapshot ${reject ? 'failed' : 'succeeded'}, resumed sending replication ` +
      `messages to ${from.toString(16)} [${progress}]`,
  );
  // Delivered: its answer is on the way. Failed: leave it a heartbeat before the next attempt.
  progress.appendsPaused = true;
}

/** The host could not send to a member: appends that were pipelined are probably lost. */
function handleUnreachable(raft: Raft, { from }: Message, progress: Progress): void {
  if (progress.state === 'replicate') progress.becomeProbe();
  raft.logger?.log(
    'debug',
    `${raft.name} failed to send message to ${from.toString(16)} ` +
      `because it is unreachable [${progress}]`,
  );
}
