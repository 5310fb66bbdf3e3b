import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import { broadcastHeartbeat } from './replication.ts';
import { type Message, MessageType, NONE } from './types.ts';

/** Linearizable reads without a log entry (thesis section 6.4). */

export function handleReadIndex(raft: Raft, request: Message): void {
  if (raft.tracker.isSingleton) {
    answer(raft, request, raft.log.committed);
  } else if (!raft.log.hasCommittedInTerm(raft.term)) {
    // Entries of earlier terms may be committed without our knowing; the commit index tells nothing
    // until an entry of our own term is (step 1 of section 6.4).
    raft.pendingReads.push(request);
  } else {
    serve(raft, request);
  }
}

/** Serves the requests that waited for the first commit of the term, now that there is one. */
export function releasePendingReads(raft: Raft): void {
  const requests = raft.pendingReads;
  raft.pendingReads = [];
  for (const request of requests) serve(raft, request);
}

/** A member answered the heartbeat of a round of reads; under a lease no round was ever started. */
export function confirmReads(raft: Raft, from: number, context: Uint8Array): void {
  const confirmed = raft.readOnly.answered(from, context, raft.tracker.config.voters);
  for (const { request, index } of confirmed) answer(raft, request, index);
}

function serve(raft: Raft, request: Message): void {
  const { committed } = raft.log;
  if (raft.settings.readOnlyOption === 'lease-based') {
    // While the lease lasts nobody else can have been elected (section 6.4.1).
    answer(raft, request, committed);
    return;
  }
  broadcastHeartbeat(raft, raft.readOnly.add(raft.id, committed, request));
}

/** To our own application, or to the follower that passed the request on. */
function answer(raft: Raft, request: Message, index: number): void {
  if (request.from === NONE || request.from === raft.id) {
    raft.readStates.push({ index, context: request.entries[0]?.data });
  } else {
    const { from: to, entries } = request;
    raft.send(makeMessage(MessageType.ReadIndexResp, { to, index, entries }));
  }
}
