import { invariants } from '@themisdb/base';
import { MemoryStorage } from '../memory-storage.ts';
import { makeMessage } from '../message.ts';
import { Raft } from '../raft.ts';
import { broadcastAppend, mustProgress } from '../replication.ts';
import type { Progress } from '../tracker/progress.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
} from '../transitions.ts';
import {
  type ConfState,
  type Entry,
  type HardState,
  type Message,
  MessageType,
  type RaftConfig,
} from '../types.ts';
import { DEFAULTS, entriesFrom, membersOf, type Role } from './values.ts';

/**
 * The core of one node without the door around it: for tests of a single step, of what waits for the
 * disk, and of states that a host would never let last. Nothing is written or applied unless the test
 * does it.
 */
export interface CoreSetup extends Partial<Omit<RaftConfig, 'storage'>> {
  readonly members?: Partial<ConfState>;
  /** Terms of the entries in storage, from index 1 on. */
  readonly terms?: readonly number[];
  readonly hardState?: Partial<HardState>;
  readonly storage?: MemoryStorage;
}

const THREE: Partial<ConfState> = { voters: [1, 2, 3] };

/** Node 1 of the voters 1, 2, 3 where nothing else is said. */
export function makeCore(setup: CoreSetup = {}): Raft {
  invariants.enabled = true;
  const {
    members = THREE,
    terms = [],
    hardState,
    storage = new MemoryStorage(),
    ...config
  } = setup;
  if (storage.lastIndex() === 0) {
    const metadata = { index: 0, term: 0, confState: membersOf(members) };
    storage.applySnapshot({ data: undefined, metadata });
    storage.append(entriesFrom(1, ...terms));
  }
  if (hardState !== undefined) storage.setHardState({ term: 0, vote: 0, commit: 0, ...hardState });
  return new Raft({ ...DEFAULTS, id: 1, ...config, storage });
}

/** A core that has just won the election of its next term; what it sent is still there. */
export function makeLeader(setup: CoreSetup = {}): Raft {
  return enterRole(makeCore(setup), 'leader');
}

/** Puts a core into a role at once, without asking anybody; a leader makes its first appends. */
export function enterRole(core: Raft, role: Role, lead = 2): Raft {
  if (role === 'follower') becomeFollower(core, Math.max(core.term, 1), lead);
  if (role === 'pre-candidate') becomePreCandidate(core);
  if (role === 'candidate' || role === 'leader') becomeCandidate(core);
  if (role === 'leader') {
    becomeLeader(core);
    broadcastAppend(core);
  }
  return core;
}

/** The promises that wait for the disk, taken out. */
export function takePromises(core: Raft): Message[] {
  const promises = core.messagesAfterAppend;
  core.messagesAfterAppend = [];
  return promises;
}

/** The disk has everything: gives the core its own promises, until it makes no more to itself. */
export function keepPromises(core: Raft): void {
  while (core.messagesAfterAppend.length > 0) {
    for (const promise of takePromises(core)) deliverOrQueue(core, promise);
  }
}

export function deliverOrQueue(core: Raft, message: Message): void {
  if (message.to === core.id) core.step(message);
  else core.messages.push(message);
}

/** Everything for other nodes, once our own disk has everything. */
export function takeMessages(core: Raft): Message[] {
  keepPromises(core);
  const messages = core.messages;
  core.messages = [];
  return messages;
}

/** The single message there is. */
export function takeOne(core: Raft): Message {
  const [message, ...others] = takeMessages(core);
  if (message === undefined || others.length > 0) throw new Error('not exactly one message');
  return message;
}

/** Writes what is unstable to the storage and tells the core; returns the entries written. */
export function write(core: Raft, storage: MemoryStorage): readonly Entry[] {
  const entries = core.log.unstable.nextEntries();
  storage.append(entries);
  core.log.unstable.acceptInProgress();
  if (entries.length > 0) core.log.unstable.stableTo(core.log.lastEntryId);
  keepPromises(core);
  return entries;
}

/** Takes the committed entries as if they had been applied. */
export function apply(core: Raft): readonly Entry[] {
  const entries = core.log.nextCommitted(true);
  core.log.appliedTo(core.log.committed, 0);
  return entries;
}

export function step(core: Raft, type: MessageType, fields: Partial<Omit<Message, 'type'>>): void {
  core.step(makeMessage(type, { to: core.id, ...fields }));
}

/** An acknowledgement of everything up to `index`, in the core's term. */
export function acknowledge(core: Raft, from: number, index: number): void {
  step(core, MessageType.AppResp, { from, term: core.term, index });
}

/** What a follower that takes an append would answer. */
export function acceptanceOf({ from, to, term, index, entries }: Message): Message {
  return makeMessage(MessageType.AppResp, {
    from: to,
    to: from,
    term,
    index: index + entries.length,
  });
}

export function progressOf(core: Raft, id: number): Progress {
  return mustProgress(core, id);
}

export function allEntries(core: Raft): readonly Entry[] {
  const entries = core.log.entriesFrom(core.log.firstIndex, Number.POSITIVE_INFINITY);
  return entries === 'compacted' ? [] : entries;
}
