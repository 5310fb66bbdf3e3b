import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { acknowledge, makeCore, makeLeader, step, takeMessages } from './testing/core.ts';
import type { Member } from './testing/member.ts';
import { Network } from './testing/network.ts';
import { proposed, roleOf } from './testing/values.ts';
import { ConfChangeTransition, ConfChangeType, MessageType } from './types.ts';

/** Three members led by 1, of which 3 is cut off: a transfer to 3 stays under way. */
function withTransferUnderWay(): { network: Network; leader: Member } {
  const network = new Network(3);
  const leader = network.elect(1);
  network.isolate(3);
  network.transfer(1, 3);
  expect(leader.leadTransferee).toBe(3);
  return { network, leader };
}

/** Who leads in the eyes of node 1, and that no transfer is under way there. */
function expectLeader(network: Network, id: number): void {
  const { role, lead, leadTransferee } = network.at(1);
  const expected = { role: id === 1 ? 'leader' : 'follower', lead: id, leadTransferee: 0 };
  expect({ role, lead, leadTransferee }).toEqual(expected);
}

describe('a transfer', () => {
  test.each([
    ['asked of the leader', 1],
    ['asked of its target', 2],
    ['asked of a third', 3],
  ])('%s succeeds', (_, asked) => {
    const network = new Network(3);
    network.elect(1);
    network.transfer(asked, 2);
    expectLeader(network, 2);
    network.propose(1, 'x');
    network.transfer(asked, 1);
    expectLeader(network, 1);
    expect(network.terms).toEqual([3, 3, 3]);
  });

  test('passes the lease of members that have just heard of the leader', () => {
    const network = new Network(3, { checkQuorum: true });
    network.elect(1);
    network.tick(1);
    network.transfer(1, 2);
    expectLeader(network, 2);
    network.tick(2);
    network.transfer(2, 1);
    expectLeader(network, 1);
  });

  test('needs no pre-vote', () => {
    const network = new Network(3, { preVote: true, checkQuorum: true });
    network.elect(1);
    network.tick(1);
    const mark = network.delivered.length;
    network.transfer(1, 3);
    expectLeader(network, 3);
    expect(network.arrived(MessageType.PreVote, mark)).toEqual([]);
  });

  test('first brings a slow target up to date', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'x');
    network.heal();
    expect(network.at(1).progress(3).match).toBe(1);
    network.transfer(1, 3);
    expectLeader(network, 3);
    expect(network.at(3).texts).toEqual(['x']);
  });

  test('goes through a snapshot if the target needs one', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'x');
    network.at(1).compact();
    network.heal();
    // It has been heard of, but its answer to the snapshot is held back.
    network.ignore(MessageType.AppResp);
    network.tick(1, 2);
    network.heal();
    const held: ReturnType<typeof makeMessage>[] = [];
    network.filter = (message) => {
      if (message.from !== 3 || message.type !== MessageType.AppResp || message.reject) return true;
      held.push({ ...message });
      return false;
    };
    network.at(1).node.reportSnapshot(3, 'failed');
    network.transfer(1, 3);
    network.tick(1, 2);
    expect([network.at(1).role, network.at(1).leadTransferee]).toEqual(['leader', 3]);
    expect(held.length).toBeGreaterThan(0);
    network.heal();
    network.send(...held);
    expectLeader(network, 3);
  });

  test('to the leader itself does nothing', () => {
    const network = new Network(3);
    network.elect(1);
    network.transfer(1, 1);
    expectLeader(network, 1);
    expect(network.propose(1, 'x')).toBe('ok');
  });

  test('to a node that is no member does nothing', () => {
    const network = new Network(3);
    network.elect(1);
    network.transfer(1, 4);
    expectLeader(network, 1);
    expect(network.propose(1, 'x')).toBe('ok');
  });

  test('to a learner does nothing', () => {
    const network = new Network({ voters: [1, 2], learners: [3] });
    network.elect(1);
    network.transfer(1, 3);
    expectLeader(network, 1);
    expect(network.arrived(MessageType.TimeoutNow)).toEqual([]);
  });

  test('asked of a node without a leader does nothing', () => {
    const core = makeCore();
    step(core, MessageType.TransferLeader, { from: 2 });
    expect(takeMessages(core)).toEqual([]);
  });

  test('asked of a candidate does nothing', () => {
    const core = makeCore();
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    step(core, MessageType.TransferLeader, { from: 2 });
    expect([takeMessages(core), roleOf(core.state)]).toEqual([[], 'candidate']);
  });

  test('in a group of two works both ways', () => {
    const network = new Network(2);
    network.elect(1);
    network.transfer(1, 2);
    expectLeader(network, 2);
    network.transfer(1, 1);
    expectLeader(network, 1);
  });
});

describe('while a transfer is under way', () => {
  test('after an election timeout it is given up', () => {
    const { network, leader } = withTransferUnderWay();
    network.tick(1, 9);
    expect(leader.leadTransferee).toBe(3);
    network.tick(1, 1);
    expectLeader(network, 1);
  });

  test('it has a whole election timeout, whenever it was asked for', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.tick(1, 8);
    network.transfer(1, 3);
    network.tick(1, 9);
    expect(network.at(1).leadTransferee).toBe(3);
    network.tick(1, 1);
    expectLeader(network, 1);
  });

  test('proposals are dropped, at the leader and where they are passed on', () => {
    const { network, leader } = withTransferUnderWay();
    const last = leader.storage.lastIndex();
    expect(network.propose(1, 'x')).toBe('proposal-dropped');
    expect(network.propose(2, 'y')).toBe('ok');
    expect(leader.storage.lastIndex()).toBe(last);
    expect(leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 3 })).toBe(
      'proposal-dropped',
    );
  });

  test('entries proposed before go on being committed', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.isolate(3);
    leader.node.proposeAll([new Uint8Array([0x61])]);
    leader.node.transferLeader(3);
    network.settle();
    expect([leader.leadTransferee, leader.texts]).toEqual([3, ['a']]);
  });

  test('reads are answered', () => {
    const { network, leader } = withTransferUnderWay();
    network.read(1, 'r');
    expect(leader.reads).toHaveLength(1);
  });

  test('another election ends it', () => {
    const { network } = withTransferUnderWay();
    network.elect(2);
    expectLeader(network, 2);
  });

  test('removing the target ends it', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.ignore(MessageType.TimeoutNow);
    // The change is in the log before the transfer starts.
    network.isolate(2);
    network.isolate(3);
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 3 });
    network.settle();
    leader.node.transferLeader(3);
    network.settle();
    expect(leader.leadTransferee).toBe(3);
    network.heal();
    network.ignore(MessageType.TimeoutNow);
    network.tick(1, 2);
    expect(leader.confState.voters).toEqual([1, 2]);
    expectLeader(network, 1);
  });

  test('demoting the target ends it, once it has no vote at all any more', () => {
    const leader = makeLeader();
    takeMessages(leader);
    for (const from of [2, 3]) acknowledge(leader, from, 1);
    step(leader, MessageType.TransferLeader, { from: 3 });
    expect(leader.leadTransferee).toBe(3);
    const network = new Network(3);
    const member = network.elect(1);
    network.ignore(MessageType.TimeoutNow);
    member.node.proposeConfChange({
      transition: ConfChangeTransition.JointExplicit,
      changes: [{ type: ConfChangeType.AddLearnerNode, nodeId: 3 }],
    });
    network.settle();
    expect(member.confState.learnersNext).toEqual([3]);
    member.node.proposeConfChange({ changes: [] });
    member.node.transferLeader(3);
    // Still a voter of the outgoing half.
    expect(member.leadTransferee).toBe(3);
    network.settle();
    expect(member.confState.learners).toEqual([3]);
    expectLeader(network, 1);
  });

  test('changing other members does not end it', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.ignore(MessageType.TimeoutNow);
    leader.node.proposeConfChange({ type: ConfChangeType.AddLearnerNode, nodeId: 9 });
    leader.node.transferLeader(3);
    network.settle();
    expect([leader.confState.learners, leader.leadTransferee]).toEqual([[9], 3]);
  });

  test('one back to the leader itself ends it', () => {
    const { network } = withTransferUnderWay();
    network.transfer(1, 1);
    expectLeader(network, 1);
    expect(network.propose(1, 'x')).toBe('ok');
  });

  test('one to another member takes its place', () => {
    const { network } = withTransferUnderWay();
    network.transfer(1, 2);
    expectLeader(network, 2);
  });

  test('one to the same member again does not prolong it', () => {
    const { network, leader } = withTransferUnderWay();
    network.tick(1, 5);
    network.transfer(1, 3);
    network.tick(1, 4);
    expect(leader.leadTransferee).toBe(3);
    network.tick(1, 1);
    expectLeader(network, 1);
  });

  test('one to a learner changes nothing', () => {
    const network = new Network({ voters: [1, 2, 3], learners: [4] });
    const leader = network.elect(1);
    network.isolate(3);
    network.transfer(1, 3);
    network.transfer(1, 4);
    expect(leader.leadTransferee).toBe(3);
  });

  test('the order to campaign is given once; lost, the transfer may be asked for again', () => {
    const { network, leader } = withTransferUnderWay();
    network.heal();
    const { match } = leader.progress(3);
    expect(match).toBe(leader.storage.lastIndex());
    network.send(makeMessage(MessageType.AppResp, { from: 3, to: 1, term: 1, index: match }));
    network.tick(1, 9);
    expect([leader.leadTransferee, network.arrived(MessageType.TimeoutNow)]).toEqual([3, []]);
    network.tick(1, 1);
    expectLeader(network, 1);
    network.transfer(1, 3);
    expectLeader(network, 3);
  });

  test('a leader that loses its quorum steps down and forgets it', () => {
    const network = new Network(3, { checkQuorum: true });
    network.elect(1);
    network.isolate(1);
    network.transfer(1, 3);
    network.tick(1, 20);
    const { role, leadTransferee } = network.at(1);
    expect([role, leadTransferee]).toEqual(['follower', 0]);
  });
});

describe('the order to campaign', () => {
  test('makes a follower campaign at once in the next term, lease or not', () => {
    const core = makeCore({ id: 2, checkQuorum: true, preVote: true });
    step(core, MessageType.Heartbeat, { from: 1, term: 1 });
    takeMessages(core);
    step(core, MessageType.TimeoutNow, { from: 1, term: 1 });
    const requests = takeMessages(core);
    expect([roleOf(core.state), core.term]).toEqual(['candidate', 2]);
    expect(requests.map(({ type, to }) => [type, to])).toEqual([
      [MessageType.Vote, 1],
      [MessageType.Vote, 3],
    ]);
    for (const { context } of requests) expect(context).toBeDefined();
  });

  test.each(['pre-candidate', 'candidate'] as const)('means nothing to a %s', (role) => {
    const core = makeCore({ preVote: role === 'pre-candidate' });
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    const { term } = core;
    step(core, MessageType.TimeoutNow, { from: 2, term: core.term });
    expect([roleOf(core.state), core.term, takeMessages(core)]).toEqual([role, term, []]);
  });

  test('means nothing to a leader', () => {
    const leader = makeLeader();
    takeMessages(leader);
    step(leader, MessageType.TimeoutNow, { from: 2, term: 1 });
    expect([roleOf(leader.state), takeMessages(leader)]).toEqual(['leader', []]);
  });

  test('of an older term means nothing', () => {
    const core = makeCore({ id: 2, hardState: { term: 3 } });
    step(core, MessageType.TimeoutNow, { from: 1, term: 2 });
    expect([roleOf(core.state), core.term]).toEqual(['follower', 3]);
  });

  test('in a group of one voter and a learner is never given', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.elect(1);
    network.transfer(2, 2);
    expect(network.arrived(MessageType.TransferLeader)).toHaveLength(1);
    expectLeader(network, 1);
  });
});

test('a proposal lost with the old leader may be made again at the new one', () => {
  const core = makeCore({ id: 2 });
  step(core, MessageType.TimeoutNow, { from: 1, term: 0 });
  expect(core.step(makeMessage(MessageType.Prop, { entries: [proposed('x')] }))).toBe(
    'proposal-dropped',
  );
  step(core, MessageType.VoteResp, { from: 1, term: 1 });
  takeMessages(core);
  expect(core.step(makeMessage(MessageType.Prop, { entries: [proposed('x')] }))).toBe('ok');
});
