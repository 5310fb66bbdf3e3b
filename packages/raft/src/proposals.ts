import { assert } from '@themisdb/base';
import { decodeConfChange, isConfChangeEntry } from './confchange/codec.ts';
import { asConfChangeV2 } from './confchange/kind.ts';
import { describeConfChange } from './describe.ts';
import { acknowledgement } from './message.ts';
import type { Raft, RaftOutcome } from './raft.ts';
import { broadcastAppend } from './replication.ts';
import { payloadsSize } from './size.ts';
import { describeConfig } from './tracker/config.ts';
import { type AnyConfChange, type Entry, EntryType, type Message, NONE } from './types.ts';

/** A leader's answer to a proposal (Raft paper section 5.3). */
export function handleProposal(raft: Raft, { entries }: Message): RaftOutcome {
  assert(entries.length > 0, 'raft: a proposal without entries');
  // We may have been removed by a change and still be leader.
  if (!raft.tracker.progress.has(raft.id)) return 'proposal-dropped';
  if (raft.leadTransferee !== NONE) {
    raft.logger?.log(
      'debug',
      `${raft.name} [term ${raft.term}] transfer leadership to ` +
        `${raft.leadTransferee.toString(16)} is in progress; dropping proposal`,
    );
    return 'proposal-dropped';
  }
  const admitted = entries.map((entry, at) => admitConfChange(raft, entry, at));
  if (!appendProposal(raft, admitted)) return 'proposal-dropped';
  broadcastAppend(raft);
  return 'ok';
}

/**
 * Appends to the leader's own log; false where the limit on uncommitted bytes forbids it. We
 * acknowledge the entries to ourselves once they are stable (thesis section 10.2.1).
 */
export function appendProposal(raft: Raft, entries: readonly Entry[]): boolean {
  if (!reserveUncommitted(raft, entries)) {
    raft.logger?.log(
      'warn',
      `${raft.name} appending new entries to log would exceed uncommitted entry size limit; ` +
        'dropping proposal',
    );
    return false;
  }
  const { term } = raft;
  const before = raft.log.lastIndex;
  raft.log.append(
    entries.map(({ type, data }, at) => ({ term, index: before + 1 + at, type, data })),
  );
  raft.send(acknowledgement(raft.id, before + entries.length));
  return true;
}

/**
 * A proposal that would go over the limit is refused, unless it is the first: one that is larger than
 * the limit must still get through. Entries without payload always pass, a new leader's and the one
 * that leaves a joint configuration among them.
 */
function reserveUncommitted(raft: Raft, entries: readonly Entry[]): boolean {
  const bytes = payloadsSize(entries);
  const total = raft.uncommittedBytes + bytes;
  const isFull = total > raft.settings.uncommittedBytesMax;
  if (raft.uncommittedBytes > 0 && bytes > 0 && isFull) return false;
  raft.uncommittedBytes = total;
  return true;
}

/** Applied entries may stem from an earlier leader's term and not be counted here. */
export function releaseUncommitted(raft: Raft, bytes: number): void {
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - bytes);
}

/**
 * Lets one configuration change at a time into the log. A refused one is replaced by an empty entry
 * and not dropped, because the other entries of the proposal are wanted.
 */
function admitConfChange(raft: Raft, entry: Entry, at: number): Entry {
  if (!isConfChangeEntry(entry)) return entry;
  const change = decodeConfChange(entry);
  assert(change !== undefined, 'raft: a proposed configuration change cannot be decoded');
  const refusal = confChangeRefusal(raft, change);
  if (refusal !== undefined && !raft.settings.disableConfChangeValidation) {
    raft.logger?.log(
      'info',
      `${raft.name} ignoring conf change ${describeConfChange(change)} at config ` +
        `${describeConfig(raft.tracker.config)}: ${refusal}`,
    );
    return { term: 0, index: 0, type: EntryType.Normal, data: undefined };
  }
  raft.pendingConfIndex = raft.log.lastIndex + at + 1;
  return entry;
}

function confChangeRefusal(raft: Raft, change: AnyConfChange): string | undefined {
  const { applied } = raft.log;
  const { isJoint } = raft.tracker.config.voters;
  const wantsToLeave = asConfChangeV2(change).changes.length === 0;
  if (raft.pendingConfIndex > applied) {
    return `possible unapplied conf change at index ${raft.pendingConfIndex} (applied to ${applied})`;
  }
  if (isJoint && !wantsToLeave) return 'must transition out of joint config first';
  if (!isJoint && wantsToLeave) return 'not in joint state; refusing empty conf change';
  return undefined;
}
