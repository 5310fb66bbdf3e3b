import { startCampaign } from './election.ts';
import { restoreSnapshot } from './membership.ts';
import { acknowledgement, blankMessage, makeMessage } from './message.ts';
import type { Raft, RaftOutcome } from './raft.ts';
import { type Message, MessageType, NONE } from './types.ts';

export function stepFollower(raft: Raft, message: Message): RaftOutcome {
  switch (message.type) {
    case MessageType.Prop:
      return forwardProposal(raft, message);
    case MessageType.App:
      heardFromLeader(raft, message);
      handleAppend(raft, message);
      return 'ok';
    case MessageType.Heartbeat:
      heardFromLeader(raft, message);
      handleHeartbeat(raft, message);
      return 'ok';
    case MessageType.Snap:
      heardFromLeader(raft, message);
      handleSnapshot(raft, message);
      return 'ok';
    case MessageType.TransferLeader:
      forward(raft, message, 'leader transfer msg');
      return 'ok';
    case MessageType.ReadIndex:
      forward(raft, message, 'index reading msg');
      return 'ok';
    case MessageType.ReadIndexResp:
      handleReadIndexResp(raft, message);
      return 'ok';
    case MessageType.ForgetLeader:
      forgetLeader(raft);
      return 'ok';
    case MessageType.TimeoutNow:
      handleTimeoutNow(raft, message);
      return 'ok';
    default:
      return 'ok';
  }
}

/** Answers an append (Raft paper, figure 2, "AppendEntries RPC", receiver implementation). */
export function handleAppend(raft: Raft, message: Message): void {
  const { from: to, index, logTerm } = message;
  const { log } = raft;
  // What is committed here agrees with the leader; tell it how far, instead of matching again.
  if (index < log.committed) {
    raft.send(acknowledgement(to, log.committed));
    return;
  }
  const previous = { index, term: logTerm };
  const last = log.maybeAppend({ previous, entries: message.entries }, message.commit);
  if (last !== undefined) {
    raft.send(acknowledgement(to, last));
  } else {
    rejectAppend(raft, message);
  }
}

/**
 * The hint is our last entry, at or before the rejected index, whose term is not above the leader's
 * term there: entries of higher terms cannot be in its log (end of section 5.3 of the Raft paper).
 */
function rejectAppend(raft: Raft, { from: to, index, logTerm }: Message): void {
  const { log } = raft;
  const ours = log.term(index);
  raft.logger?.log(
    'debug',
    `${raft.name} [logterm: ${typeof ours === 'number' ? ours : 0}, index: ${index}] rejected ` +
      `MsgApp [logterm: ${logTerm}, index: ${index}] from ${to.toString(16)}`,
  );
  const hint = log.findConflictByTerm({ index: Math.min(index, log.lastIndex), term: logTerm });
  raft.send(
    makeMessage(MessageType.AppResp, {
      to,
      index,
      reject: true,
      rejectHint: hint.index,
      logTerm: hint.term,
    }),
  );
}

export function handleHeartbeat(raft: Raft, { from: to, commit, context }: Message): void {
  raft.log.commitTo(commit);
  const response = blankMessage(MessageType.HeartbeatResp, to);
  response.context = context;
  raft.send(response);
}

/** Takes a snapshot if it is ahead of what we have (Raft paper section 7). */
export function handleSnapshot(raft: Raft, { from: to, snapshot }: Message): void {
  const { index, term } = snapshot?.metadata ?? { index: 0, term: 0 };
  const isRestored = snapshot !== undefined && restoreSnapshot(raft, snapshot);
  raft.logger?.log(
    'info',
    `${raft.name} [commit: ${raft.log.committed}] ${isRestored ? 'restored' : 'ignored'} ` +
      `snapshot [index: ${index}, term: ${term}]`,
  );
  const reached = isRestored ? raft.log.lastIndex : raft.log.committed;
  raft.send(acknowledgement(to, reached));
}

function heardFromLeader(raft: Raft, { from }: Message): void {
  raft.electionElapsed = 0;
  raft.lead = from;
}

function forwardProposal(raft: Raft, message: Message): RaftOutcome {
  const at = `at term ${raft.term}; dropping proposal`;
  if (raft.lead === NONE) {
    raft.logger?.log('info', `${raft.name} no leader ${at}`);
    return 'proposal-dropped';
  }
  if (raft.settings.disableProposalForwarding) {
    const lead = raft.lead.toString(16);
    raft.logger?.log('info', `${raft.name} not forwarding to leader ${lead} ${at}`);
    return 'proposal-dropped';
  }
  raft.send(makeMessage(MessageType.Prop, { ...message, to: raft.lead, term: 0 }));
  return 'ok';
}

/** Passes a request to the leader, under the name of who made it. */
function forward(raft: Raft, message: Message, what: string): void {
  if (raft.lead === NONE) {
    raft.logger?.log('info', `${raft.name} no leader at term ${raft.term}; dropping ${what}`);
    return;
  }
  raft.send(makeMessage(message.type, { ...message, to: raft.lead, term: 0 }));
}

function handleReadIndexResp(raft: Raft, { from, index, entries }: Message): void {
  if (entries.length === 1) {
    raft.readStates.push({ index, context: entries[0]!.data });
    return;
  }
  raft.logger?.log(
    'error',
    `${raft.name} invalid format of MsgReadIndexResp from ${from.toString(16)}, ` +
      `entries count: ${entries.length}`,
  );
}

/** Under a lease the old leader would go on answering reads while another is elected. */
function forgetLeader(raft: Raft): void {
  if (raft.settings.readOnlyOption === 'lease-based') {
    raft.logger?.log('error', 'ignoring MsgForgetLeader due to ReadOnlyLeaseBased');
  } else if (raft.lead !== NONE) {
    const lead = raft.lead.toString(16);
    raft.logger?.log('info', `${raft.name} forgetting leader ${lead} at term ${raft.term}`);
    raft.lead = NONE;
  }
}

/** The leader hands over. No pre-vote: it is known that the election is wanted. */
function handleTimeoutNow(raft: Raft, { from }: Message): void {
  raft.logger?.log(
    'info',
    `${raft.name} [term ${raft.term}] received MsgTimeoutNow from ${from.toString(16)} and ` +
      'starts an election to get leadership.',
  );
  startCampaign(raft, 'transfer');
}
