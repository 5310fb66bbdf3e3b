import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import {
  isLocalMessage,
  isPromise,
  isResponseMessage,
  isVoteMessage,
  makeMessage,
} from './message.ts';
import { RawNode } from './rawnode.ts';
import { entrySize } from './size.ts';
import { Member, type MemberOptions } from './testing/member.ts';
import { Network } from './testing/network.ts';
import {
  blob,
  bytes,
  DEFAULTS,
  entriesFrom,
  indexesOf,
  membersOf,
  snapshotAt,
  textOf,
} from './testing/values.ts';
import {
  ConfChangeType,
  EntryType,
  LOCAL_APPEND_THREAD,
  MessageType,
  type Ready,
  StateType,
} from './types.ts';

const alone = (options: MemberOptions = {}): Member =>
  new Member(1, snapshotAt(0, 0, { voters: [1] }), options);

/** Takes a Ready and does its work. */
function turn(member: Member): Ready {
  const ready = member.node.ready();
  if (ready.hardState !== undefined) member.storage.setHardState(ready.hardState);
  member.storage.append(ready.entries);
  member.node.advance();
  return ready;
}

/** A member of a group of one that leads it, and has applied its first entry. */
function aloneLeading(options: MemberOptions = {}): Member {
  const member = alone(options);
  member.node.campaign();
  while (member.node.hasReady()) turn(member);
  return member;
}

describe('the Readys of a life', () => {
  test('vote, empty entry, its application; then a proposal in two', () => {
    const member = alone();
    expect(member.node.hasReady()).toBe(false);
    member.node.campaign();
    // 1. The vote must be stable before it counts.
    expect(turn(member)).toMatchObject({
      softState: { lead: 0, raftState: StateType.Candidate },
      hardState: { term: 1, vote: 1, commit: 0 },
      entries: [],
      committedEntries: [],
      messages: [],
      mustSync: true,
    });
    // 2. The empty entry too.
    const second = turn(member);
    expect(second).toMatchObject({
      softState: { lead: 1, raftState: StateType.Leader },
      hardState: undefined,
      committedEntries: [],
      mustSync: true,
    });
    expect(second.entries).toEqual(entriesFrom(1, 1));
    // 3. The commit index alone need not be synced.
    const third = turn(member);
    expect(third).toMatchObject({
      softState: undefined,
      hardState: { term: 1, vote: 1, commit: 1 },
      entries: [],
      mustSync: false,
    });
    expect(third.committedEntries).toEqual(entriesFrom(1, 1));
    expect(member.node.hasReady()).toBe(false);
    member.node.propose(bytes('x'));
    const fourth = turn(member);
    expect([fourth.entries.length, fourth.committedEntries.length]).toEqual([1, 0]);
    expect(fourth.mustSync).toBe(true);
    const fifth = turn(member);
    expect(fifth.committedEntries.map(({ data }) => textOf(data))).toEqual(['x']);
    expect([fifth.mustSync, member.node.hasReady()]).toEqual([false, false]);
  });

  test('an append and its commit in one follower’s Ready', () => {
    const network = new Network(3);
    network.elect(1);
    const follower = network.at(2);
    const entries = [{ ...entriesFrom(2, 1)[0]!, data: bytes('x') }];
    follower.node.step(
      makeMessage(MessageType.App, {
        from: 1,
        to: 2,
        term: 1,
        index: 1,
        logTerm: 1,
        entries,
        commit: 2,
      }),
    );
    const ready = follower.node.ready();
    expect([ready.entries, ready.committedEntries]).toEqual([entries, entries]);
    expect(ready.messages.map(({ type, index }) => [type, index])).toEqual([
      [MessageType.AppResp, 2],
    ]);
  });

  test('a follower that only heartbeats has nothing to write', () => {
    const network = new Network(3);
    network.elect(1);
    const follower = network.at(2);
    follower.node.step(makeMessage(MessageType.Heartbeat, { from: 1, to: 2, term: 1, commit: 1 }));
    expect(follower.node.ready()).toMatchObject({
      softState: undefined,
      hardState: undefined,
      entries: [],
      mustSync: false,
    });
  });

  test.each<[string, Parameters<typeof makeMessage>[1], MessageType, boolean]>([
    ['a new term', { from: 2, term: 5 }, MessageType.Heartbeat, true],
    ['a vote', { from: 2, term: 1, index: 9, logTerm: 9 }, MessageType.Vote, true],
    ['a refused vote in the same term', { from: 2, term: 1 }, MessageType.Vote, false],
    ['a new commit index', { from: 2, term: 1, commit: 2 }, MessageType.Heartbeat, false],
    [
      'an entry',
      { from: 2, term: 1, index: 2, logTerm: 1, entries: entriesFrom(3, 1) },
      MessageType.App,
      true,
    ],
    ['an append of nothing', { from: 2, term: 1, index: 2, logTerm: 1 }, MessageType.App, false],
  ])('%s has to be synced: row %#', (_, fields, type, mustSync) => {
    const member = new Member(1, snapshotAt(0, 0, { voters: [1, 2, 3] }), {
      terms: [1, 1],
      hardState: { term: 1 },
    });
    member.node.step(makeMessage(type, { to: 1, ...fields }));
    expect(member.node.ready().mustSync).toBe(mustSync);
  });
});

describe('taking a Ready', () => {
  test('takes the messages out, and later ones come with the next', () => {
    const member = new Member(1, snapshotAt(0, 0, { voters: [1, 2] }));
    member.node.campaign();
    const ready = member.node.ready();
    expect(ready.messages.map(({ type }) => type)).toEqual([MessageType.Vote]);
    member.node.step(makeMessage(MessageType.Heartbeat, { from: 2, to: 1, term: 1 }));
    member.node.advance();
    expect(member.node.ready().messages.map(({ type }) => type)).toEqual([
      MessageType.HeartbeatResp,
    ]);
  });

  test('does not change what an earlier one holds', () => {
    const member = aloneLeading();
    member.node.propose(bytes('a'));
    const ready = turn(member);
    const before = structuredClone(ready);
    member.node.propose(bytes('b'));
    while (member.node.hasReady()) turn(member);
    expect(ready).toEqual(before);
  });

  test('takes the answers of reads out', () => {
    const member = aloneLeading();
    member.node.readIndex(bytes('r'));
    expect(member.node.hasReady()).toBe(true);
    expect(turn(member).readStates).toEqual([{ index: 1, context: bytes('r') }]);
    expect(member.node.hasReady()).toBe(false);
  });

  test('a proposal while its work is under way waits for the next', () => {
    const member = aloneLeading();
    member.node.propose(bytes('a'));
    const ready = member.node.ready();
    member.storage.append(ready.entries);
    member.node.propose(bytes('b'));
    member.node.advance();
    const next = turn(member);
    expect(next.entries.map(({ data }) => textOf(data))).toEqual(['b']);
    expect(next.committedEntries.map(({ data }) => textOf(data))).toEqual(['a']);
  });

  test('ready without work is an empty Ready', () => {
    expect(alone().node.ready()).toEqual({
      softState: undefined,
      hardState: undefined,
      readStates: [],
      entries: [],
      snapshot: undefined,
      committedEntries: [],
      messages: [],
      mustSync: false,
    });
  });

  test('a snapshot comes alone, and entries after it only once it is installed', () => {
    const member = new Member(2, snapshotAt(0, 0, { voters: [1, 2] }));
    const snapshot = snapshotAt(5, 1, { voters: [1, 2] });
    member.node.step(makeMessage(MessageType.Snap, { from: 1, to: 2, term: 1, snapshot }));
    const append = { from: 1, to: 2, term: 1, index: 5, logTerm: 1, commit: 6 };
    member.node.step(makeMessage(MessageType.App, { ...append, entries: entriesFrom(6, 1) }));
    const ready = member.node.ready();
    expect([ready.snapshot, indexesOf(ready.entries), ready.committedEntries]).toEqual([
      snapshot,
      [6],
      [],
    ]);
    member.storage.applySnapshot(snapshot);
    member.storage.append(ready.entries);
    member.node.advance();
    expect(indexesOf(turn(member).committedEntries)).toEqual([6]);
  });
});

describe('the size of what is handed out to be applied', () => {
  test('a Ready holds no more than the limit, and nothing is left out', () => {
    const member = aloneLeading({ applyingBytesMax: 2048 });
    for (let at = 0; at < 3; at++) member.node.propose(blob(1000));
    expect(turn(member).entries).toHaveLength(3);
    expect(indexesOf(turn(member).committedEntries)).toEqual([2, 3]);
    expect(indexesOf(turn(member).committedEntries)).toEqual([4]);
    expect(member.node.hasReady()).toBe(false);
  });

  test('an entry over the limit comes alone', () => {
    const member = aloneLeading({ applyingBytesMax: 100 });
    for (const size of [10, 5000, 10]) member.node.propose(blob(size));
    turn(member);
    const portions = [turn(member), turn(member), turn(member)].map(({ committedEntries }) =>
      indexesOf(committedEntries),
    );
    expect(portions).toEqual([[2], [3], [4]]);
  });

  test('without a limit of its own the one of messages holds', () => {
    const [first, second] = [bytes('a'), bytes('b')];
    const entry = { term: 1, index: 2, type: undefined, data: first };
    const member = aloneLeading({ messageBytesMax: entrySize(entry) });
    member.node.proposeAll([first, second]);
    turn(member);
    expect(indexesOf(turn(member).committedEntries)).toEqual([2]);
    expect(indexesOf(turn(member).committedEntries)).toEqual([3]);
  });
});

test('advance without a Ready before it gives nothing back a second time', () => {
  const member = aloneLeading({ uncommittedBytesMax: 10 });
  const { node } = member;
  node.propose(blob(6));
  while (node.hasReady()) turn(member);
  expect(node.propose(blob(6))).toBe('ok');
  node.advance();
  expect(node.propose(blob(6))).toBe('proposal-dropped');
});

describe('the border', () => {
  const LOCAL: readonly MessageType[] = [
    MessageType.Hup,
    MessageType.Beat,
    MessageType.Unreachable,
    MessageType.SnapStatus,
    MessageType.CheckQuorum,
    MessageType.StorageAppend,
    MessageType.StorageAppendResp,
    MessageType.StorageApply,
    MessageType.StorageApplyResp,
  ];
  const RESPONSES: readonly MessageType[] = [
    MessageType.AppResp,
    MessageType.VoteResp,
    MessageType.HeartbeatResp,
    MessageType.Unreachable,
    MessageType.ReadIndexResp,
    MessageType.PreVoteResp,
    MessageType.StorageAppendResp,
    MessageType.StorageApplyResp,
  ];

  test.each(Object.entries(MessageType))('%s from another node', (_, type) => {
    const isLocal = LOCAL.includes(type);
    expect([isLocalMessage(type), isResponseMessage(type)]).toEqual([
      isLocal,
      RESPONSES.includes(type),
    ]);
    const outcome = alone().node.step(makeMessage(type, { from: 7, to: 1, term: 1 }));
    if (isLocal) expect(outcome).toBe('local-message');
    else if (RESPONSES.includes(type)) expect(outcome).toBe('peer-not-found');
    else expect(['ok', 'proposal-dropped']).toContain(outcome);
  });

  test.each(Object.entries(MessageType))('%s about a vote, or a promise', (_, type) => {
    const votes: MessageType[] = [
      MessageType.Vote,
      MessageType.VoteResp,
      MessageType.PreVote,
      MessageType.PreVoteResp,
    ];
    const promises: MessageType[] = [
      MessageType.AppResp,
      MessageType.VoteResp,
      MessageType.PreVoteResp,
    ];
    expect(isVoteMessage(type)).toBe(votes.includes(type));
    expect(isPromise(type)).toBe(promises.includes(type));
  });

  test('storage responses of the host’s own threads pass', () => {
    const { node } = aloneLeading();
    const response = makeMessage(MessageType.StorageAppendResp, {
      from: LOCAL_APPEND_THREAD,
      to: 1,
    });
    expect(node.step(response)).toBe('ok');
  });

  test.each(['term', 'index', 'logTerm', 'commit'] as const)(
    'a %s that is no integer below 2^53 is refused',
    (field) => {
      for (const value of [2 ** 53, 0.5, Number.NaN]) {
        const message = makeMessage(MessageType.App, { from: 2, to: 1, [field]: value });
        expect(() => alone().node.step(message)).toThrow(InvariantError);
      }
    },
  );
});

describe('status', () => {
  test('of a follower names no progress', () => {
    const { node } = alone();
    expect(node.status().progress.size).toBe(0);
    expect(node.basicStatus()).toEqual({
      id: 1,
      hardState: { term: 0, vote: 0, commit: 0 },
      softState: { lead: 0, raftState: StateType.Follower },
      applied: 0,
      leadTransferee: 0,
    });
  });

  test('of a leader tells progress and membership, and does not change afterwards', () => {
    const network = new Network({ voters: [1, 2], learners: [3] });
    network.elect(1);
    const status = network.at(1).node.status();
    expect(status.softState).toEqual({ lead: 1, raftState: StateType.Leader });
    expect(status.config.voters.ids).toEqual([1, 2]);
    expect([...status.progress.keys()]).toEqual([1, 2, 3]);
    expect(status.progress.get(3)).toMatchObject({
      match: 1,
      next: 2,
      state: 'replicate',
      isLearner: true,
    });
    const before = structuredClone(status.progress);
    network.propose(1, 'x');
    expect(status.progress).toEqual(before);
  });
});

describe('starting', () => {
  const fresh = (): { node: RawNode; storage: MemoryStorage } => {
    const storage = new MemoryStorage();
    return { node: new RawNode({ ...DEFAULTS, id: 1, storage }), storage };
  };

  test('a bootstrapped node has its members as committed entries, and then leads', () => {
    const { node, storage } = fresh();
    node.bootstrap([{ id: 1, context: bytes('one') }, { id: 2 }]);
    const ready = node.ready();
    expect(ready).toMatchObject({
      hardState: { term: 1, vote: 0, commit: 2 },
      mustSync: true,
    });
    expect(ready.entries.map(({ type, term, index }) => [type, term, index])).toEqual([
      [EntryType.ConfChange, 1, 1],
      [EntryType.ConfChange, 1, 2],
    ]);
    expect(ready.committedEntries).toEqual(ready.entries);
    storage.append(ready.entries);
    node.advance();
    expect(node.status().config.voters.ids).toEqual([1, 2]);
    node.campaign();
    expect(node.basicStatus().hardState).toEqual({ term: 2, vote: 1, commit: 2 });
  });

  test('applying the entries of the first members again changes nothing', () => {
    const { node } = fresh();
    node.bootstrap([{ id: 1 }, { id: 2 }]);
    const state = node.applyConfChange({ type: ConfChangeType.AddNode, nodeId: 2 });
    expect(state).toEqual(membersOf({ voters: [1, 2] }));
  });

  test('a group needs a first member, and an empty storage', () => {
    expect(() => fresh().node.bootstrap([])).toThrow(InvariantError);
    const { storage } = fresh();
    storage.append(entriesFrom(1, 1));
    const node = new RawNode({ ...DEFAULTS, id: 1, storage });
    expect(() => node.bootstrap([{ id: 1 }])).toThrow(InvariantError);
  });

  test('a snapshot of the first membership serves as well', () => {
    const member = new Member(1, snapshotAt(1, 0, { voters: [1] }));
    member.node.campaign();
    turn(member);
    member.node.propose(bytes('x'));
    const ready = turn(member);
    expect(indexesOf(ready.entries)).toEqual([2, 3]);
    expect(indexesOf(turn(member).committedEntries)).toEqual([2, 3]);
  });
});

describe('restarting', () => {
  const restarted = (
    storage: MemoryStorage,
    options: Partial<ConstructorParameters<typeof RawNode>[0]> = {},
  ): RawNode => new RawNode({ ...DEFAULTS, id: 1, ...options, storage });

  test('hands out what is committed, and brings no hard state that is stored already', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(0, 0, { voters: [1] }));
    storage.setHardState({ term: 1, vote: 0, commit: 1 });
    storage.append(entriesFrom(1, 1, 1));
    const node = restarted(storage);
    const ready = node.ready();
    expect(ready).toMatchObject({ hardState: undefined, entries: [], mustSync: false });
    expect(indexesOf(ready.committedEntries)).toEqual([1]);
    node.advance();
    expect(node.hasReady()).toBe(false);
  });

  test('from a snapshot hands out what comes after it', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(2, 1, { voters: [1, 2] }));
    storage.setHardState({ term: 1, vote: 0, commit: 3 });
    storage.append(entriesFrom(3, 1, 1));
    const node = restarted(storage);
    const ready = node.ready();
    expect([ready.snapshot, ready.hardState]).toEqual([undefined, undefined]);
    expect(indexesOf(ready.committedEntries)).toEqual([3]);
    expect(node.status().config.voters.ids).toEqual([1, 2]);
  });

  test('hands out nothing that the application has applied already', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(0, 0, { voters: [1] }));
    storage.setHardState({ term: 1, vote: 0, commit: 3 });
    storage.append(entriesFrom(1, 1, 1, 1));
    const node = restarted(storage, { applied: 2 });
    expect(indexesOf(node.ready().committedEntries)).toEqual([3]);
  });

  test.each([
    ['a commit index past the log', { term: 1, vote: 0, commit: 9 }, 0],
    ['a commit index before the snapshot', { term: 1, vote: 0, commit: 1 }, 0],
    ['an applied index past the commit index', { term: 1, vote: 0, commit: 2 }, 3],
  ])('with %s is refused', (_, hardState, applied) => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(2, 1, { voters: [1] }));
    storage.append(entriesFrom(3, 1));
    storage.setHardState(hardState);
    expect(() => restarted(storage, { applied })).toThrow(InvariantError);
  });

  test('a leader comes back as follower and keeps its vote', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.propose(1, 'x');
    leader.restart();
    expect([leader.role, leader.term, leader.vote, leader.commit]).toEqual(['follower', 1, 1, 2]);
    leader.node.step(
      makeMessage(MessageType.Vote, { from: 2, to: 1, term: 1, index: 9, logTerm: 1 }),
    );
    leader.work();
    expect(leader.outbox.at(-1)).toMatchObject({ type: MessageType.VoteResp, reject: true });
  });

  test('the whole group at once loses nothing', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'a', 'b');
    for (const member of network.members.values()) member.restart();
    network.elect(3);
    network.propose(3, 'c');
    for (const { texts } of network.members.values()) expect(texts).toEqual(['a', 'b', 'c']);
  });
});
