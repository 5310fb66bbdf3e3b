import { describeConfig } from './tracker/config.ts';
import { holdsSnapshot, makeMessage } from './message.ts';
import { releaseUncommitted } from './proposals.ts';
import type { Raft } from './raft.ts';
import { entriesSize, payloadsSize } from './size.ts';
import { EntryType, type Message, MessageType, type Snapshot } from './types.ts';

/** What the host reports back about its storage: written, installed, applied. */

/** Entries and snapshot handed out before this message, in this term, are on stable storage. */
export function handleStorageAppendResp(raft: Raft, message: Message): void {
  const { index, logTerm, snapshot } = message;
  if (index !== 0) raft.log.unstable.stableTo({ index, term: logTerm });
  if (holdsSnapshot(snapshot)) appliedSnapshot(raft, snapshot);
}

export function handleStorageApplyResp(raft: Raft, { entries }: Message): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(raft, last.index, entriesSize(entries));
  releaseUncommitted(raft, payloadsSize(entries));
}

export function appliedSnapshot(raft: Raft, snapshot: Snapshot): void {
  const { index } = snapshot.metadata;
  raft.log.unstable.stableSnapshotTo(index);
  appliedTo(raft, index, 0);
}

/** The application has applied entries up to `index`, `bytes` of them since the last report. */
export function appliedTo(raft: Raft, index: number, bytes: number): void {
  const applied = Math.max(index, raft.log.applied);
  raft.log.appliedTo(applied, bytes);
  if (raft.tracker.config.autoLeave && applied >= raft.pendingConfIndex && raft.isLeader) {
    leaveJoint(raft);
  }
}

/**
 * The joint configuration is in force and no other change is under way: leave it (thesis section
 * 4.3). The proposal has no payload, so no limit can refuse it; where it is dropped all the same (a
 * transfer of leadership), the next applied entry tries again.
 */
function leaveJoint(raft: Raft): void {
  const entry = { term: 0, index: 0, type: EntryType.ConfChangeV2, data: undefined };
  const config = describeConfig(raft.tracker.config);
  const outcome = raft.step(makeMessage(MessageType.Prop, { entries: [entry] }));
  if (outcome === 'ok') {
    raft.logger?.log(
      'info',
      `initiating automatic transition out of joint configuration ${config}`,
    );
  } else {
    raft.logger?.log(
      'debug',
      `not initiating automatic transition out of joint configuration ${config}: ` +
        'raft proposal dropped',
    );
  }
}
