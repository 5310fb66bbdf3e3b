import { messageTypeName } from './describe.ts';
import { CAMPAIGN_TRANSFER, describeVoteRequest } from './election.ts';
import { acknowledgement, holdsSnapshot, makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import { appliedSnapshot } from './storage-progress.ts';
import { becomeFollower } from './transitions.ts';
import { type Message, MessageType, NONE } from './types.ts';

/**
 * Compares terms (Raft paper section 5.1): follows a newer one, answers or ignores an older one.
 * False where the message is thereby dealt with. Term 0 marks a message of local origin.
 */
export function admitsTerm(raft: Raft, message: Message): boolean {
  if (message.term === 0 || message.term === raft.term) return true;
  return message.term > raft.term ? followNewer(raft, message) : refuseOlder(raft, message);
}

function followNewer(raft: Raft, message: Message): boolean {
  const { type, term, from, reject } = message;
  if (type === MessageType.Vote || type === MessageType.PreVote) {
    if (isLeaseHeld(raft, message)) return false;
  }
  // A pre-vote is about a term nobody has moved to; our consent to one neither. A refused one comes
  // with the term of who refused.
  const isAboutFuture =
    type === MessageType.PreVote || (type === MessageType.PreVoteResp && !reject);
  if (isAboutFuture) return true;
  raft.logger?.log(
    'info',
    `${raft.name} [term: ${raft.term}] received a ${messageTypeName(type)} message with ` +
      `higher term from ${from.toString(16)} [term: ${term}]`,
  );
  becomeFollower(raft, term, LEADER_TYPES.has(type) ? from : NONE);
  return true;
}

/** Only the leader of their term sends them. */
const LEADER_TYPES: ReadonlySet<MessageType> = new Set([
  MessageType.App,
  MessageType.Heartbeat,
  MessageType.Snap,
]);

/**
 * Having heard of a leader within the minimum election timeout, a node helps no candidate: one that
 * was cut off or removed cannot disturb a working group (thesis section 4.2.3). A transfer of
 * leadership is wanted and passes.
 */
function isLeaseHeld(raft: Raft, message: Message): boolean {
  const { checkQuorum, electionTicks } = raft.settings;
  const inLease = checkQuorum && raft.lead !== NONE && raft.electionElapsed < electionTicks;
  if (!inLease || isForcedVote(message)) return false;
  raft.logger?.log(
    'info',
    `${describeVoteRequest(raft, 'ignored', message)}: lease is not expired ` +
      `(remaining ticks: ${electionTicks - raft.electionElapsed})`,
  );
  return true;
}

/** Whether a leader that hands over has asked for the election. */
export function isForcedVote({ context }: Message): boolean {
  return (
    context !== undefined &&
    context.length === CAMPAIGN_TRANSFER.length &&
    context.every((byte, at) => byte === CAMPAIGN_TRANSFER[at])
  );
}

function refuseOlder(raft: Raft, message: Message): false {
  const { checkQuorum, preVote } = raft.settings;
  const { type, from } = message;
  const isFromLeader = type === MessageType.Heartbeat || type === MessageType.App;
  if ((checkQuorum || preVote) && isFromLeader) {
    // We may have moved to a higher term while cut off, and nobody in the group will listen to our
    // requests. An answer with our term makes the old leader step down, which lets us back in.
    raft.send(acknowledgement(from, 0));
  } else if (type === MessageType.PreVote) {
    // The candidate must learn our term, or it might wait for our consent for ever.
    raft.logger?.log('info', describeVoteRequest(raft, 'rejected', message));
    raft.send(makeMessage(MessageType.PreVoteResp, { to: from, term: raft.term, reject: true }));
  } else if (type === MessageType.StorageAppendResp) {
    refuseStaleAppend(raft, message);
  } else {
    raft.logger?.log(
      'info',
      `${raft.name} [term: ${raft.term}] ignored a ${messageTypeName(type)} message with ` +
        `lower term from ${from.toString(16)} [term: ${message.term}]`,
    );
  }
  return false;
}

/**
 * A write of an earlier term is done. Its entries may be about to be overwritten by a write still
 * under way, even by one and the same entry coming back (an ABA), so nothing is taken off the unstable
 * log. A snapshot on the other hand is committed and cannot be undone.
 */
function refuseStaleAppend(raft: Raft, message: Message): void {
  if (message.index !== 0) {
    raft.logger?.log(
      'info',
      `${raft.name} [term: ${raft.term}] ignored entry appends from a ` +
        `${messageTypeName(message.type)} message with lower term [term: ${message.term}]`,
    );
  }
  if (holdsSnapshot(message.snapshot)) appliedSnapshot(raft, message.snapshot);
}
