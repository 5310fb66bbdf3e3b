import { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import {
  acceptanceOf,
  acknowledge,
  allEntries,
  apply,
  enterRole,
  keepPromises,
  makeCore,
  makeLeader,
  progressOf,
  step,
  takeMessages,
  takeOne,
  takePromises,
  write,
} from './testing/core.ts';
import { Network } from './testing/network.ts';
import {
  bytes,
  entriesFrom,
  idsUpTo,
  proposed,
  roleOf,
  termsOf,
  textOf,
} from './testing/values.ts';
import { becomeCandidate, becomeFollower } from './transitions.ts';
import { ConfChangeTransition, ConfChangeType, type Message, MessageType } from './types.ts';

/**
 * A walk through the paper (Ongaro and Ousterhout, extended version, 2014) and the thesis (Ongaro,
 * 2014): each test names the section that asks for what it shows.
 */

const ELECTION_TICKS = 10;

/** What of a message a section speaks about. */
const gist = ({ type, to, term, index, logTerm, commit }: Message) => ({
  type,
  to,
  term,
  index,
  logTerm,
  commit,
});

function propose(core: Raft, text?: string): void {
  step(core, MessageType.Prop, { from: core.id, entries: [proposed(text)] });
}

/** A leader whose first, empty entry every member has. */
function settledLeader(setup: Parameters<typeof makeCore>[0] = {}): Raft {
  const storage = new MemoryStorage();
  const leader = makeLeader({ ...setup, storage });
  for (const message of takeMessages(leader)) leader.step(acceptanceOf(message));
  for (const id of leader.tracker.config.voters.ids) {
    if (id !== leader.id) acknowledge(leader, id, leader.log.lastIndex);
  }
  write(leader, storage);
  takeMessages(leader);
  apply(leader);
  return leader;
}

describe('section 5.1: terms', () => {
  test.each(['follower', 'pre-candidate', 'candidate', 'leader'] as const)(
    'a %s that meets a higher term takes it over and follows',
    (role) => {
      const core = enterRole(makeCore(), role);
      const term = core.term + 1;
      step(core, MessageType.App, { from: 2, term });
      expect([core.term, roleOf(core.state), core.lead]).toEqual([term, 'follower', 2]);
    },
  );

  test.each(['follower', 'candidate', 'leader'] as const)(
    'a %s takes no notice of a request with an older term',
    (role) => {
      const core = makeCore({ hardState: { term: 4 } });
      enterRole(core, role);
      const before = [core.term, core.state, core.lead, core.log.lastIndex];
      keepPromises(core);
      core.messages = [];
      const entries = entriesFrom(1, 1);
      step(core, MessageType.App, { from: 3, term: core.term - 1, entries });
      expect([core.term, core.state, core.lead, core.log.lastIndex]).toEqual(before);
      expect(takeMessages(core)).toEqual([]);
    },
  );

  test('a candidate in an older term is not answered, and gets no vote', () => {
    const core = makeCore({ hardState: { term: 4 } });
    step(core, MessageType.Vote, { from: 3, term: 3, index: 9, logTerm: 3 });
    expect([core.vote, takeMessages(core)]).toEqual([0, []]);
  });

  test('a higher term forgets the vote of the term before', () => {
    const core = makeCore({ hardState: { term: 2, vote: 3 } });
    step(core, MessageType.Heartbeat, { from: 2, term: 3 });
    expect(core.hardState).toEqual({ term: 3, vote: 0, commit: 0 });
  });
});

describe('section 5.2: leader election', () => {
  test('a server starts as follower', () => {
    expect(roleOf(makeCore().state)).toBe('follower');
    expect(roleOf(makeCore({ hardState: { term: 7, vote: 1 } }).state)).toBe('follower');
  });

  test('a leader sends empty heartbeats to everybody, every heartbeat interval', () => {
    const leader = settledLeader({ heartbeatTicks: 3 });
    for (let tick = 1; tick <= 2; tick++) leader.tick();
    expect(takeMessages(leader)).toEqual([]);
    leader.tick();
    const beats = takeMessages(leader);
    const common = { type: MessageType.Heartbeat, term: 1, index: 0, logTerm: 0, commit: 1 };
    expect(beats.map(gist)).toEqual([
      { ...common, to: 2 },
      { ...common, to: 3 },
    ]);
    expect(beats.flatMap(({ entries }) => entries)).toEqual([]);
  });

  test('a follower that hears of a leader in time starts no election', () => {
    const core = enterRole(makeCore(), 'follower');
    for (let round = 0; round < 5; round++) {
      for (let tick = 1; tick < ELECTION_TICKS; tick++) core.tick();
      step(core, MessageType.Heartbeat, { from: 2, term: core.term });
    }
    expect([roleOf(core.state), core.term]).toEqual(['follower', 1]);
  });

  test.each(['follower', 'candidate'] as const)(
    'a %s without a leader raises its term, votes for itself and asks everybody',
    (role) => {
      const core = enterRole(makeCore(), role);
      takeMessages(core);
      for (let tick = 0; tick < ELECTION_TICKS; tick++) core.tick();
      const [own] = takePromises(core);
      expect([roleOf(core.state), core.term, core.vote]).toEqual(['candidate', 2, 1]);
      expect(own).toMatchObject({ type: MessageType.VoteResp, to: 1, term: 2, reject: false });
      const common = { type: MessageType.Vote, term: 2, index: 0, logTerm: 0, commit: 0 };
      expect(takeMessages(core).map(gist)).toEqual([
        { ...common, to: 2 },
        { ...common, to: 3 },
      ]);
    },
  );

  test.each<[string, number, string, string]>([
    // Votes of servers 2, 3, ...: y yes, n no, - silent.
    ['alone', 1, '', 'leader'],
    ['one of two', 3, 'y-', 'leader'],
    ['the other of two', 3, '-y', 'leader'],
    ['two of four', 5, 'yy--', 'leader'],
    ['two of four against two', 5, 'ynyn', 'leader'],
    ['all', 5, 'yyyy', 'leader'],
    ['none of two', 3, 'nn', 'follower'],
    ['none of four', 5, 'nnnn', 'follower'],
    ['one of four', 5, 'ynnn', 'follower'],
    ['a majority against it', 5, 'nnn-', 'follower'],
    ['silence', 3, '--', 'candidate'],
    ['a minority', 5, 'y---', 'candidate'],
    ['a minority against it', 5, 'nn--', 'candidate'],
    ['a split vote', 4, 'yn-', 'candidate'],
  ])('votes of %s in a group of %i (%s) make a %s', (_, size, votes, role) => {
    const core = makeCore({ members: { voters: idsUpTo(size) } });
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    [...votes].forEach((vote, at) => {
      if (vote === '-') return;
      const fields = { from: at + 2, term: core.term, reject: vote === 'n' };
      step(core, MessageType.VoteResp, fields);
    });
    expect([roleOf(core.state), core.term]).toEqual([role, 1]);
  });

  test('a vote repeated, or taken back, counts once', () => {
    const core = makeCore({ members: { voters: idsUpTo(5) } });
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    for (const reject of [false, false, true]) {
      step(core, MessageType.VoteResp, { from: 2, term: 1, reject });
    }
    expect(roleOf(core.state)).toBe('candidate');
    step(core, MessageType.VoteResp, { from: 3, term: 1 });
    expect(roleOf(core.state)).toBe('leader');
  });

  test('votes of an older election do not count', () => {
    const core = makeCore();
    step(core, MessageType.Hup, { from: 1 });
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    step(core, MessageType.VoteResp, { from: 2, term: 1 });
    expect([roleOf(core.state), core.term]).toEqual(['candidate', 2]);
  });

  test.each<[number, number, boolean]>([
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
    [1, 2, false],
  ])('having voted for %i in this term, candidate %i is granted: %s', (vote, from, granted) => {
    const core = makeCore({ hardState: { term: 1, vote } });
    step(core, MessageType.Vote, { from, term: 1 });
    const [answer] = takePromises(core);
    expect(answer).toMatchObject({
      type: MessageType.VoteResp,
      to: from,
      term: 1,
      reject: !granted,
    });
    expect(core.vote).toBe(granted ? from : vote);
  });

  test.each([MessageType.App, MessageType.Heartbeat, MessageType.Snap])(
    'a candidate follows whoever leads its term (message type %i)',
    (type) => {
      const core = enterRole(makeCore(), 'candidate');
      step(core, type, { from: 3, term: core.term });
      expect([roleOf(core.state), core.lead, core.term]).toEqual(['follower', 3, 1]);
    },
  );

  test.each(['follower', 'candidate'] as const)(
    'the election timeout of a %s takes every value of its range, seed 5',
    (role) => {
      const prng = new Prng(5);
      const core = makeCore({ random: (bound) => prng.below(bound) });
      const seen = new Set<number>();
      for (let round = 0; round < 300; round++) {
        if (role === 'follower') becomeFollower(core, core.term + 1, 2);
        else becomeCandidate(core);
        takeMessages(core);
        let ticks = 0;
        while (takeMessages(core).length === 0) {
          core.tick();
          ticks++;
        }
        seen.add(ticks);
      }
      const expected = Array.from({ length: ELECTION_TICKS }, (_, at) => ELECTION_TICKS + at);
      expect([...seen].sort((a, b) => a - b)).toEqual(expected);
    },
  );

  test.each(['follower', 'candidate'] as const)(
    'two %ss seldom time out at once, seed 9',
    (role) => {
      const prng = new Prng(9);
      const voters = idsUpTo(5);
      const cores = voters.map((id) =>
        makeCore({ id, members: { voters }, random: (bound) => prng.below(bound) }),
      );
      let conflicts = 0;
      for (let round = 0; round < 300; round++) {
        for (const core of cores) {
          if (role === 'follower') becomeFollower(core, core.term + 1, 0);
          else becomeCandidate(core);
          takeMessages(core);
        }
        let timedOut = 0;
        while (timedOut === 0) {
          for (const core of cores) {
            core.tick();
            if (takeMessages(core).length > 0) timedOut++;
          }
        }
        if (timedOut > 1) conflicts++;
      }
      expect(conflicts).toBeLessThanOrEqual(90);
    },
  );

  test('a split vote ends with the next timeout', () => {
    const network = new Network(4);
    network.cut(1, 4);
    network.cut(2, 3);
    network.campaign(1, 2);
    expect(network.roles.slice(0, 2)).toEqual(['candidate', 'candidate']);
    network.heal();
    network.tick(1, ELECTION_TICKS);
    expect(network.roles).toEqual(['leader', 'follower', 'follower', 'follower']);
    expect(network.terms).toEqual([2, 2, 2, 2]);
  });
});

describe('section 5.3: log replication', () => {
  test('a proposal is appended and sent with the entry before it', () => {
    const leader = settledLeader();
    propose(leader, 'x');
    expect([leader.log.lastIndex, leader.log.committed]).toEqual([2, 1]);
    const messages = takeMessages(leader);
    const common = { type: MessageType.App, term: 1, index: 1, logTerm: 1, commit: 1 };
    expect(messages.map(gist)).toEqual([
      { ...common, to: 2 },
      { ...common, to: 3 },
    ]);
    const entry = { term: 1, index: 2, type: undefined, data: bytes('x') };
    for (const { entries } of messages) expect(entries).toEqual([entry]);
    expect(leader.log.unstable.nextEntries()).toEqual([entry]);
  });

  test('a leader counts its own copy only when it is on disk', () => {
    const leader = settledLeader({ members: { voters: [1] } });
    propose(leader, 'x');
    expect(leader.log.committed).toBe(1);
    keepPromises(leader);
    expect(leader.log.committed).toBe(2);
  });

  test.each<[number, number[], boolean]>([
    [1, [], true],
    [3, [], false],
    [3, [3], true],
    [3, [2, 3], true],
    [4, [2], false],
    [4, [2, 4], true],
    [5, [5], false],
    [5, [2, 4], true],
    [5, [2, 3, 4, 5], true],
  ])('in a group of %i an entry on the leader and %j is committed: %s', (size, holders, done) => {
    const leader = settledLeader({ members: { voters: idsUpTo(size) } });
    propose(leader, 'x');
    const messages = takeMessages(leader);
    for (const message of messages) {
      if (holders.includes(message.to)) leader.step(acceptanceOf(message));
    }
    expect(leader.log.committed).toBe(done ? 2 : 1);
  });

  test('the leader applies what is committed and tells the others in its next appends', () => {
    const leader = settledLeader();
    propose(leader, 'x');
    for (const message of takeMessages(leader)) leader.step(acceptanceOf(message));
    expect(leader.log.nextCommitted(true).map(({ data }) => textOf(data))).toEqual(['x']);
    const told = takeMessages(leader);
    expect(new Set(told.map(({ to }) => to))).toEqual(new Set([2, 3]));
    for (const { type, commit } of told) expect([type, commit]).toEqual([MessageType.App, 2]);
  });

  test.each<[number[]]>([[[]], [[2]], [[1, 2]], [[1, 1, 1]]])(
    'committing an entry commits everything before it, here of terms %j',
    (terms) => {
      const leader = makeLeader({ terms, hardState: { term: 2 } });
      propose(leader, 'x');
      for (const message of takeMessages(leader)) leader.step(acceptanceOf(message));
      for (const message of takeMessages(leader)) leader.step(acceptanceOf(message));
      const applied = leader.log.nextCommitted(true);
      expect(termsOf(applied)).toEqual([...terms, 3, 3]);
      expect(textOf(applied.at(-1)?.data)).toBe('x');
    },
  );

  test.each<[string[], number]>([
    [['a'], 1],
    [['a', 'b'], 2],
    [['a', 'b'], 1],
    [['b', 'a', 'c'], 2],
    [['a'], 0],
  ])('a follower that has %j and hears of commit %i applies that, in order', (texts, commit) => {
    const core = enterRole(makeCore(), 'follower');
    const entries = texts.map((text, at) => ({
      term: 1,
      index: at + 1,
      type: undefined,
      data: bytes(text),
    }));
    step(core, MessageType.App, { from: 2, term: 1, entries, commit });
    expect(core.log.committed).toBe(commit);
    const applied = core.log.nextCommitted(true).map(({ data }) => textOf(data));
    expect(applied).toEqual(texts.slice(0, commit));
  });

  // The follower holds entries of terms 1, 1, 2 and has committed the first.
  test.each<[string, number, number, Partial<Message>]>([
    ['the start of the log', 0, 0, { index: 1, reject: false }],
    ['a committed entry', 1, 1, { index: 1, reject: false }],
    ['an entry not committed', 2, 1, { index: 2, reject: false }],
    ['the last entry', 3, 2, { index: 3, reject: false }],
    ['another entry in its place', 3, 1, { index: 3, reject: true, rejectHint: 2, logTerm: 1 }],
    ['another one of a later term', 2, 2, { index: 2, reject: true, rejectHint: 2, logTerm: 1 }],
    ['an entry past its end', 4, 3, { index: 4, reject: true, rejectHint: 3, logTerm: 2 }],
    ['an old entry past its end', 9, 1, { index: 9, reject: true, rejectHint: 2, logTerm: 1 }],
  ])('an append after %s is checked against the log', (_, index, logTerm, answer) => {
    const core = makeCore({ terms: [1, 1, 2], hardState: { term: 2, commit: 1 } });
    step(core, MessageType.App, { from: 2, term: 2, index, logTerm });
    const message = takeOne(core);
    expect(message).toMatchObject({ type: MessageType.AppResp, to: 2, term: 2, ...answer });
  });

  // The follower holds entries of terms 1, 2, 2.
  test.each<[string, number, number, number[], number[], number[]]>([
    ['follow on', 3, 2, [3, 3], [1, 2, 2, 3, 3], [4, 5]],
    ['replace the last', 2, 2, [3], [1, 2, 3], [3]],
    ['replace all but the first', 1, 1, [3, 4], [1, 3, 4], [2, 3]],
    ['replace everything', 0, 0, [3], [3], [1]],
    ['are there already', 0, 0, [1, 2], [1, 2, 2], []],
    ['are partly there', 1, 1, [2, 3], [1, 2, 3], [3]],
  ])('entries that %s leave a log equal to the leader’s', (_, index, logTerm, sent, log, fresh) => {
    const core = makeCore({ terms: [1, 2, 2], hardState: { term: 4 } });
    const entries = entriesFrom(index + 1, ...sent);
    step(core, MessageType.App, { from: 2, term: 4, index, logTerm, entries });
    expect(termsOf(allEntries(core))).toEqual(log);
    expect(core.log.unstable.nextEntries().map((entry) => entry.index)).toEqual(fresh);
  });

  // Figure 7: the leader of term 8 and followers a to f.
  test.each<[string, number[]]>([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('figure 7: follower (%s) is brought to the leader’s log', (_, follower) => {
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const network = new Network(
      3,
      {},
      {
        1: { terms: leaderTerms, hardState: { term: 7 } },
        2: { terms: follower, hardState: { term: 7 } },
        3: { hardState: { term: 7 } },
      },
    );
    network.elect(1);
    network.propose(1, 'x');
    expect(network.at(2).logTerms).toEqual([...leaderTerms, 8, 8]);
    expect(network.commits).toEqual([12, 12, 12]);
    expect(network.at(2).texts).toEqual(['x']);
  });

  test('appends lost are sent again until they arrive', () => {
    const network = new Network(3);
    network.elect(1);
    network.ignore(MessageType.App);
    network.propose(1, 'x');
    expect(network.at(1).texts).toEqual([]);
    network.heal();
    network.tick(1);
    expect([...network.members.values()].map(({ texts }) => texts)).toEqual([['x'], ['x'], ['x']]);
  });
});

describe('section 5.4.1: election restriction', () => {
  test.each<[number[], number]>([
    [[1], 2],
    [[1, 2], 3],
    [[1, 2, 2, 5], 6],
  ])('a vote request tells the end of a log of terms %j', (terms, term) => {
    const core = makeCore({ terms, hardState: { term: term - 1 } });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) core.tick();
    const requests = takeMessages(core);
    expect(requests.map(({ to }) => to)).toEqual([2, 3]);
    for (const request of requests) {
      expect(request).toMatchObject({
        type: MessageType.Vote,
        term,
        index: terms.length,
        logTerm: terms.at(-1),
      });
    }
  });

  test.each<[number[], number, number, boolean]>([
    // Same last term: the longer log is the more up to date.
    [[1], 1, 1, true],
    [[1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 1, 1], 2, 1, false],
    // Later last term: length does not matter.
    [[1], 1, 2, true],
    [[1, 1, 1], 1, 2, true],
    // Earlier last term: neither.
    [[2], 1, 1, false],
    [[2], 9, 1, false],
    [[1, 2], 5, 1, false],
    // Nothing at all.
    [[], 0, 0, true],
    [[1], 0, 0, false],
  ])('a voter with terms %j grants a candidate ending at %i, term %i: %s', (...row) => {
    const [terms, index, logTerm, granted] = row;
    const core = makeCore({ terms });
    step(core, MessageType.Vote, { from: 2, term: 3, index, logTerm });
    expect(takeOne(core)).toMatchObject({ type: MessageType.VoteResp, reject: !granted });
  });
});

describe('section 5.4.2: committing entries from previous terms', () => {
  test.each<[number, number]>([
    [1, 0],
    [2, 0],
    [3, 3],
    [4, 4],
  ])('a quorum has entry %i of terms 1, 2, 3, 3: committed is %i', (index, committed) => {
    const leader = makeLeader({
      members: { voters: [1, 2] },
      terms: [1, 2],
      hardState: { term: 2 },
    });
    propose(leader);
    takeMessages(leader);
    acknowledge(leader, 2, index);
    expect(leader.log.committed).toBe(committed);
  });

  test('figure 8: what a majority had is overwritten, because it was not committed', () => {
    const network = new Network(5, { messageBytesMax: 0 });
    // (a) The leader of term 1 has an entry that reaches server 2 only.
    network.elect(1);
    for (const other of [3, 4, 5]) network.cut(1, other);
    network.propose(1, 'old');
    // (b) It crashes; server 5 leads term 2 and has an entry that reaches nobody, then crashes too.
    network.isolate(1);
    network.at(1).restart();
    network.ignore(MessageType.App);
    network.elect(5);
    network.propose(5, 'new');
    network.at(5).restart();
    // (c) Server 1 leads term 3 and spreads its old entry, but none of its own term.
    network.heal();
    network.isolate(5);
    network.filter = ({ to, entries }) =>
      !entries.some(({ term }) => term === 3) || network.at(to).storage.term(2) !== 1;
    network.campaign(1);
    network.campaign(1);
    network.tick(1);
    expect(idsUpTo(4).map((id) => network.at(id).storage.term(2))).toEqual([1, 1, 1, 1]);
    expect([network.at(1).role, network.at(1).commit]).toEqual(['leader', 1]);
    // (d) It crashes again; server 5 may still win, and its entry replaces the old one.
    network.heal();
    network.isolate(1);
    network.campaign(5);
    network.campaign(5);
    network.heal();
    network.tick(5);
    for (const member of network.members.values()) {
      expect([member.logTerms, member.texts]).toEqual([[1, 2, 2, 4], ['new']]);
    }
  });
});

describe('section 5.5: crashes and repeated requests', () => {
  test('the same append twice changes nothing and is answered twice', () => {
    const core = enterRole(makeCore(), 'follower');
    const append = makeMessage(MessageType.App, {
      from: 2,
      to: 1,
      term: 1,
      entries: entriesFrom(1, 1, 1),
    });
    core.step(append);
    const first = takeOne(core);
    expect(first).toMatchObject({ type: MessageType.AppResp, index: 2, reject: false });
    core.step(append);
    expect(takeOne(core)).toEqual(first);
    expect(termsOf(allEntries(core))).toEqual([1, 1]);
  });

  test('term, vote and log survive a crash', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'x');
    const member = network.at(2);
    const before = [member.term, member.vote, member.commit, member.logTerms];
    member.restart();
    expect([member.term, member.vote, member.commit, member.logTerms]).toEqual(before);
    expect(member.role).toBe('follower');
  });
});

describe('section 7: log compaction', () => {
  test('a snapshot stands for the entries a slow follower would need', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.propose(1, 'b');
    network.at(1).compact();
    network.heal();
    network.tick(1, 2);
    network.propose(1, 'c');
    expect(network.arrived(MessageType.Snap)).toHaveLength(1);
    expect([network.at(3).commit, network.at(3).texts]).toEqual([4, ['c']]);
  });
});

describe('thesis section 3.10: leadership transfer', () => {
  test('the target is brought up to date, then told to campaign, and wins', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(2);
    network.propose(1, 'x');
    network.heal();
    const mark = network.delivered.length;
    network.transfer(1, 2);
    const [timeoutNow] = network.arrived(MessageType.TimeoutNow, mark);
    expect(timeoutNow).toMatchObject({ from: 1, to: 2, term: 1 });
    expect(network.roles).toEqual(['follower', 'leader', 'follower']);
    expect(network.at(2).texts).toEqual(['x']);
  });

  test('meanwhile the old leader takes no proposals, and after a timeout it does again', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(2);
    network.transfer(1, 2);
    expect(network.propose(1, 'x')).toBe('proposal-dropped');
    network.tick(1, ELECTION_TICKS);
    expect(network.propose(1, 'x')).toBe('ok');
  });
});

describe('thesis section 4.1: one server at a time', () => {
  test('a second change waits until the first is applied', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 3 });
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 2 });
    network.settle();
    expect(leader.confState.voters).toEqual([1, 2]);
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 2 });
    network.settle();
    expect(leader.confState.voters).toEqual([1]);
  });
});

describe('thesis section 4.2.1: catching up new servers', () => {
  test('a learner gets the log and has no say in commits', () => {
    const network = new Network({ voters: [1, 2, 3], learners: [4] });
    network.elect(1);
    network.isolate(4);
    network.propose(1, 'x');
    expect(network.at(1).texts).toEqual(['x']);
    network.heal();
    network.isolate(2);
    network.isolate(3);
    network.propose(1, 'y');
    expect(network.at(4).logTerms).toEqual([1, 1, 1]);
    expect(network.at(1).texts).toEqual(['x']);
  });
});

describe('thesis section 4.2.2: removing the current leader', () => {
  test('a leader that is removed goes on until the change is committed without it', () => {
    const network = new Network(3, { stepDownOnRemoval: true });
    network.elect(1);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 1 });
    network.settle();
    expect(network.at(1).role).toBe('follower');
    network.elect(2);
    expect(network.propose(2, 'x')).toBe('ok');
    expect(network.at(3).texts).toEqual(['x']);
  });
});

describe('thesis section 4.2.3: disruptive servers', () => {
  test('a server that hears from a leader ignores vote requests', () => {
    const network = new Network(3, { checkQuorum: true });
    network.elect(1);
    network.campaign(3);
    expect(network.roles).toEqual(['leader', 'follower', 'candidate']);
    expect(network.terms.slice(0, 2)).toEqual([1, 1]);
  });
});

describe('thesis section 4.3: joint consensus', () => {
  test('agreement needs both majorities while the joint configuration lasts', () => {
    const network = new Network({ voters: [1, 2, 3] });
    network.join(4);
    network.join(5);
    network.elect(1);
    network.at(1).node.proposeConfChange({
      transition: ConfChangeTransition.JointExplicit,
      changes: [
        { type: ConfChangeType.AddNode, nodeId: 4 },
        { type: ConfChangeType.AddNode, nodeId: 5 },
        { type: ConfChangeType.RemoveNode, nodeId: 2 },
        { type: ConfChangeType.RemoveNode, nodeId: 3 },
      ],
    });
    network.settle();
    expect(network.at(1).confState).toMatchObject({
      voters: [1, 4, 5],
      votersOutgoing: [1, 2, 3],
    });
    // The new majority alone, then the old one alone.
    for (const [others, text, applied] of [
      [[2, 3], 'x', []],
      [[4, 5], 'y', ['x']],
    ] as const) {
      for (const other of others) network.isolate(other);
      network.propose(1, text);
      expect(network.at(1).texts).toEqual(applied);
      network.heal();
      network.tick(1);
      expect(network.at(1).texts).toEqual([...applied, text]);
    }
  });
});

describe('thesis section 6.4: read-only queries', () => {
  test('a leader asks a quorum before it answers', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.read(1, 'alone');
    expect(network.at(1).reads).toEqual([]);
    network.heal();
    network.tick(1);
    expect(network.at(1).reads).toEqual([{ index: 1, context: bytes('alone') }]);
  });

  test('step 1: not before an entry of its own term is committed', () => {
    const leader = makeLeader({ terms: [1, 1], hardState: { term: 1, commit: 1 } });
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('r')] });
    expect(takeMessages(leader)).toEqual([]);
    acknowledge(leader, 2, 3);
    const beats = takeMessages(leader).filter(({ type }) => type === MessageType.Heartbeat);
    expect(beats.map(({ to }) => to)).toEqual([2, 3]);
  });

  test('section 6.4.1: under a lease it answers at once', () => {
    const network = new Network(3, { checkQuorum: true, readOnlyOption: 'lease-based' });
    network.elect(1);
    network.isolate(1);
    network.read(1, 'leased');
    expect(network.at(1).reads).toEqual([{ index: 1, context: bytes('leased') }]);
  });
});

describe('thesis section 9.6: preventing disruptions', () => {
  test('a pre-candidate raises its term only once a majority would vote for it', () => {
    const network = new Network(3, { preVote: true });
    network.isolate(3);
    network.tick(3, 5 * ELECTION_TICKS);
    expect([network.at(3).role, network.at(3).term]).toEqual(['pre-candidate', 0]);
    network.heal();
    network.campaign(3);
    expect([network.at(3).role, network.at(3).term]).toEqual(['leader', 1]);
  });

  test('a server that was cut off does not disturb the group when it comes back', () => {
    const network = new Network(3, { preVote: true });
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'x');
    network.tick(3, 5 * ELECTION_TICKS);
    network.heal();
    network.campaign(3);
    expect([network.at(1).role, network.at(1).term]).toEqual(['leader', 1]);
  });

  test('a pre-vote is neither written down nor counted as a vote', () => {
    const core = makeCore({ preVote: true, hardState: { term: 1 } });
    step(core, MessageType.PreVote, { from: 2, term: 2 });
    expect(takeOne(core)).toMatchObject({ type: MessageType.PreVoteResp, term: 2, reject: false });
    expect(core.hardState).toEqual({ term: 1, vote: 0, commit: 0 });
    step(core, MessageType.PreVote, { from: 3, term: 2 });
    expect(takeOne(core)).toMatchObject({ to: 3, reject: false });
  });
});

test('thesis section 10.2.1: appends leave before the leader’s own write is done', () => {
  const leader = settledLeader();
  propose(leader, 'x');
  expect(leader.messages.map(({ type, to }) => [type, to])).toEqual([
    [MessageType.App, 2],
    [MessageType.App, 3],
  ]);
  acknowledge(leader, 2, 2);
  acknowledge(leader, 3, 2);
  expect(progressOf(leader, 1).match).toBe(1);
  // Two of three have it, though the leader itself has not.
  expect(leader.log.committed).toBe(2);
});
