import { assert } from '@themisdb/base';
import { LOCAL_APPEND_THREAD, MessageType, type Message } from '@themisdb/raft';

/** A request for a vote, or for what one would vote. */
export function isVoteRequest({ type }: Message): boolean {
  return type === MessageType.Vote || type === MessageType.PreVote;
}

/**
 * The core would send a candidate's requests at once. A vote for oneself is a vote: were it not durable
 * before anybody can grant the term, another life of this replica could win the same term again, and put
 * other entries in the places of those the first one sent.
 */
export function withVotesBehind(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ type }) => type === MessageType.Vote)) return messages;
  const requests = messages.filter(({ type }) => type === MessageType.Vote);
  const others = messages.filter(({ type }) => type !== MessageType.Vote);
  const append = others.findIndex(({ to }) => to === LOCAL_APPEND_THREAD);
  assert(append !== -1, 'a candidate stores its vote');
  const order = others[append]!;
  return others.with(append, { ...order, responses: [...order.responses, ...requests] });
}
