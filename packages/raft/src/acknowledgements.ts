import { messageTypeName } from './describe.ts';
import type { Raft } from './raft.ts';
import { confirmReads, releasePendingReads } from './reads.ts';
import { broadcastAppend, sendAppend } from './replication.ts';
import type { Progress } from './tracker/progress.ts';
import { sendTimeoutNow } from './transfer.ts';
import type { Message } from './types.ts';

/** What a leader learns from its followers' answers, and from its own log's. */

export function handleAppendResp(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  if (message.reject) handleRejection(raft, message, progress);
  else handleAcceptance(raft, message, progress);
}

/**
 * The follower does not hold the entry before the ones we sent. Its hint is the last index and term at
 * which it may agree with us; with the entry of ours that has at most that term, whole terms are
 * skipped in one round (an optimisation suggested at the end of section 5.3 of the Raft paper).
 */
function handleRejection(raft: Raft, message: Message, progress: Progress): void {
  const { type, from, index, rejectHint, logTerm } = message;
  raft.logger?.log(
    'debug',
    `${raft.name} received ${messageTypeName(type)}(rejected, hint: (index ${rejectHint}, ` +
      `term ${logTerm})) from ${from.toString(16)} for index ${index}`,
  );
  const hint =
    logTerm > 0
      ? raft.log.findConflictByTerm({ index: rejectHint, term: logTerm }).index
      : rejectHint;
  if (!progress.maybeDecreaseTo(index, hint)) return;
  raft.logger?.log(
    'debug',
    `${raft.name} decreased progress of ${from.toString(16)} to [${progress}]`,
  );
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(raft, from, { evenIfEmpty: true });
}

function handleAcceptance(raft: Raft, { from, index }: Message, progress: Progress): void {
  // While probing, an acknowledgement of what we knew already still tells that the probe hit.
  const isProbeHit = progress.state === 'probe' && progress.match === index;
  if (!progress.maybeUpdate(index) && !isProbeHit) return;
  advanceState(raft, from, index, progress);
  if (raft.log.maybeCommit({ term: raft.term, index: raft.tracker.committed() })) {
    releasePendingReads(raft);
    broadcastAppend(raft);
  } else if (from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    // It may have missed the commit index; let it apply without waiting for a heartbeat.
    sendAppend(raft, from, { evenIfEmpty: true });
  }
  if (from === raft.id) return;
  // The acknowledgement may have made room for several messages.
  while (sendAppend(raft, from, { evenIfEmpty: false }));
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex) {
    raft.logger?.log(
      'info',
      `${raft.name} sent MsgTimeoutNow to ${from.toString(16)} after received MsgAppResp`,
    );
    sendTimeoutNow(raft, from);
  }
}

function advanceState(raft: Raft, from: number, index: number, progress: Progress): void {
  if (progress.state === 'probe') {
    progress.becomeReplicate();
  } else if (progress.state === 'replicate') {
    progress.inflights.freeUpTo(index);
  } else if (progress.match + 1 >= raft.log.firstIndex) {
    // Our log reaches back to the follower's end again, by this snapshot or by any other means.
    raft.logger?.log(
      'debug',
      `${raft.name} recovered from needing snapshot, resumed sending replication messages to ` +
        `${from.toString(16)} [${progress}]`,
    );
    progress.becomeProbe();
    progress.becomeReplicate();
  }
}

/** The follower is alive: probe it if it lags, and count it for the read that asked. */
export function handleHeartbeatResp(raft: Raft, message: Message, progress: Progress): void {
  progress.recentActive = true;
  progress.appendsPaused = false;
  if (progress.match < raft.log.lastIndex || progress.state === 'probe') {
    sendAppend(raft, message.from, { evenIfEmpty: true });
  }
  if (message.context !== undefined) confirmReads(raft, message.from, message.context);
}
