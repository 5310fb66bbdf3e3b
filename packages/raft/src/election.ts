import { utf8Encode } from '@themisdb/base';
import { isConfChangeEntry } from './confchange/codec.ts';
import { messageTypeName } from './describe.ts';
import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import type { VoteTally } from './tracker/tracker.ts';
import { becomeCandidate, becomePreCandidate } from './transitions.ts';
import { type Message, MessageType, NONE } from './types.ts';

/** Context of a vote request that a leader asked for; it passes the lease of other nodes. */
export const CAMPAIGN_TRANSFER: Uint8Array = utf8Encode('CampaignTransfer');

/**
 * How far a campaign goes: `pre-vote` asks whether an election could be won (thesis section 9.6),
 * `vote` holds it, `transfer` holds it at the old leader's request.
 */
export type Campaign = 'pre-vote' | 'vote' | 'transfer';

export function handleHup(raft: Raft): void {
  startCampaign(raft, raft.settings.preVote ? 'pre-vote' : 'vote');
}

/** Campaigns unless that is pointless or unsafe. */
export function startCampaign(raft: Raft, kind: Campaign): void {
  if (raft.isLeader) {
    raft.logger?.log('debug', `${raft.name} ignoring MsgHup because already leader`);
  } else if (!raft.isPromotable) {
    raft.logger?.log('warn', `${raft.name} is unpromotable and can not campaign`);
  } else if (hasUnappliedConfChange(raft)) {
    raft.logger?.log(
      'warn',
      `${raft.name} cannot campaign at term ${raft.term} since there are still pending ` +
        'configuration changes to apply',
    );
  } else {
    raft.logger?.log('info', `${raft.name} is starting a new election at term ${raft.term}`);
    campaign(raft, kind);
  }
}

/**
 * A change that is committed but not applied here would let us count votes by a membership that the
 * group has left behind.
 */
function hasUnappliedConfChange({ log }: Raft): boolean {
  return log.some(log.applied + 1, log.committed + 1, isConfChangeEntry);
}

/** Asks every voter, ourselves included: our own vote counts once it is on stable storage. */
export function campaign(raft: Raft, kind: Campaign): void {
  const isPreVote = kind === 'pre-vote';
  if (isPreVote) becomePreCandidate(raft);
  else becomeCandidate(raft);
  const term = isPreVote ? raft.term + 1 : raft.term;
  const request = isPreVote ? MessageType.PreVote : MessageType.Vote;
  const context = kind === 'transfer' ? CAMPAIGN_TRANSFER : undefined;
  const { index, term: logTerm } = raft.log.lastEntryId;
  for (const to of raft.tracker.config.voters.ids) {
    if (to === raft.id) {
      raft.send(makeMessage(responseType(request), { to, term }));
      continue;
    }
    raft.logger?.log(
      'info',
      `${raft.name} [logterm: ${logTerm}, index: ${index}] sent ${messageTypeName(request)} ` +
        `request to ${to.toString(16)} at term ${raft.term}`,
    );
    raft.send(makeMessage(request, { to, term, index, logTerm, context }));
  }
}

/** Takes an answer to our request and counts again. */
export function poll(raft: Raft, { type, from, reject }: Message): VoteTally {
  raft.logger?.log(
    'info',
    `${raft.name} received ${messageTypeName(type)}${reject ? ' rejection' : ''} ` +
      `from ${from.toString(16)} at term ${raft.term}`,
  );
  raft.tracker.recordVote(from, !reject);
  return raft.tracker.tallyVotes();
}

/**
 * Grants or refuses a (pre-)vote (Raft paper sections 5.2 and 5.4.1). Learners vote too: they may have
 * become voters by a change that they have not applied yet, and only voters are asked.
 */
export function handleVoteRequest(raft: Raft, message: Message): void {
  const { type, from, term } = message;
  const candidate = { index: message.index, term: message.logTerm };
  if (mayVote(raft, message) && raft.log.isUpToDate(candidate)) {
    raft.logger?.log('info', describeVoteRequest(raft, 'cast', message));
    // The answer names the term that was asked about: in a pre-vote that is not ours.
    raft.send(makeMessage(responseType(type), { to: from, term }));
    if (type === MessageType.Vote) {
      raft.electionElapsed = 0;
      raft.vote = from;
    }
  } else {
    raft.logger?.log('info', describeVoteRequest(raft, 'rejected', message));
    raft.send(makeMessage(responseType(type), { to: from, term: raft.term, reject: true }));
  }
}

function mayVote(raft: Raft, { type, from, term }: Message): boolean {
  if (raft.vote === from) return true;
  if (raft.vote === NONE && raft.lead === NONE) return true;
  return type === MessageType.PreVote && term > raft.term;
}

function responseType(request: MessageType): MessageType {
  return request === MessageType.PreVote ? MessageType.PreVoteResp : MessageType.VoteResp;
}

export function describeVoteRequest(
  raft: Raft,
  verdict: 'cast' | 'rejected' | 'ignored',
  { type, from, logTerm, index }: Message,
): string {
  const own = raft.log.lastEntryId;
  const state = `[logterm: ${own.term}, index: ${own.index}, vote: ${raft.vote.toString(16)}]`;
  const preposition = verdict === 'cast' ? 'for' : 'from';
  return (
    `${raft.name} ${state} ${verdict} ${messageTypeName(type)} ${preposition} ` +
    `${from.toString(16)} [logterm: ${logTerm}, index: ${index}] at term ${raft.term}`
  );
}
