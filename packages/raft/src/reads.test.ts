import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import {
  acknowledge,
  enterRole,
  makeCore,
  makeLeader,
  step,
  takeMessages,
} from './testing/core.ts';
import type { MemberOptions } from './testing/member.ts';
import { Network } from './testing/network.ts';
import { bytes, proposed, textOf } from './testing/values.ts';
import { ConfChangeType, type Message, MessageType } from './types.ts';

const LEASE: MemberOptions = { readOnlyOption: 'lease-based', checkQuorum: true };

const readsAt = (network: Network, id: number): [string, number][] =>
  network.at(id).reads.map(({ context, index }) => [textOf(context), index]);

const beats = (messages: readonly Message[]): Message[] =>
  messages.filter(({ type }) => type === MessageType.Heartbeat);

describe.each([
  ['safe', {}],
  ['lease-based', LEASE],
] as const)('%s reads', (_, options) => {
  test('at any member see everything committed before', () => {
    const network = new Network(3, options);
    network.elect(1);
    let committed = 1;
    for (const [round, id] of [1, 2, 3, 1, 2, 3].entries()) {
      for (let at = 0; at < 10; at++) network.propose(1, 'x');
      committed += 10;
      network.read(id, `r${round}`);
      expect(readsAt(network, id).at(-1)).toEqual([`r${round}`, committed]);
    }
    expect([1, 2, 3].map((id) => network.at(id).reads.length)).toEqual([2, 2, 2]);
  });

  test('work at a learner', () => {
    const network = new Network({ voters: [1], learners: [2] }, options);
    network.elect(1);
    for (const [round, id] of [1, 2, 1, 2].entries()) {
      network.propose(1, 'x');
      network.read(id, `r${round}`);
      expect(readsAt(network, id).at(-1)).toEqual([`r${round}`, round + 2]);
    }
  });

  test('come back only to who asked, with the context it gave', () => {
    const network = new Network(3, options);
    network.elect(1);
    network.read(2, 'mine');
    expect([1, 2, 3].map((id) => readsAt(network, id))).toEqual([[], [['mine', 1]], []]);
  });

  test('at a node that knows no leader get no answer', () => {
    const network = new Network(3, options);
    network.read(2, 'lost');
    network.elect(1);
    network.tick(1);
    expect(readsAt(network, 2)).toEqual([]);
    network.read(2, 'again');
    expect(readsAt(network, 2)).toEqual([['again', 1]]);
  });

  test('at a candidate get no answer', () => {
    const core = enterRole(makeCore(options), 'candidate');
    takeMessages(core);
    step(core, MessageType.ReadIndex, { entries: [proposed('r')] });
    expect([takeMessages(core), core.readStates]).toEqual([[], []]);
  });

  test('wait for the first commit of the term, and are answered then', () => {
    const ahead = { terms: [1, 1], hardState: { term: 1, commit: 1 } };
    const network = new Network(3, options, { 1: ahead, 2: ahead, 3: ahead });
    network.ignore(MessageType.App);
    network.elect(1);
    network.tick(1);
    network.read(1, 'early');
    network.read(2, 'early too');
    expect([readsAt(network, 1), readsAt(network, 2)]).toEqual([[], []]);
    network.heal();
    network.tick(1);
    expect(network.at(1).commit).toBe(3);
    expect(readsAt(network, 1)).toEqual([['early', 3]]);
    expect(readsAt(network, 2)).toEqual([['early too', 3]]);
    network.read(1, 'later');
    expect(readsAt(network, 1).at(-1)).toEqual(['later', 3]);
  });
});

describe('a single voter', () => {
  test('answers at once, its word is a quorum', () => {
    const network = new Network(1);
    network.elect(1);
    network.propose(1, 'x');
    network.read(1, 'r');
    expect(readsAt(network, 1)).toEqual([['r', 2]]);
  });

  test('answers its learner', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.elect(1);
    network.read(2, 'r');
    expect(readsAt(network, 2)).toEqual([['r', 1]]);
  });

  test('asks for confirmation again once it has company', () => {
    const network = new Network({ voters: [1] });
    network.join(2);
    network.elect(1);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 2 });
    network.settle();
    network.isolate(1);
    network.read(1, 'r');
    expect(readsAt(network, 1)).toEqual([]);
    network.heal();
    network.tick(1);
    expect(readsAt(network, 1)).toEqual([['r', 2]]);
  });
});

describe('safe reads', () => {
  test.each([true, false])(
    'are not answered on trust, quorum checked or not: %s',
    (checkQuorum) => {
      const leader = makeLeader({ checkQuorum });
      takeMessages(leader);
      acknowledge(leader, 2, 1);
      takeMessages(leader);
      step(leader, MessageType.ReadIndex, { entries: [proposed('a')] });
      expect(leader.readStates).toEqual([]);
      const [beat] = beats(takeMessages(leader));
      step(leader, MessageType.HeartbeatResp, { from: 2, term: 1, context: beat!.context });
      expect(leader.readStates).toEqual([{ index: 1, context: bytes('a') }]);
    },
  );

  test('ask every member by a heartbeat that names the round', () => {
    const leader = makeLeader();
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('a')] });
    const first = beats(takeMessages(leader));
    step(leader, MessageType.ReadIndex, { entries: [proposed('b')] });
    const second = beats(takeMessages(leader));
    expect(first.map(({ to }) => to)).toEqual([2, 3]);
    expect(first[0]?.context).not.toEqual(second[0]?.context);
    expect(first[0]?.context).toEqual(first[1]?.context);
  });

  test('are forgotten once confirmed', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { from: 2, entries: [proposed('a')] });
    const [beat] = beats(takeMessages(leader));
    expect(leader.readOnly.context).toEqual(beat?.context);
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 1, context: beat!.context });
    expect(leader.readOnly.context).toBeUndefined();
    const answers = takeMessages(leader).filter(({ type }) => type === MessageType.ReadIndexResp);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ to: 2, index: 1 });
  });

  test('a confirmed round confirms those before it', () => {
    const leader = makeLeader();
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    for (const text of ['a', 'b', 'c']) {
      step(leader, MessageType.ReadIndex, { entries: [proposed(text)] });
    }
    const contexts = beats(takeMessages(leader))
      .filter(({ to }) => to === 3)
      .map(({ context }) => context);
    step(leader, MessageType.HeartbeatResp, { from: 3, term: 1, context: contexts[1] });
    expect(leader.readStates.map(({ context }) => textOf(context))).toEqual(['a', 'b']);
    step(leader, MessageType.HeartbeatResp, { from: 3, term: 1, context: contexts[2] });
    expect(leader.readStates.map(({ context }) => textOf(context))).toEqual(['a', 'b', 'c']);
  });

  test('a plain heartbeat repeats the newest round that waits', () => {
    const network = new Network(3);
    network.elect(1);
    network.ignore(MessageType.Heartbeat);
    network.read(1, 'a');
    network.read(1, 'b');
    expect(readsAt(network, 1)).toEqual([]);
    network.heal();
    network.tick(1);
    expect(readsAt(network, 1)).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });

  test('a heartbeat answered without a round confirms nothing', () => {
    const leader = makeLeader();
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    step(leader, MessageType.ReadIndex, { entries: [proposed('a')] });
    takeMessages(leader);
    for (const from of [2, 3]) step(leader, MessageType.HeartbeatResp, { from, term: 1 });
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 1, context: new Uint8Array(0) });
    expect(leader.readStates).toEqual([]);
  });

  test('tell the commit index of when they were asked, not of when they are confirmed', () => {
    const network = new Network(3);
    network.elect(1);
    network.ignore(MessageType.HeartbeatResp);
    network.read(1, 'before');
    network.propose(1, 'x');
    network.heal();
    network.tick(1);
    expect(readsAt(network, 1)).toEqual([['before', 1]]);
  });

  test('need a majority of voters: learners and strangers confirm nothing', () => {
    const network = new Network({ voters: [1, 2, 3], learners: [4, 5] });
    network.elect(1);
    network.isolate(2);
    network.isolate(3);
    network.read(1, 'r');
    expect(readsAt(network, 1)).toEqual([]);
    network.heal();
    network.tick(1);
    expect(readsAt(network, 1)).toEqual([['r', 1]]);
  });

  test('in a joint configuration need both majorities', () => {
    const members = { voters: [1, 4, 5], votersOutgoing: [1, 2, 3] };
    const leader = makeLeader({ members });
    takeMessages(leader);
    for (const from of [2, 4]) acknowledge(leader, from, 1);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('r')] });
    const [beat] = beats(takeMessages(leader));
    for (const from of [4, 5]) {
      step(leader, MessageType.HeartbeatResp, { from, term: 1, context: beat!.context });
    }
    expect(leader.readStates).toEqual([]);
    step(leader, MessageType.HeartbeatResp, { from: 3, term: 1, context: beat!.context });
    expect(leader.readStates).toHaveLength(1);
  });

  test('an old leader that was cut off answers none, and the new one sees its own writes', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.elect(2);
    network.propose(2, 'new');
    network.read(1, 'stale');
    expect(readsAt(network, 1)).toEqual([]);
    network.read(2, 'fresh');
    expect(readsAt(network, 2)).toEqual([['fresh', 3]]);
    network.heal();
    network.tick(2);
    network.tick(1);
    expect(readsAt(network, 1)).toEqual([]);
  });

  test('asked of an old leader are not answered when it leads again', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.elect(2);
    network.propose(2, 'new');
    network.read(1, 'stale');
    network.heal();
    network.tick(2);
    network.elect(1);
    network.tick(1);
    network.read(1, 'fresh');
    expect(readsAt(network, 1)).toEqual([['fresh', 4]]);
  });

  test('are lost with their leader; the host asks again', () => {
    const network = new Network(3);
    network.elect(1);
    network.ignore(MessageType.HeartbeatResp);
    network.read(3, 'r');
    network.heal();
    network.elect(2);
    network.tick(2);
    expect(readsAt(network, 3)).toEqual([]);
    network.read(3, 'r again');
    expect(readsAt(network, 3)).toEqual([['r again', 2]]);
  });
});

describe('lease-based reads', () => {
  test('send nothing', () => {
    const leader = makeLeader(LEASE);
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('r')] });
    expect(takeMessages(leader)).toEqual([]);
    expect(leader.readStates).toEqual([{ index: 1, context: bytes('r') }]);
  });

  test('end with the lease: a leader that hears no quorum steps down', () => {
    const network = new Network(3, LEASE);
    network.elect(1);
    network.isolate(1);
    network.tick(1, 20);
    expect(network.at(1).role).toBe('follower');
    network.read(1, 'r');
    expect(readsAt(network, 1)).toEqual([]);
  });

  test('while the lease lasts nobody else is elected', () => {
    const network = new Network(3, LEASE);
    network.elect(1);
    network.isolate(1);
    network.campaign(2);
    expect([network.at(1).role, network.at(2).role]).toEqual(['leader', 'candidate']);
    network.read(1, 'r');
    expect(readsAt(network, 1)).toEqual([['r', 1]]);
  });
});

describe('a request passed on', () => {
  test('names who asked and no term, so that the leader of any term may take it', () => {
    const core = enterRole(makeCore({ id: 2 }), 'follower', 1);
    step(core, MessageType.ReadIndex, { entries: [proposed('r')] });
    expect(takeMessages(core)).toEqual([
      makeMessage(MessageType.ReadIndex, { from: 2, to: 1, entries: [proposed('r')] }),
    ]);
  });

  test('that reaches an old leader is passed on once more', () => {
    const network = new Network(3);
    network.elect(1);
    const request = makeMessage(MessageType.ReadIndex, {
      from: 2,
      to: 1,
      entries: [proposed('r')],
    });
    network.elect(3);
    network.send(request);
    expect(readsAt(network, 2)).toEqual([['r', 2]]);
    const passed = network.arrived(MessageType.ReadIndex).at(-1);
    expect(passed).toMatchObject({ from: 2, to: 3, term: 0 });
  });

  test('repeated is answered twice', () => {
    const network = new Network(3);
    network.elect(1);
    const request = makeMessage(MessageType.ReadIndex, {
      from: 2,
      to: 1,
      entries: [proposed('r')],
    });
    network.send(request, request);
    expect(readsAt(network, 2)).toEqual([
      ['r', 1],
      ['r', 1],
    ]);
  });

  test.each([
    ['no request', 0],
    ['two requests', 2],
  ])('an answer with %s in it is dropped', (_, count) => {
    const lines: string[] = [];
    const logger = { log: (_level: string, text: string) => void lines.push(text) };
    const core = enterRole(makeCore({ id: 2, logger }), 'follower', 1);
    const entries = Array.from({ length: count }, () => proposed('r'));
    step(core, MessageType.ReadIndexResp, { from: 1, term: 1, index: 5, entries });
    expect(core.readStates).toEqual([]);
    expect(lines.at(-1)).toContain(`entries count: ${count}`);
  });

  test('an answer with one request in it is taken without complaint', () => {
    const lines: string[] = [];
    const logger = { log: (_level: string, text: string) => void lines.push(text) };
    const core = enterRole(makeCore({ id: 2, logger }), 'follower', 1);
    lines.length = 0;
    const entries = [proposed('r')];
    step(core, MessageType.ReadIndexResp, { from: 1, term: 1, index: 5, entries });
    expect(core.readStates).toEqual([{ index: 5, context: bytes('r') }]);
    expect(lines).toEqual([]);
  });
});

describe('forgetting the leader', () => {
  test('is nothing to the leader, and not worth a word', () => {
    const lines: string[] = [];
    const logger = { log: (_level: string, text: string) => void lines.push(text) };
    const leader = makeLeader({ logger });
    lines.length = 0;
    step(leader, MessageType.ForgetLeader, {});
    expect([leader.lead, lines]).toEqual([1, []]);
  });

  test('a follower does, and votes at once although it has just heard of it', () => {
    const network = new Network(3, { checkQuorum: true, preVote: true });
    network.elect(1);
    for (const id of [2, 3]) expect(network.at(id).node.forgetLeader()).toBe('ok');
    expect([network.at(2).lead, network.at(2).role]).toEqual([0, 'follower']);
    network.isolate(1);
    network.elect(3);
    expect(network.at(2).lead).toBe(3);
  });

  test('it learns of it again by the next heartbeat', () => {
    const network = new Network(3);
    network.elect(1);
    network.at(2).node.forgetLeader();
    network.tick(1);
    expect(network.at(2).lead).toBe(1);
  });

  test('it does not while reads rest on the lease', () => {
    const network = new Network(3, LEASE);
    network.elect(1);
    network.at(2).node.forgetLeader();
    expect(network.at(2).lead).toBe(1);
  });

  test('a leader and a candidate have none to forget', () => {
    const network = new Network(3);
    network.elect(1);
    network.at(1).node.forgetLeader();
    expect([network.at(1).role, network.at(1).lead]).toEqual(['leader', 1]);
    network.isolate(3);
    network.campaign(3);
    network.at(3).node.forgetLeader();
    expect(network.at(3).role).toBe('candidate');
  });
});
