import {
  type Entry,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
  NONE,
  type Snapshot,
} from './types.ts';

const NO_ENTRIES: readonly Entry[] = [];
const NO_MESSAGES: readonly Message[] = [];

/** A message that its maker is still writing; read-only once it is sent. */
export type MessageDraft = { -readonly [Key in keyof Message]: Message[Key] };

/**
 * A message with every field at its default. The one place where messages are made, so that all of
 * them have one shape to the engine; frequent messages are filled in field by field for speed.
 */
export function blankMessage(type: MessageType, to: number): MessageDraft {
  return {
    type,
    to,
    from: NONE,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: NO_ENTRIES,
    commit: 0,
    vote: NONE,
    snapshot: undefined,
    reject: false,
    rejectHint: 0,
    context: undefined,
    responses: NO_MESSAGES,
  };
}

/** A message with everything not named left at its default. */
export function makeMessage(
  type: MessageType,
  fields: Partial<Omit<Message, 'type'>> = {},
): MessageDraft {
  return Object.assign(blankMessage(type, NONE), fields);
}

/** Tells a leader that our log agrees with its own up to `index`. */
export function acknowledgement(to: number, index: number): MessageDraft {
  const message = blankMessage(MessageType.AppResp, to);
  message.index = index;
  return message;
}

/** Such a message never crosses the network. */
export function isLocalMessage(type: MessageType): boolean {
  switch (type) {
    case MessageType.Hup:
    case MessageType.Beat:
    case MessageType.Unreachable:
    case MessageType.SnapStatus:
    case MessageType.CheckQuorum:
    case MessageType.StorageAppend:
    case MessageType.StorageAppendResp:
    case MessageType.StorageApply:
    case MessageType.StorageApplyResp:
      return true;
    default:
      return false;
  }
}

/** Such a message answers another and is only taken from members. */
export function isResponseMessage(type: MessageType): boolean {
  switch (type) {
    case MessageType.AppResp:
    case MessageType.VoteResp:
    case MessageType.HeartbeatResp:
    case MessageType.Unreachable:
    case MessageType.ReadIndexResp:
    case MessageType.PreVoteResp:
    case MessageType.StorageAppendResp:
    case MessageType.StorageApplyResp:
      return true;
    default:
      return false;
  }
}

/** About the sender's term, or (before a vote) the term the sender would move to. */
export function isVoteMessage(type: MessageType): boolean {
  switch (type) {
    case MessageType.Vote:
    case MessageType.VoteResp:
    case MessageType.PreVote:
    case MessageType.PreVoteResp:
      return true;
    default:
      return false;
  }
}

/** Promises something about the sender's stable state, which has to be there first. */
export function isPromise(type: MessageType): boolean {
  switch (type) {
    case MessageType.AppResp:
    case MessageType.VoteResp:
    case MessageType.PreVoteResp:
      return true;
    default:
      return false;
  }
}

/** Names a part of the host instead of a node. */
export function isLocalTarget(id: number): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

/** A snapshot with index 0 is as good as none. */
export function holdsSnapshot(snapshot: Snapshot | undefined): snapshot is Snapshot {
  return snapshot !== undefined && snapshot.metadata.index > 0;
}

export function isEmptyHardState({ term, vote, commit }: HardState): boolean {
  return term === 0 && vote === NONE && commit === 0;
}

export function isSameHardState(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}
