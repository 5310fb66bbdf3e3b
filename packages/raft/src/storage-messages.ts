import { holdsSnapshot, makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import {
  type Entry,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
  type Ready,
} from './types.ts';

/**
 * Messages between a node and its own storage (asynchronous storage writes). Each function returns
 * one message, or none where there is nothing to say. Without asynchronous writes the responses are
 * used alone, as what `advance` steps.
 */

/** What a Ready asks of the host's storage. */
export type StorageWork = Pick<Ready, 'entries' | 'hardState' | 'snapshot' | 'committedEntries'>;

/**
 * The order to write what a Ready holds. Its responses go out when that is done: what other nodes
 * wait for first, then our own note of it.
 */
export function storageAppend(raft: Raft, work: StorageWork): Message[] {
  const { entries, hardState, snapshot } = work;
  const hasWork =
    entries.length > 0 ||
    hardState !== undefined ||
    holdsSnapshot(snapshot) ||
    raft.messagesAfterAppend.length > 0;
  if (!hasWork) return [];
  return [
    makeMessage(MessageType.StorageAppend, {
      to: LOCAL_APPEND_THREAD,
      from: raft.id,
      entries,
      // All three of the hard state, or none: the host tells a change by it.
      ...hardState,
      snapshot,
      // Our own acknowledgements come before the note that takes the entries off the unstable log,
      // where their terms are looked up fastest.
      responses: [...raft.messagesAfterAppend, ...appendResponse(raft, work)],
    }),
  ];
}

/**
 * The note that everything handed out so far is stable. It names the end of the log even if this Ready
 * holds no entries: the note for the Ready that did may be ignored because the term has changed since
 * (see `refuseStaleAppend`), and then this one has to release them. A change of term brings a Ready
 * with a hard state, hence another note, so entries do not stay in memory for ever.
 */
export function appendResponse(raft: Raft, { snapshot }: StorageWork): Message[] {
  const { log } = raft;
  const hasEntries = log.unstable.length > 0;
  if (!hasEntries && !holdsSnapshot(snapshot)) return [];
  const last = hasEntries ? log.lastEntryId : { index: 0, term: 0 };
  return [
    makeMessage(MessageType.StorageAppendResp, {
      to: raft.id,
      from: LOCAL_APPEND_THREAD,
      term: raft.term,
      index: last.index,
      logTerm: last.term,
      snapshot,
    }),
  ];
}

/** The order to apply committed entries; they are committed whatever the term, so it names none. */
export function storageApply(raft: Raft, { committedEntries }: StorageWork): Message[] {
  if (committedEntries.length === 0) return [];
  return [
    makeMessage(MessageType.StorageApply, {
      to: LOCAL_APPLY_THREAD,
      from: raft.id,
      entries: committedEntries,
      responses: applyResponse(raft, committedEntries),
    }),
  ];
}

export function applyResponse(raft: Raft, entries: readonly Entry[]): Message[] {
  if (entries.length === 0) return [];
  const { id: to } = raft;
  return [makeMessage(MessageType.StorageApplyResp, { to, from: LOCAL_APPLY_THREAD, entries })];
}
