import { assert } from '@themisdb/base';
import { blankMessage, makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import { payloadsSize } from './size.ts';
import type { Progress } from './tracker/progress.ts';
import { type Entry, MessageType } from './types.ts';

/** What a leader sends to its followers (Raft paper section 5.3; thesis section 10.2). */

/** An append to every follower that is not paused; without new entries it still tells the commit. */
export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.progress.keys()) {
    if (id !== raft.id) sendAppend(raft, id, { evenIfEmpty: true });
  }
}

/** The next entries to every follower that lacks some. */
export function broadcastNewEntries(raft: Raft): void {
  for (const id of raft.tracker.progress.keys()) {
    if (id !== raft.id) sendAppend(raft, id, { evenIfEmpty: false });
  }
}

/**
 * Sends the next entries to a follower, or a snapshot where they have been compacted away. False where
 * nothing was sent: the follower is paused, or there is nothing to send.
 */
export function sendAppend(raft: Raft, to: number, { evenIfEmpty }: AppendOptions): boolean {
  const progress = mustProgress(raft, to);
  if (progress.isPaused) return false;
  const index = progress.next - 1;
  const logTerm = raft.log.term(index);
  if (typeof logTerm !== 'number') return sendSnapshot(raft, to, progress);
  const entries = nextEntries(raft, progress);
  if (entries === 'compacted') return sendSnapshot(raft, to, progress);
  if (entries.length === 0 && !evenIfEmpty) return false;
  const commit = raft.log.committed;
  const message = blankMessage(MessageType.App, to);
  message.index = index;
  message.logTerm = logTerm;
  message.entries = entries;
  message.commit = commit;
  raft.send(message);
  progress.sentEntries(entries.length, payloadsSize(entries));
  progress.sentCommit(commit);
  return true;
}

export interface AppendOptions {
  /** Send an append without entries too. */
  readonly evenIfEmpty: boolean;
}

/**
 * With a full window nothing is added, yet an empty append goes out: should all the appends in the
 * window be lost, its rejection gets replication going again.
 */
function nextEntries(raft: Raft, progress: Progress): readonly Entry[] | 'compacted' {
  if (progress.state === 'replicate' && progress.inflights.full) return [];
  return raft.log.entriesFrom(progress.next, raft.settings.messageBytesMax);
}

function sendSnapshot(raft: Raft, to: number, progress: Progress): boolean {
  const name = to.toString(16);
  if (!progress.recentActive) {
    raft.logger?.log('debug', `ignore sending snapshot to ${name} since it is not recently active`);
    return false;
  }
  const snapshot = raft.log.snapshot();
  if (snapshot === undefined) {
    raft.logger?.log(
      'debug',
      `${raft.name} failed to send snapshot to ${name} because snapshot is temporarily unavailable`,
    );
    return false;
  }
  const { index, term } = snapshot.metadata;
  assert(index > 0, 'raft: the log is compacted but there is no snapshot');
  const { firstIndex, committed } = raft.log;
  raft.logger?.log(
    'debug',
    `${raft.name} [firstindex: ${firstIndex}, commit: ${committed}] sent ` +
      `snapshot[index: ${index}, term: ${term}] to ${name} [${progress}]`,
  );
  progress.becomeSnapshot(index);
  raft.logger?.log(
    'debug',
    `${raft.name} paused sending replication messages to ${name} [${progress}]`,
  );
  raft.send(makeMessage(MessageType.Snap, { to, snapshot }));
  return true;
}

/** `context` names the round of reads that an answer confirms (thesis section 6.4). */
export function broadcastHeartbeat(raft: Raft, context: Uint8Array | undefined): void {
  for (const [to, progress] of raft.tracker.progress) {
    if (to === raft.id) continue;
    // The commit index may lie past what the follower is known to hold; it must not commit entries
    // there, which may be other entries than ours.
    const commit = Math.min(progress.match, raft.log.committed);
    const message = blankMessage(MessageType.Heartbeat, to);
    message.commit = commit;
    message.context = context;
    raft.send(message);
    progress.sentCommit(commit);
  }
}

export function mustProgress(raft: Raft, id: number): Progress {
  const progress = raft.tracker.progress.get(id);
  assert(progress !== undefined, () => `raft: ${id} is no member`);
  return progress;
}
