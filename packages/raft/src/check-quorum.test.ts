import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { enterRole, makeCore, makeLeader, step, takeMessages, takeOne } from './testing/core.ts';
import type { MemberOptions } from './testing/member.ts';
import { Network } from './testing/network.ts';
import { roleOf } from './testing/values.ts';
import { ConfChangeType, MessageType } from './types.ts';

const QUORUM: MemberOptions = { checkQuorum: true };
const BOTH: MemberOptions = { checkQuorum: true, preVote: true };
const ELECTION_TICKS = 10;

describe('a leader that checks its quorum', () => {
  test('stays while a majority answers', () => {
    const leader = makeLeader({ ...QUORUM, electionTicks: 5 });
    for (let tick = 0; tick < 30; tick++) {
      step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
      leader.tick();
    }
    expect(roleOf(leader.state)).toBe('leader');
  });

  test('steps down in its own term after a timeout without a majority', () => {
    const leader = makeLeader({ ...QUORUM, electionTicks: 5 });
    for (let tick = 0; tick < 5; tick++) leader.tick();
    expect([roleOf(leader.state), leader.term, leader.lead]).toEqual(['follower', 1, 0]);
  });

  test('a minority that answers is not enough', () => {
    const network = new Network(5, QUORUM);
    network.elect(1);
    for (const other of [3, 4, 5]) network.cut(1, other);
    network.tick(1, 2 * ELECTION_TICKS);
    expect(network.at(1).role).toBe('follower');
  });

  test('answers of learners do not count', () => {
    const network = new Network({ voters: [1, 2, 3], learners: [4, 5] }, QUORUM);
    network.elect(1);
    network.isolate(2);
    network.isolate(3);
    network.tick(1, 2 * ELECTION_TICKS);
    expect(network.at(1).role).toBe('follower');
  });

  test('in a joint configuration both majorities must answer', () => {
    const leader = makeLeader({
      ...QUORUM,
      members: { voters: [1, 4, 5], votersOutgoing: [1, 2, 3] },
    });
    const hear = (...ids: number[]): void => {
      for (const from of ids) step(leader, MessageType.HeartbeatResp, { from, term: 1 });
      for (let tick = 0; tick < ELECTION_TICKS; tick++) leader.tick();
    };
    hear(2, 4);
    expect(roleOf(leader.state)).toBe('leader');
    hear(4, 5);
    expect(roleOf(leader.state)).toBe('follower');
  });

  test('without the option it never steps down by itself', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.tick(1, 100);
    expect(network.at(1).role).toBe('leader');
  });

  test('a single voter is its own quorum', () => {
    const network = new Network(1, QUORUM);
    network.elect(1);
    network.tick(1, 5 * ELECTION_TICKS);
    expect(network.at(1).role).toBe('leader');
  });

  test('a new voter counts as heard of until the check after next', () => {
    const network = new Network({ voters: [1] }, QUORUM);
    network.elect(1);
    network.tick(1, ELECTION_TICKS - 1);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 2 });
    network.settle();
    network.tick(1);
    expect(network.at(1).role).toBe('leader');
    network.tick(1, ELECTION_TICKS);
    expect(network.at(1).role).toBe('follower');
  });

  test('every answer of a member shows that it lives', () => {
    for (const type of [MessageType.AppResp, MessageType.HeartbeatResp]) {
      const leader = makeLeader({ ...QUORUM, electionTicks: 5 });
      for (let round = 0; round < 4; round++) {
        step(leader, type, { from: 3, term: 1 });
        for (let tick = 0; tick < 5; tick++) leader.tick();
      }
      expect(roleOf(leader.state)).toBe('leader');
    }
  });
});

describe('a follower within its leader’s lease', () => {
  test.each([MessageType.Vote, MessageType.PreVote])(
    'ignores a request of type %i, and its term with it',
    (type) => {
      const core = enterRole(makeCore(QUORUM), 'follower');
      for (let tick = 1; tick < ELECTION_TICKS; tick++) core.tick();
      step(core, type, { from: 3, term: 9, index: 9, logTerm: 9 });
      expect([core.term, core.lead, takeMessages(core)]).toEqual([1, 2, []]);
    },
  );

  test('answers once the lease is over', () => {
    const core = enterRole(makeCore({ ...QUORUM, random: () => 5 }), 'follower');
    for (let tick = 0; tick < ELECTION_TICKS; tick++) core.tick();
    step(core, MessageType.Vote, { from: 3, term: 2, index: 9, logTerm: 9 });
    expect(takeOne(core)).toMatchObject({ type: MessageType.VoteResp, reject: false, term: 2 });
  });

  test('answers where it knows of no leader', () => {
    const core = makeCore(QUORUM);
    step(core, MessageType.Vote, { from: 3, term: 2, index: 9, logTerm: 9 });
    expect(takeOne(core).reject).toBe(false);
  });

  test('answers without the option', () => {
    const core = enterRole(makeCore(), 'follower');
    step(core, MessageType.Vote, { from: 3, term: 2, index: 9, logTerm: 9 });
    expect(takeOne(core).reject).toBe(false);
  });

  test('does not prolong the lease by what it ignores', () => {
    const core = enterRole(makeCore({ ...QUORUM, random: () => 9 }), 'follower');
    for (let tick = 0; tick < ELECTION_TICKS; tick++) {
      step(core, MessageType.Vote, { from: 3, term: 9, index: 9, logTerm: 9 });
      core.tick();
    }
    step(core, MessageType.Vote, { from: 3, term: 9, index: 9, logTerm: 9 });
    expect(takeOne(core).reject).toBe(false);
  });
});

describe('a group that checks its quorum', () => {
  test('elects its first leader at once', () => {
    const network = new Network(3, QUORUM);
    network.campaign(1);
    expect(network.roles).toEqual(['leader', 'follower', 'follower']);
  });

  test('replaces a leader only when the others have not heard of it for a timeout', () => {
    const network = new Network(3, { ...QUORUM, random: () => 5 });
    network.elect(1);
    network.campaign(3);
    expect(network.at(3).role).toBe('candidate');
    network.at(2).tick(ELECTION_TICKS);
    network.campaign(3);
    expect(network.roles).toEqual(['follower', 'follower', 'leader']);
  });

  test('an old leader’s own lease does not keep it from following another', () => {
    const network = new Network(3, { ...QUORUM, random: () => 5 });
    network.elect(1);
    network.isolate(1);
    for (const id of [2, 3]) network.at(id).tick(ELECTION_TICKS);
    network.elect(3);
    network.heal();
    network.tick(3);
    expect([network.at(1).role, network.at(1).lead]).toEqual(['follower', 3]);
  });

  test('frees a candidate that is stuck in a later term, at the price of an election', () => {
    const network = new Network(3, { ...QUORUM, random: () => 5 });
    network.elect(1);
    network.isolate(1);
    network.campaign(3);
    network.campaign(3);
    expect(network.terms).toEqual([1, 1, 3]);
    network.heal();
    network.tick(1);
    // Its answer to the heartbeat carries its term, and makes the leader step down.
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 3]);
    // Without a leader, node 1 holds no lease any more.
    network.campaign(3);
    expect(network.at(3).role).toBe('leader');
  });

  test('a member without a vote of its own follows as well', () => {
    const network = new Network({ voters: [1] }, QUORUM);
    const outsider = network.join(2, QUORUM);
    network.elect(1);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 2 });
    // Its own application of the change is what makes it a voter.
    expect(outsider.node.status().config.voters.has(2)).toBe(false);
    outsider.tick(3 * ELECTION_TICKS);
    expect(outsider.role).toBe('follower');
    network.settle();
    expect([outsider.role, outsider.lead]).toEqual(['follower', 1]);
  });

  test('a follower that lost touch for a moment disturbs the leader', () => {
    const network = new Network(3, QUORUM);
    network.elect(1);
    network.at(3).tick(ELECTION_TICKS);
    expect([network.at(3).role, network.at(3).term]).toEqual(['candidate', 2]);
    // A heartbeat that was on its way arrives before its vote requests go out.
    network.at(3).node.step(makeMessage(MessageType.Heartbeat, { from: 1, to: 3, term: 1 }));
    network.settle();
    expect(network.at(1).role).toBe('follower');
    expect([network.at(1).term, network.at(2).term]).toEqual([2, 1]);
  });
});

describe('with pre-votes as well', () => {
  test('a follower that lost touch for a moment does not disturb the leader', () => {
    const network = new Network(3, BOTH);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'x');
    network.heal();
    network.at(3).tick(ELECTION_TICKS);
    network.at(3).node.step(makeMessage(MessageType.Heartbeat, { from: 1, to: 3, term: 1 }));
    network.settle();
    expect(network.roles).toEqual(['leader', 'follower', 'follower']);
    expect(network.terms).toEqual([1, 1, 1]);
  });

  test('a pre-candidate in the lease of the others stays one', () => {
    const network = new Network(3, BOTH);
    network.elect(1);
    network.campaign(3);
    expect(network.roles).toEqual(['leader', 'follower', 'pre-candidate']);
    network.tick(1);
    expect(network.at(3).role).toBe('follower');
  });

  test('the remaining members elect one when a majority has given the leader up', () => {
    const network = new Network(3, BOTH);
    network.elect(1);
    network.isolate(1);
    // Node 2 still holds to the leader and does not answer node 3.
    network.campaign(3);
    expect(network.roles.slice(1)).toEqual(['follower', 'pre-candidate']);
    // Node 3 has given it up, and answers node 2.
    network.campaign(2);
    expect(network.roles.slice(1)).toEqual(['leader', 'follower']);
  });

  test('a split vote is settled in the next round', () => {
    const network = new Network(3, { preVote: true });
    network.elect(1);
    network.isolate(1);
    network.campaign(2, 3);
    expect(network.roles.slice(1)).toEqual(['candidate', 'candidate']);
    expect(network.terms.slice(1)).toEqual([2, 2]);
    network.campaign(2);
    expect(network.roles.slice(1)).toEqual(['leader', 'follower']);
    expect(network.terms.slice(1)).toEqual([3, 3]);
  });

  test('a member in an older term can help, and win, after a partition', () => {
    const network = new Network(3, { preVote: true });
    network.isolate(3);
    network.elect(1);
    network.campaign(3);
    network.elect(2);
    expect(network.terms).toEqual([2, 2, 0]);
    expect(network.roles).toEqual(['follower', 'leader', 'pre-candidate']);
    // The leader is gone; the member that missed everything comes back.
    network.heal();
    network.isolate(2);
    network.campaign(3);
    expect(network.at(3).term).toBe(2);
    network.elect(1);
    expect([network.at(3).lead, network.at(3).term]).toEqual([1, 3]);
  });

  test('a refused pre-vote tells the term of who refused', () => {
    const core = makeCore({ ...BOTH, hardState: { term: 5 } });
    step(core, MessageType.PreVote, { from: 2, term: 3, index: 9, logTerm: 2 });
    expect(takeOne(core)).toMatchObject({ type: MessageType.PreVoteResp, term: 5, reject: true });
  });

  test.each([MessageType.Heartbeat, MessageType.App])(
    'an old leader’s message of type %i is answered with our term, to set it right',
    (type) => {
      for (const options of [QUORUM, { preVote: true }]) {
        const core = makeCore({ ...options, hardState: { term: 5 } });
        step(core, type, { from: 2, term: 3 });
        expect(takeOne(core)).toMatchObject({ type: MessageType.AppResp, term: 5, index: 0 });
      }
      const silent = makeCore({ hardState: { term: 5 } });
      step(silent, type, { from: 2, term: 3 });
      expect(takeMessages(silent)).toEqual([]);
    },
  );
});

/**
 * Pre-votes being switched on member by member. Member 3, which had none, was cut off and is a
 * candidate in term 3 with a shorter log; then it is restarted with pre-votes too.
 */
function midMigration(): Network {
  const network = new Network(3, {}, { 1: { preVote: true }, 2: { preVote: true } });
  network.elect(1);
  network.isolate(3);
  network.propose(1, 'x');
  for (let at = 0; at < 2; at++) network.campaign(3);
  expect(network.roles).toEqual(['leader', 'follower', 'candidate']);
  expect(network.terms).toEqual([1, 1, 3]);
  network.at(3).restart({ preVote: true });
  network.heal();
  return network;
}

describe('switching pre-votes on in a running group', () => {
  test('the group elects a leader although one member is terms ahead', () => {
    const network = midMigration();
    network.isolate(1);
    network.campaign(3);
    expect(network.at(3).role).toBe('pre-candidate');
    network.campaign(2);
    // Refused, it learns of the later term, in which it then wins.
    expect([network.at(2).role, network.at(2).term]).toEqual(['follower', 3]);
    network.campaign(2);
    expect([network.at(2).role, network.at(2).term]).toEqual(['leader', 4]);
    expect(network.at(3).texts).toEqual(['x']);
  });

  test('a pre-candidate stuck terms ahead is freed by the leader’s heartbeat', () => {
    const network = midMigration();
    for (let at = 0; at < 2; at++) {
      network.campaign(3);
      expect(network.roles).toEqual(['leader', 'follower', 'pre-candidate']);
    }
    network.tick(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 3]);
    network.campaign(1);
    expect(network.at(1).role).toBe('leader');
    expect(network.at(3).texts).toEqual(['x']);
  });

  test('a member without pre-votes still grants them', () => {
    const network = new Network(3, {}, { 1: { preVote: true } });
    network.elect(1);
    expect(network.arrived(MessageType.PreVoteResp)).toHaveLength(2);
  });

  test('a member with pre-votes still grants plain votes', () => {
    const network = new Network(3, { preVote: true }, { 1: { preVote: false } });
    network.elect(1);
    expect(network.arrived(MessageType.PreVote)).toEqual([]);
  });
});
