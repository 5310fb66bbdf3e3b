import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import {
  acknowledge,
  allEntries,
  deliverOrQueue,
  enterRole,
  keepPromises,
  makeCore,
  makeLeader,
  progressOf,
  step,
  takeMessages,
  takeOne,
} from './testing/core.ts';
import { Network } from './testing/network.ts';
import {
  blob,
  bytes,
  entriesFrom,
  idsUpTo,
  indexesOf,
  proposed,
  termsOf,
  textOf,
} from './testing/values.ts';
import { type Message, MessageType } from './types.ts';

function propose(core: Raft, text = 'x'): void {
  step(core, MessageType.Prop, { from: core.id, entries: [proposed(text)] });
}

/** A leader of two whose first entry has been sent and acknowledged by node 2. */
function leaderOfTwo(terms: number[] = []): Raft {
  const leader = makeLeader({
    members: { voters: [1, 2] },
    terms,
    hardState: { term: terms.at(-1) ?? 0 },
  });
  takeMessages(leader);
  return leader;
}

const appends = (messages: readonly Message[]): Message[] =>
  messages.filter(({ type }) => type === MessageType.App);

describe('a group', () => {
  test.each<[string, number, number[], string[]]>([
    ['of three', 3, [], ['x']],
    ['of three with one down', 3, [2], ['x']],
    ['of three with two down', 3, [2, 3], []],
    ['of four with two down', 4, [2, 3], []],
    ['of five with two down', 5, [2, 3], ['x']],
    ['of five with three down', 5, [2, 3, 5], []],
    ['of one', 1, [], ['x']],
  ])('%s commits a proposal if it has a majority', (_, size, down, applied) => {
    const network = new Network(size);
    network.elect(1);
    for (const id of down) network.isolate(id);
    expect(network.propose(1, 'x')).toBe('ok');
    expect(network.at(1).texts).toEqual(applied);
    for (const id of idsUpTo(size)) {
      if (!down.includes(id)) expect(network.at(id).texts).toEqual(applied);
    }
  });

  test('keeps the order of proposals across leaders', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'a', 'b');
    network.elect(2);
    network.propose(2, 'c');
    network.propose(3, 'd');
    network.elect(3);
    network.propose(3, 'e');
    for (const { texts, logTerms } of network.members.values()) {
      expect(texts).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(logTerms).toEqual([1, 1, 1, 2, 2, 2, 3, 3]);
    }
  });

  test('brings a member that was away up to date by itself', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    for (const text of ['a', 'b', 'c']) network.propose(1, text);
    network.heal();
    network.tick(1);
    expect(network.at(3).texts).toEqual(['a', 'b', 'c']);
  });

  test('replaces what an old leader could not commit', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.propose(1, 'lost', 'lost too');
    network.elect(2);
    network.propose(2, 'kept');
    network.heal();
    network.tick(2);
    for (const { texts } of network.members.values()) expect(texts).toEqual(['kept']);
    expect(network.at(1).logTerms).toEqual([1, 2, 2]);
  });

  test('a learner gets everything that is committed', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.elect(1);
    network.propose(1, 'x');
    expect(network.at(2).texts).toEqual(['x']);
    expect(network.at(1).progress(2)).toMatchObject({ match: 2, isLearner: true });
  });

  test('messages repeated and turned around do no harm', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'a');
    network.propose(1, 'b');
    const replay = [...network.delivered].reverse();
    network.send(...replay);
    network.send(...replay);
    for (const { texts, term } of network.members.values()) {
      expect([texts, term]).toEqual([['a', 'b'], 1]);
    }
  });
});

describe('commit rules', () => {
  // Indexes acknowledged by node 1, 2, ...; terms of the leader's log; the term it commits in.
  test.each<[number[], number[], number, number]>([
    [[1], [1], 1, 1],
    [[1], [1], 2, 0],
    [[2], [1, 2], 2, 2],
    [[1], [2], 2, 1],
    [[2, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1], [1, 1], 2, 0],
    [[2, 1, 2], [1, 2], 2, 2],
    [[2, 1, 2], [1, 1], 2, 0],
    [[2, 2, 1], [2, 2], 2, 2],
    [[2, 1, 1, 1], [1, 2], 1, 1],
    [[2, 1, 1, 2], [1, 2], 1, 1],
    [[2, 1, 1, 2], [1, 1], 2, 0],
    [[2, 1, 2, 2], [1, 2], 2, 2],
    [[2, 1, 2, 2], [1, 1], 2, 0],
    [[3, 3, 2, 1, 1], [1, 1, 1], 1, 2],
    [[3, 0, 0, 3, 3], [1, 1, 1], 1, 3],
    [[3, 0, 0, 0, 3], [1, 1, 1], 1, 0],
  ])('matches %j in a log of terms %j, in term %i, commit %i', (...row) => {
    const [matches, terms, term, committed] = row;
    const core = makeCore({ members: { voters: matches.map((_, at) => at + 1) }, terms });
    matches.forEach((match, at) => {
      const progress = progressOf(core, at + 1);
      progress.next = match + 1;
      progress.match = match;
    });
    core.log.maybeCommit({ term, index: core.tracker.committed() });
    expect(core.log.committed).toBe(committed);
  });

  test('entries of the term before wait for one of this term', () => {
    const network = new Network(5);
    network.elect(1);
    for (const other of [3, 4, 5]) network.cut(1, other);
    network.propose(1, 'a');
    network.propose(1, 'b');
    expect(network.at(1).commit).toBe(1);
    network.heal();
    network.ignore(MessageType.App);
    network.elect(2);
    expect(network.at(2).commit).toBe(1);
    network.heal();
    network.tick(2);
    expect(network.at(2).commit).toBe(4);
    expect(network.at(5).texts).toEqual(['a', 'b']);
  });

  test('acknowledgements never take a commit back', () => {
    const leader = leaderOfTwo();
    propose(leader);
    takeMessages(leader);
    acknowledge(leader, 2, 2);
    acknowledge(leader, 2, 1);
    expect([leader.log.committed, progressOf(leader, 2).match]).toEqual([2, 2]);
  });

  test('an acknowledgement past the end of the log is a mistake', () => {
    const leader = leaderOfTwo();
    expect(() => acknowledge(leader, 2, 9)).toThrow(InvariantError);
  });

  test('a follower commits what a heartbeat says, and never goes back', () => {
    for (const [told, committed] of [
      [3, 3],
      [1, 2],
    ] as const) {
      const core = makeCore({ terms: [1, 2, 3], hardState: { term: 3, commit: 2 } });
      step(core, MessageType.Heartbeat, { from: 2, term: 3, commit: told });
      expect(core.log.committed).toBe(committed);
      expect(takeOne(core)).toMatchObject({ type: MessageType.HeartbeatResp, to: 2, term: 3 });
    }
  });

  test('a heartbeat tells a follower no more than it is known to hold', () => {
    const leader = makeLeader({ terms: [1, 1, 1, 1], hardState: { term: 1 } });
    takeMessages(leader);
    acknowledge(leader, 2, 5);
    takeMessages(leader);
    expect(leader.log.committed).toBe(5);
    progressOf(leader, 3).next = 4;
    progressOf(leader, 3).match = 3;
    step(leader, MessageType.Beat, { from: 1 });
    const told = takeMessages(leader).map(({ to, commit }) => [to, commit]);
    expect(told).toEqual([
      [2, 5],
      [3, 3],
    ]);
  });

  test('a commit index past the follower’s log is fatal: its log was lost', () => {
    const core = makeCore({ terms: [1], hardState: { term: 1 } });
    expect(() => step(core, MessageType.Heartbeat, { from: 2, term: 1, commit: 2 })).toThrow(
      InvariantError,
    );
  });

  test('a new commit index reaches a follower even if it has everything already', () => {
    const network = new Network(3);
    network.elect(1);
    network.ignore(MessageType.AppResp);
    network.propose(1, 'x');
    expect(network.at(3).texts).toEqual([]);
    network.heal();
    network.isolate(3);
    network.tick(1);
    expect(network.at(1).texts).toEqual(['x']);
    network.heal();
    network.tick(1);
    expect(network.at(3).texts).toEqual(['x']);
  });
});

describe('a follower’s answer to an append', () => {
  // The follower holds terms 1, 2; the columns: previous entry, entries' terms, commit; last, commit.
  test.each<[string, [number, number], number[], number, number, number, boolean]>([
    ['another entry before it', [2, 3], [], 3, 2, 0, true],
    ['a hole before it', [3, 3], [], 3, 2, 0, true],
    ['nothing new', [1, 1], [], 1, 2, 1, false],
    ['everything new', [0, 0], [2], 1, 1, 1, false],
    ['two entries, the first committed', [2, 2], [2, 2], 3, 4, 3, false],
    ['one entry, and a commit past it', [2, 2], [2], 4, 3, 3, false],
    ['one that is there, and a commit past it', [1, 1], [2], 4, 2, 2, false],
    ['a commit past what it vouches for', [1, 1], [], 3, 2, 1, false],
    ['the end of the log and its commit', [2, 2], [], 3, 2, 2, false],
  ])('with %s', (_, [index, logTerm], terms, commit, last, committed, reject) => {
    const core = makeCore({ terms: [1, 2], hardState: { term: 2 } });
    const entries = entriesFrom(index + 1, ...terms);
    step(core, MessageType.App, { from: 2, term: 2, index, logTerm, entries, commit });
    expect([core.log.lastIndex, core.log.committed]).toEqual([last, committed]);
    expect(takeOne(core)).toMatchObject({ type: MessageType.AppResp, reject });
  });

  test('from before its commit index tells where it is', () => {
    const core = makeCore({ terms: [1, 1, 1], hardState: { term: 1, commit: 3 } });
    step(core, MessageType.App, { from: 2, term: 1, index: 1, logTerm: 1, commit: 3 });
    expect(takeOne(core)).toMatchObject({ index: 3, reject: false });
  });

  test('from before its commit index leaves committed entries alone, whatever it holds', () => {
    const core = makeCore({ terms: [1, 1, 1], hardState: { term: 1, commit: 2 } });
    const entries = entriesFrom(2, 4, 4);
    step(core, MessageType.App, { from: 2, term: 4, index: 1, logTerm: 1, entries, commit: 3 });
    expect(termsOf(allEntries(core))).toEqual([1, 1, 1]);
    expect(takeOne(core)).toMatchObject({ index: 2, reject: false });
  });
});

describe('a rejected append skips terms on both sides', () => {
  // Logs of leader and follower; the hint; what the leader sends after next.
  test.each<[string, number[], number[], [number, number], [number, number]]>([
    [
      'the follower has a long tail of an old term',
      [1, 2, 2, 4, 4, 4, 4],
      [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      [7, 3],
      [3, 2],
    ],
    [
      'the leader has that term too',
      [1, 2, 2, 3, 4, 4, 4, 5],
      [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      [8, 3],
      [4, 3],
    ],
    ['the follower has only later terms', [1, 1, 1, 1], [1, 2, 2, 4], [1, 1], [1, 1]],
    ['and is shorter', [1, 1, 1, 1, 1, 1], [1, 2, 2, 4], [1, 1], [1, 1]],
    ['and is longer', [1, 1, 1, 1], [1, 2, 2, 4, 4, 4], [1, 1], [1, 1]],
    ['the follower is just short', [1, 1, 1, 4, 5], [1, 1, 1, 4], [4, 4], [4, 4]],
    [
      'terms interleave, seen from the leader',
      [2, 5, 5, 5, 5, 5, 5, 5, 5],
      [2, 4, 4, 4, 4, 4],
      [6, 4],
      [1, 2],
    ],
    [
      'terms interleave, seen from the follower',
      [2, 2, 2, 2, 2],
      [2, 4, 4, 4, 4, 4, 4, 4],
      [1, 2],
      [1, 2],
    ],
    ['nothing is common', [3, 3, 3], [1, 1], [2, 1], [0, 0]],
  ])('%s', (_, leaderTerms, followerTerms, hint, next) => {
    const last = leaderTerms.length;
    const term = leaderTerms.at(-1)!;
    const leader = makeLeader({
      terms: leaderTerms,
      hardState: { term: Math.max(term, followerTerms.at(-1)!) },
    });
    takeMessages(leader);
    const follower = makeCore({ id: 2, terms: followerTerms, hardState: { term: leader.term } });
    // The first probe follows the entry before the leader's empty one.
    const probe = { from: 1, term: leader.term, index: last, logTerm: term };
    step(follower, MessageType.App, { ...probe, entries: entriesFrom(last + 1, leader.term) });
    const rejection = takeOne(follower);
    expect(rejection).toMatchObject({ index: last, reject: true });
    expect([rejection.rejectHint, rejection.logTerm]).toEqual(hint);
    leader.step(rejection);
    const [append] = takeMessages(leader);
    expect([append?.index, append?.logTerm]).toEqual(next);
    expect(append?.entries.length).toBe(last + 1 - next[0]);
  });

  test('a follower that has compacted the place names it without a term', () => {
    const storage = new MemoryStorage();
    const follower = makeCore({ id: 2, storage, terms: [1, 1, 3, 3, 3], hardState: { term: 3 } });
    storage.compact(5);
    step(follower, MessageType.App, {
      from: 1,
      term: 3,
      index: 3,
      logTerm: 3,
      entries: entriesFrom(4, 3),
    });
    const rejection = takeOne(follower);
    expect(rejection).toMatchObject({ reject: true, rejectHint: 3, logTerm: 0 });
    const leader = leaderOfTwo([1, 1, 3]);
    leader.step({ ...rejection, term: leader.term });
    expect(takeOne(leader)).toMatchObject({ type: MessageType.App, index: 2, logTerm: 1 });
  });
});

describe('a leader that hears of a follower', () => {
  // Follower 2 is probed after entry 2 of three; columns: answer, then match, next, messages.
  test.each<[string, number, boolean, number, number, number, number]>([
    ['a stale rejection: nothing', 3, true, 0, 3, 0, 0],
    ['a rejection: probes one further back', 2, true, 0, 2, 1, 0],
    ['an acceptance: commits and tells everybody', 2, false, 2, 4, 2, 2],
    ['an acceptance of nothing: the probe hit', 0, false, 0, 4, 1, 0],
  ])('%s', (_, index, reject, match, next, count, committed) => {
    const leader = makeLeader({ terms: [1, 1] });
    takeMessages(leader);
    for (const id of [2, 3]) progressOf(leader, id).appendsPaused = false;
    step(leader, MessageType.AppResp, { from: 2, term: 1, index, reject, rejectHint: index });
    expect(progressOf(leader, 2)).toMatchObject({ match, next });
    const messages = appends(takeMessages(leader));
    expect(messages).toHaveLength(count);
    for (const message of messages) expect(message.commit).toBe(committed);
  });

  test('that is alive sends it what it lacks, until it has it', () => {
    const leader = makeLeader({
      members: { voters: [1, 2] },
      terms: [1, 2, 3],
      hardState: { term: 3 },
    });
    takeMessages(leader);
    for (let beat = 0; beat < 2; beat++) {
      step(leader, MessageType.HeartbeatResp, { from: 2, term: 4 });
      expect(takeOne(leader)).toMatchObject({ type: MessageType.App, index: 3 });
    }
    acknowledge(leader, 2, 4);
    takeMessages(leader);
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 4 });
    expect(takeMessages(leader)).toEqual([]);
  });

  test('sends further entries only to those that have answered the probe', () => {
    const leader = makeLeader();
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    propose(leader);
    const first = takeOne(leader);
    expect([first.to, indexesOf(first.entries)]).toEqual([2, [2]]);
    acknowledge(leader, 3, 1);
    const second = takeOne(leader);
    expect([second.to, indexesOf(second.entries)]).toEqual([3, [2]]);
  });

  test('that cannot be reached probes again from what it is known to hold', () => {
    const leader = leaderOfTwo([1, 2, 3]);
    acknowledge(leader, 2, 3);
    for (let at = 0; at < 3; at++) propose(leader);
    takeMessages(leader);
    expect(progressOf(leader, 2)).toMatchObject({ state: 'replicate', match: 3, next: 8 });
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', match: 3, next: 4 });
  });

  test('that is no member takes no notice', () => {
    const leader = leaderOfTwo();
    for (const type of [MessageType.AppResp, MessageType.HeartbeatResp, MessageType.Unreachable]) {
      step(leader, type, { from: 9, term: leader.term, index: 1 });
    }
    expect(takeMessages(leader)).toEqual([]);
  });

  test('that is no member is still refused our vote, and that is all', () => {
    const lines: string[] = [];
    const logger = { log: (_level: string, text: string) => void lines.push(text) };
    const leader = makeLeader({ members: { voters: [1, 2] }, logger });
    takeMessages(leader);
    lines.length = 0;
    step(leader, MessageType.Vote, { from: 9, term: leader.term });
    expect(takeOne(leader)).toMatchObject({ type: MessageType.VoteResp, to: 9, reject: true });
    expect(lines).toEqual([expect.stringContaining('rejected MsgVote from 9')]);
  });

  test('that rejects what it was never sent is probed, if only with an empty append', () => {
    const leader = leaderOfTwo();
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.AppResp, { from: 2, term: leader.term, index: 7, reject: true });
    expect(takeOne(leader)).toMatchObject({ type: MessageType.App, index: 1, entries: [] });
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', match: 1, next: 2 });
  });

  test('rejected long ago, it goes on from where the follower is by now', () => {
    const leader = leaderOfTwo();
    acknowledge(leader, 2, 0);
    takeMessages(leader);
    const follower = makeCore({ id: 2, members: { voters: [1, 2] } });
    propose(leader, 'a');
    const first = takeOne(leader);
    propose(leader, 'b');
    const second = takeOne(leader);
    // The second append overtakes the first, which only follows the empty entry.
    follower.step(second);
    const rejection = takeOne(follower);
    expect(rejection).toMatchObject({ reject: true, index: 2, rejectHint: 0 });
    follower.step(
      makeMessage(MessageType.App, { from: 1, to: 2, term: 1, entries: entriesFrom(1, 1) }),
    );
    takeMessages(follower);
    follower.step(first);
    leader.step(takeOne(follower));
    expect(progressOf(leader, 2).match).toBe(2);
    takeMessages(leader);
    step(leader, MessageType.Unreachable, { from: 2 });
    leader.step(rejection);
    expect(takeOne(leader).index).toBe(progressOf(leader, 2).match);
  });
});

describe('the leader’s own log', () => {
  test('counts once its entries are on disk', () => {
    const leader = makeLeader();
    for (let at = 0; at < 5; at++) propose(leader);
    expect(progressOf(leader, 1).match).toBe(0);
    const unstable = leader.log.unstable.nextEntries();
    expect(unstable.map(({ data }) => textOf(data))).toEqual(['', 'x', 'x', 'x', 'x', 'x']);
    keepPromises(leader);
    expect(progressOf(leader, 1)).toMatchObject({ match: 6, next: 7 });
  });

  test('only grows at its end during its term', () => {
    const leader = leaderOfTwo();
    propose(leader, 'mine');
    const before = allEntries(leader);
    step(leader, MessageType.App, { from: 2, term: 0, entries: entriesFrom(1, 9, 9, 9) });
    expect(allEntries(leader)).toEqual(before);
  });

  test('its promises to itself are not sent', () => {
    const leader = makeLeader({ members: { voters: [1] } });
    propose(leader);
    keepPromises(leader);
    expect([leader.messages, leader.log.committed]).toEqual([[], 2]);
    deliverOrQueue(leader, makeMessage(MessageType.AppResp, { from: 1, to: 1, term: 1, index: 1 }));
    expect(leader.log.committed).toBe(2);
  });
});

describe('the size of appends', () => {
  test('many small entries travel together, up to the limit', () => {
    const network = new Network(3, { messageBytesMax: 2048 });
    network.elect(1);
    network.isolate(1);
    for (let at = 0; at < 5; at++) network.at(1).node.propose(blob(1000));
    network.settle();
    network.heal();
    const mark = network.delivered.length;
    network.tick(1);
    const counts = network
      .arrived(MessageType.App, mark)
      .filter(({ to, entries }) => to === 2 && entries.length > 0)
      .map(({ entries }) => entries.length);
    expect(counts).toEqual([2, 2, 1]);
  });

  test('one that is larger than the limit travels alone', () => {
    const network = new Network(3, { messageBytesMax: 10 });
    network.elect(1);
    network.propose(1, 'a', 'this one is longer than ten bytes', 'b');
    expect(network.at(3).texts).toEqual(['a', 'this one is longer than ten bytes', 'b']);
    for (const { entries } of network.arrived(MessageType.App)) {
      expect(entries.length).toBeLessThanOrEqual(1);
    }
  });

  test('one entry a message', () => {
    const network = new Network(3, { messageBytesMax: 0 });
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'a', 'b', 'c');
    network.heal();
    network.tick(1);
    expect(network.at(3).texts).toEqual(['a', 'b', 'c']);
    for (const { entries } of network.arrived(MessageType.App)) {
      expect(entries.length).toBeLessThanOrEqual(1);
    }
  });
});

test('what a follower appended it hands out for writing, and only that', () => {
  const core = enterRole(makeCore({ terms: [1, 1] }), 'follower');
  const entries = [
    { term: 1, index: 2, type: undefined, data: undefined },
    { term: 1, index: 3, type: undefined, data: bytes('new') },
  ];
  step(core, MessageType.App, { from: 2, term: 1, index: 1, logTerm: 1, entries });
  expect(core.log.unstable.nextEntries()).toEqual(entries.slice(1));
});
