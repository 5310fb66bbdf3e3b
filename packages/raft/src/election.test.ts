import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import {
  allEntries,
  deliverOrQueue,
  enterRole,
  keepPromises,
  makeCore,
  makeLeader,
  step,
  takeMessages,
  takeOne,
  takePromises,
} from './testing/core.ts';
import { Network } from './testing/network.ts';
import { entriesFrom, idsUpTo, type Role, roleOf, termsOf } from './testing/values.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
} from './transitions.ts';
import { ConfChangeType, MessageType, StateType } from './types.ts';

const ROLES: readonly Role[] = ['follower', 'pre-candidate', 'candidate', 'leader'];
const MODES = [
  ['by votes', false],
  ['with pre-votes', true],
] as const;

describe.each(MODES)('an election %s', (_, preVote) => {
  const waiting: Role = preVote ? 'pre-candidate' : 'candidate';
  const waitingTerm = preVote ? 0 : 1;

  test.each<[string, number, number[], Role, number]>([
    ['nobody of three down', 3, [], 'leader', 1],
    ['one of three down', 3, [3], 'leader', 1],
    ['two of three down', 3, [2, 3], waiting, waitingTerm],
    ['two of four down', 4, [2, 3], waiting, waitingTerm],
    ['one of four down', 4, [4], 'leader', 1],
    ['two of five down', 5, [2, 3], 'leader', 1],
    ['three of five down', 5, [2, 3, 5], waiting, waitingTerm],
    ['alone', 1, [], 'leader', 1],
  ])('with %s', (_name, size, down, role, term) => {
    const network = new Network(size, { preVote });
    for (const id of down) network.isolate(id);
    network.campaign(1);
    expect([network.at(1).role, network.at(1).term]).toEqual([role, term]);
  });

  test('is lost against members whose logs are longer', () => {
    const ahead = { terms: [1], hardState: { term: 1 } };
    const network = new Network(5, { preVote }, { 2: ahead, 3: ahead, 4: ahead });
    network.campaign(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 1]);
  });

  test('can be won by each member in turn', () => {
    const network = new Network(3, { preVote });
    for (const id of [1, 2, 3, 1]) {
      network.elect(id);
      expect(network.roles.filter((role) => role === 'leader')).toHaveLength(1);
      expect([...network.members.values()].map(({ lead }) => lead)).toEqual([id, id, id]);
    }
    expect(network.terms).toEqual([4, 4, 4]);
  });

  test('is won by a log of an older term, whose entry then replaces the newer one', () => {
    const network = new Network(
      5,
      { preVote },
      {
        1: { terms: [1], hardState: { term: 1 } },
        2: { terms: [1], hardState: { term: 1 } },
        3: { terms: [2], hardState: { term: 2, vote: 3 } },
        4: { hardState: { term: 2, vote: 3 } },
        5: { hardState: { term: 2, vote: 3 } },
      },
    );
    // A majority knows of term 2, which the first attempt only finds out.
    network.campaign(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 2]);
    network.elect(1);
    for (const member of network.members.values()) expect(member.logTerms).toEqual([1, 3]);
  });

  test('a leader that campaigns stays what it is', () => {
    const network = new Network(1, { preVote });
    const leader = network.elect(1);
    expect(leader.node.campaign()).toBe('ok');
    network.settle();
    expect([leader.role, leader.term]).toEqual(['leader', 1]);
  });

  test('a campaigner that hears it has lost ignores its own late vote', () => {
    const core = makeCore({ preVote });
    step(core, MessageType.Hup, { from: 1 });
    const promises = takePromises(core);
    step(core, MessageType.Heartbeat, { from: 2, term: Math.max(core.term, 1) });
    for (const promise of promises) deliverOrQueue(core, promise);
    expect(roleOf(core.state)).toBe('follower');
    expect(core.tracker.tallyVotes().granted).toBe(0);
  });
});

describe('requests for votes', () => {
  test.each(ROLES)('a %s that is asked for its vote in a later term gives it', (role) => {
    const core = enterRole(makeCore({ hardState: { term: 1 } }), role, 3);
    takeMessages(core);
    const term = core.term + 1;
    step(core, MessageType.Vote, { from: 2, term, index: 42, logTerm: term });
    expect(takeOne(core)).toMatchObject({ type: MessageType.VoteResp, term, reject: false });
    expect([roleOf(core.state), core.term, core.vote]).toEqual(['follower', term, 2]);
  });

  test.each(ROLES)('a %s that is asked for a pre-vote gives it and changes nothing', (role) => {
    const core = enterRole(makeCore({ hardState: { term: 1 } }), role, 3);
    takeMessages(core);
    const before = [core.state, core.term, core.vote, core.lead];
    const term = core.term + 1;
    step(core, MessageType.PreVote, { from: 2, term, index: 42, logTerm: term });
    expect(takeOne(core)).toMatchObject({ type: MessageType.PreVoteResp, term, reject: false });
    expect([core.state, core.term, core.vote, core.lead]).toEqual(before);
  });

  // The voter holds entries of terms 2 and 2; the terms of both nodes are equal.
  test.each<[number, number, boolean]>([
    [0, 1, false],
    [0, 2, false],
    [1, 2, false],
    [9, 1, false],
    [2, 2, true],
    [3, 2, true],
    [0, 3, true],
    [1, 3, true],
    [2, 3, true],
  ])('a log that ends at %i with term %i is good enough: %s', (index, logTerm, granted) => {
    for (const type of [MessageType.Vote, MessageType.PreVote]) {
      const term = Math.max(2, logTerm);
      const core = makeCore({ terms: [2, 2], hardState: { term } });
      step(core, type, { from: 2, term, index, logTerm });
      expect(takeOne(core).reject).toBe(!granted);
    }
  });

  test.each<[Role, number, boolean]>([
    ['follower', 0, true],
    ['follower', 2, true],
    ['follower', 3, false],
    ['pre-candidate', 1, false],
    ['candidate', 1, false],
    ['leader', 1, false],
  ])('a %s that voted for %i gives its vote to 2 in the same term: %s', (role, vote, granted) => {
    const core = makeCore({ hardState: { term: 1, vote } });
    if (role !== 'follower') enterRole(core, role);
    takeMessages(core);
    step(core, MessageType.Vote, { from: 2, term: core.term, index: 9, logTerm: core.term });
    expect(takeOne(core).reject).toBe(!granted);
  });

  test('a follower of a leader gives its vote of this term to nobody', () => {
    const core = enterRole(makeCore(), 'follower');
    step(core, MessageType.Vote, { from: 3, term: core.term, index: 9, logTerm: 1 });
    expect(takeOne(core)).toMatchObject({ to: 3, reject: true });
  });

  test('giving a vote puts off one’s own election, refusing one does not', () => {
    const core = makeCore({ terms: [1], hardState: { term: 1 } });
    for (let tick = 0; tick < 9; tick++) core.tick();
    step(core, MessageType.Vote, { from: 2, term: 1, index: 0, logTerm: 0 });
    expect(core.electionElapsed).toBe(9);
    step(core, MessageType.Vote, { from: 2, term: 1, index: 1, logTerm: 1 });
    expect(core.electionElapsed).toBe(0);
  });

  test('a learner that is asked votes: it may be a voter by a change it has not applied', () => {
    const core = makeCore({ id: 2, members: { voters: [1], learners: [2] } });
    step(core, MessageType.Vote, { from: 1, term: 2, index: 11, logTerm: 1 });
    expect(takeOne(core)).toMatchObject({ type: MessageType.VoteResp, reject: false });
  });

  test('the promise of a vote waits for the disk, the vote request does not', () => {
    const core = makeCore();
    step(core, MessageType.Vote, { from: 2, term: 1 });
    expect([core.messages.length, core.messagesAfterAppend.length]).toEqual([0, 1]);
    const candidate = makeCore();
    step(candidate, MessageType.Hup, { from: 1 });
    expect(candidate.messages.map(({ to }) => to)).toEqual([2, 3]);
    expect(candidate.messagesAfterAppend.map(({ to }) => to)).toEqual([1]);
  });
});

describe('answers', () => {
  test('to the pre-vote stage do not count in the vote stage', () => {
    const core = makeCore({ preVote: true });
    step(core, MessageType.Hup, { from: 1 });
    const ownPreVote = takePromises(core);
    for (const from of [2, 3]) step(core, MessageType.PreVoteResp, { from, term: 1 });
    expect(roleOf(core.state)).toBe('candidate');
    const ownVote = takePromises(core);
    for (const promise of ownPreVote) deliverOrQueue(core, promise);
    expect(core.tracker.tallyVotes().granted).toBe(0);
    step(core, MessageType.VoteResp, { from: 2, term: 1 });
    expect(roleOf(core.state)).toBe('candidate');
    for (const promise of ownVote) deliverOrQueue(core, promise);
    expect(roleOf(core.state)).toBe('leader');
  });

  test('to the vote stage do not count in the pre-vote stage', () => {
    const core = makeCore({ preVote: true, hardState: { term: 1 } });
    step(core, MessageType.Hup, { from: 1 });
    keepPromises(core);
    step(core, MessageType.VoteResp, { from: 2, term: 1 });
    expect(roleOf(core.state)).toBe('pre-candidate');
  });

  test('a refused pre-vote of a later term makes a follower in that term', () => {
    const core = makeCore({ preVote: true, hardState: { term: 1 } });
    step(core, MessageType.Hup, { from: 1 });
    step(core, MessageType.PreVoteResp, { from: 2, term: 5, reject: true });
    expect([roleOf(core.state), core.term]).toEqual(['follower', 5]);
  });

  test('refused by a majority, a pre-candidate follows nobody in its old term', () => {
    const core = makeCore({ preVote: true, hardState: { term: 1 } });
    step(core, MessageType.Hup, { from: 1 });
    keepPromises(core);
    for (const from of [2, 3]) step(core, MessageType.PreVoteResp, { from, term: 1, reject: true });
    expect([roleOf(core.state), core.term, core.lead]).toEqual(['follower', 1, 0]);
  });

  test('votes of nodes that are no voters do not count', () => {
    const core = makeCore({ members: { voters: [1, 2, 3], learners: [4] } });
    step(core, MessageType.Hup, { from: 1 });
    keepPromises(core);
    for (const from of [4, 9]) step(core, MessageType.VoteResp, { from, term: 1 });
    expect(roleOf(core.state)).toBe('candidate');
    expect(core.tracker.tallyVotes().granted).toBe(1);
  });
});

describe('rivals', () => {
  test('two candidates: the shorter log disturbs, but does not win', () => {
    const network = new Network(3);
    network.cut(1, 3);
    network.campaign(1);
    network.campaign(3);
    expect(network.roles).toEqual(['leader', 'follower', 'candidate']);
    network.heal();
    network.campaign(3);
    expect(network.roles).toEqual(['follower', 'follower', 'follower']);
    expect(network.terms).toEqual([2, 2, 2]);
    expect(network.at(3).logTerms).toEqual([]);
  });

  test('two pre-candidates: the shorter log does not even disturb', () => {
    const network = new Network(3, { preVote: true });
    network.cut(1, 3);
    network.campaign(1);
    network.campaign(3);
    expect(network.roles).toEqual(['leader', 'follower', 'follower']);
    network.heal();
    network.campaign(3);
    expect(network.roles).toEqual(['leader', 'follower', 'follower']);
    expect(network.terms).toEqual([1, 1, 1]);
  });

  test('a candidate gives up when it hears of the leader of its term', () => {
    const network = new Network(3);
    network.isolate(1);
    network.campaign(1);
    network.elect(3);
    network.heal();
    network.tick(3);
    network.propose(3, 'x');
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 1]);
    for (const member of network.members.values()) expect(member.logTerms).toEqual([1, 1]);
    expect(network.at(1).texts).toEqual(['x']);
  });

  test.each([MessageType.Heartbeat, MessageType.App])(
    'a stuck candidate returns to the leader’s term by a message of type %i',
    (type) => {
      const network = new Network(3);
      network.elect(1);
      network.isolate(3);
      network.elect(2);
      network.elect(1);
      network.tick(3, 10);
      expect(network.at(3).role).toBe('candidate');
      network.heal();
      const { term } = network.at(1);
      network.send(makeMessage(type, { from: 1, to: 3, term }));
      expect([network.at(3).role, network.at(3).term]).toEqual(['follower', term]);
    },
  );

  test('an old leader’s appends are ignored', () => {
    const network = new Network(3);
    for (const id of [1, 2, 1]) network.elect(id);
    const entries = entriesFrom(3, 2);
    network.send(
      makeMessage(MessageType.App, { from: 2, to: 1, term: 2, index: 2, logTerm: 2, entries }),
    );
    network.propose(1, 'x');
    for (const member of network.members.values()) {
      expect([member.logTerms, member.texts]).toEqual([[1, 2, 3, 3], ['x']]);
    }
  });
});

describe('who may campaign', () => {
  test.each<[string, number[], number[], boolean]>([
    ['the only voter', [1], [], true],
    ['a voter among others', [1, 2, 3], [], true],
    ['a node of an empty group', [], [], false],
    ['a node outside the group', [2, 3], [], false],
    ['a learner', [2], [1], false],
  ])('%s', (_, voters, learners, may) => {
    const core = makeCore({ members: { voters, learners } });
    expect(core.isPromotable).toBe(may);
    for (let tick = 0; tick < 25; tick++) core.tick();
    step(core, MessageType.Hup, { from: 1 });
    keepPromises(core);
    expect(roleOf(core.state) === 'follower').toBe(!may);
  });

  test('a learner does not, whether time or a leader asks it to', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.tick(2, 30);
    network.campaign(2);
    network.elect(1);
    network.send(makeMessage(MessageType.TimeoutNow, { from: 1, to: 2, term: 1 }));
    expect(network.roles).toEqual(['leader', 'follower']);
    expect(network.terms).toEqual([1, 1]);
  });

  test('a learner that was promoted does', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.elect(1);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 2 });
    network.settle();
    network.tick(2, 10);
    expect(network.roles).toEqual(['follower', 'leader']);
  });

  test('a removed node does not, even with votes at hand', () => {
    const core = makeCore({ members: { voters: [2, 3, 4] } });
    step(core, MessageType.TimeoutNow, { from: 2 });
    for (const from of [2, 3]) step(core, MessageType.VoteResp, { from });
    expect(roleOf(core.state)).toBe('follower');
  });

  test('a node does not while a snapshot waits to be installed', () => {
    const core = makeCore({ id: 2 });
    const confState = core.tracker.confState;
    const snapshot = { data: undefined, metadata: { index: 5, term: 1, confState } };
    step(core, MessageType.Snap, { from: 1, term: 1, snapshot });
    for (let tick = 0; tick < 25; tick++) core.tick();
    step(core, MessageType.TimeoutNow, { from: 1, term: 1 });
    expect([roleOf(core.state), core.term]).toEqual(['follower', 1]);
  });

  test.each([
    ['old', { type: ConfChangeType.RemoveNode, nodeId: 2 }],
    ['new', { changes: [{ type: ConfChangeType.RemoveNode, nodeId: 2 }] }],
  ])('a node does not with a committed change (of the %s form) unapplied', (_, change) => {
    const network = new Network(3, { asyncStorageWrites: true });
    network.elect(1);
    const [leader, slow] = [network.at(1), network.at(2)];
    slow.holdsApplying = true;
    leader.node.proposeConfChange(change);
    network.settle();
    expect(slow.commit).toBe(2);
    network.tick(2, 10);
    expect(slow.role).toBe('follower');
    // Removed, it does not campaign either.
    slow.holdsApplying = false;
    network.tick(2, 30);
    expect([slow.role, slow.term, slow.confState.voters]).toEqual(['follower', 1, [1, 3]]);
  });

  test('an unapplied change of somebody else holds an election up until it is applied', () => {
    const network = new Network(3, { asyncStorageWrites: true });
    network.elect(1);
    const slow = network.at(2);
    slow.holdsApplying = true;
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddLearnerNode, nodeId: 9 });
    network.settle();
    network.isolate(1);
    network.tick(2, 10);
    expect(slow.role).toBe('follower');
    slow.holdsApplying = false;
    network.tick(2, 10);
    expect(slow.role).toBe('leader');
  });
});

describe('time', () => {
  test.each<[number, number, boolean]>([
    [9, 0, false],
    [10, 0, true],
    [10, 1, false],
    [13, 4, false],
    [14, 4, true],
    [18, 9, false],
    [19, 9, true],
  ])('after %i ticks with a random part of %i an election starts: %s', (ticks, part, starts) => {
    const core = makeCore({ random: () => part });
    for (let tick = 0; tick < ticks; tick++) core.tick();
    expect(roleOf(core.state)).toBe(starts ? 'candidate' : 'follower');
  });

  test('the random part is drawn from [0, electionTicks) at every change of role', () => {
    const bounds: number[] = [];
    const core = makeCore({
      electionTicks: 7,
      random: (bound) => {
        bounds.push(bound);
        return bounds.length % bound;
      },
    });
    const first = core.randomizedElectionTicks;
    enterRole(core, 'candidate');
    expect(core.randomizedElectionTicks).not.toBe(first);
    expect(new Set(bounds)).toEqual(new Set([7]));
  });

  test.each<[Role, number]>([
    ['follower', 0],
    ['candidate', 0],
    ['leader', 2],
  ])('a %s told to beat sends %i heartbeats', (role, count) => {
    const core = enterRole(makeCore({ terms: [1, 1], hardState: { term: 1 } }), role);
    takeMessages(core);
    step(core, MessageType.Beat, { from: 1 });
    const messages = takeMessages(core);
    expect(messages.map(({ type }) => type)).toEqual(
      Array.from({ length: count }, () => MessageType.Heartbeat),
    );
  });

  test('a leader beats by its own clock, not by the election clock', () => {
    const leader = makeLeader({ electionTicks: 10, heartbeatTicks: 4 });
    takeMessages(leader);
    const ticks: number[] = [];
    for (let tick = 1; tick <= 12; tick++) {
      leader.tick();
      if (takeMessages(leader).length > 0) ticks.push(tick);
    }
    expect(ticks).toEqual([4, 8, 12]);
  });
});

describe('changes of role', () => {
  const moves = {
    follower: (core: ReturnType<typeof makeCore>) => becomeFollower(core, core.term + 1, 0),
    'pre-candidate': becomePreCandidate,
    candidate: becomeCandidate,
    leader: becomeLeader,
  };

  test.each<[Role, Role, number, number]>([
    ['follower', 'follower', 2, 0],
    ['follower', 'pre-candidate', 1, 0],
    ['follower', 'candidate', 2, 0],
    ['pre-candidate', 'follower', 2, 0],
    ['pre-candidate', 'pre-candidate', 1, 0],
    ['pre-candidate', 'candidate', 2, 0],
    ['candidate', 'follower', 3, 0],
    ['candidate', 'pre-candidate', 2, 0],
    ['candidate', 'candidate', 3, 0],
    ['candidate', 'leader', 2, 1],
    ['leader', 'follower', 3, 0],
  ])('%s to %s leads to term %i and leader %i', (from, to, term, lead) => {
    const core = enterRole(makeCore({ hardState: { term: 1 } }), from);
    moves[to](core);
    expect([roleOf(core.state), core.term, core.lead]).toEqual([to, term, lead]);
  });

  test.each<[Role, Role]>([
    ['follower', 'leader'],
    ['leader', 'pre-candidate'],
    ['leader', 'candidate'],
  ])('%s to %s is a mistake', (from, to) => {
    const core = enterRole(makeCore(), from);
    expect(() => moves[to](core)).toThrow(InvariantError);
  });

  test.each<[Role, number]>([
    ['follower', 0],
    ['pre-candidate', 0],
    ['candidate', 0],
    ['leader', 1],
  ])('a %s steps down for a vote request, then follows an append, of a later term', (...row) => {
    const [role, lastIndex] = row;
    const core = enterRole(makeCore(), role);
    step(core, MessageType.Vote, { from: 2, term: 3, logTerm: 3 });
    expect([roleOf(core.state), core.term, core.lead]).toEqual(['follower', 3, 0]);
    step(core, MessageType.App, { from: 2, term: 3, index: 9, logTerm: 3 });
    expect([roleOf(core.state), core.term, core.lead]).toEqual(['follower', 3, 2]);
    expect(allEntries(core)).toHaveLength(lastIndex);
  });

  test('becoming leader appends an empty entry and starts every follower at the end', () => {
    const leader = makeLeader({ terms: [1, 1], hardState: { term: 4 } });
    expect(termsOf(allEntries(leader))).toEqual([1, 1, 5]);
    expect(allEntries(leader).at(-1)?.data).toBeUndefined();
    for (const id of [2, 3]) {
      const progress = leader.tracker.progress.get(id);
      expect([progress?.match, progress?.state, progress?.recentActive]).toEqual([
        0,
        'probe',
        false,
      ]);
      expect(progress?.next).toBe(3);
    }
    expect(leader.tracker.progress.get(1)).toMatchObject({ match: 2, state: 'replicate' });
  });

  test('a leader’s own late acknowledgement means nothing after the term has changed', () => {
    const leader = makeLeader();
    step(leader, MessageType.Prop, { from: 1, entries: entriesFrom(0, 0) });
    const promises = takePromises(leader);
    step(leader, MessageType.Heartbeat, { from: 2, term: leader.term + 1 });
    for (const promise of promises) deliverOrQueue(leader, promise);
    expect([roleOf(leader.state), leader.log.committed]).toEqual(['follower', 0]);
    expect(leader.state).toBe(StateType.Follower);
  });

  test('a group elects exactly one leader in each of many terms', () => {
    const network = new Network(5);
    const leaders = new Map<number, number>();
    for (let round = 0; round < 40; round++) {
      const candidates = idsUpTo(5).filter((id) => (round + id) % 3 !== 0);
      network.campaign(...candidates);
      for (const member of network.members.values()) {
        if (member.role !== 'leader') continue;
        expect(leaders.get(member.term) ?? member.id).toBe(member.id);
        leaders.set(member.term, member.id);
      }
    }
    expect(leaders.size).toBeGreaterThan(3);
  });
});
