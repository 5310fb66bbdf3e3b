import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { encodeConfChange } from './confchange/codec.ts';
import { asConfChangeV2, confChangeKind } from './confchange/kind.ts';
import { applyConfChange } from './membership.ts';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import {
  acknowledge,
  allEntries,
  apply,
  makeCore,
  makeLeader,
  step,
  takeMessages,
  takeOne,
  write,
} from './testing/core.ts';
import type { Member } from './testing/member.ts';
import { Network } from './testing/network.ts';
import { bytes, entriesFrom, membersOf, proposed, roleOf, textOf } from './testing/values.ts';
import {
  type AnyConfChange,
  ConfChangeTransition,
  ConfChangeType,
  type ConfState,
  EntryType,
  MessageType,
} from './types.ts';

const { AddNode, AddLearnerNode, RemoveNode, UpdateNode } = ConfChangeType;
const { Auto, JointImplicit, JointExplicit } = ConfChangeTransition;

const add = (nodeId: number) => ({ type: AddNode, nodeId });
const learn = (nodeId: number) => ({ type: AddLearnerNode, nodeId });
const remove = (nodeId: number) => ({ type: RemoveNode, nodeId });

/** Proposes at a member and lets the group settle. */
function change(network: Network, id: number, wanted: AnyConfChange): void {
  network.at(id).node.proposeConfChange(wanted);
  network.settle();
}

/** How many entries of each type a member has applied. */
const changesApplied = ({ applied }: Member): number =>
  applied.filter(({ type }) => type === EntryType.ConfChange || type === EntryType.ConfChangeV2)
    .length;

describe('what a change does to a group of one', () => {
  test.each<[string, AnyConfChange, Partial<ConfState>, Partial<ConfState> | undefined]>([
    ['the old form adds a voter', add(2), { voters: [1, 2] }, undefined],
    ['the new form too', { changes: [add(2)] }, { voters: [1, 2] }, undefined],
    ['a learner', { changes: [learn(2)] }, { voters: [1], learners: [2] }, undefined],
    [
      'a learner, jointly on request',
      { transition: JointExplicit, changes: [learn(2)] },
      { voters: [1], votersOutgoing: [1], learners: [2] },
      { voters: [1], learners: [2] },
    ],
    [
      'a learner, jointly and back by itself',
      { transition: JointImplicit, changes: [learn(2)] },
      { voters: [1], votersOutgoing: [1], learners: [2], autoLeave: true },
      { voters: [1], learners: [2] },
    ],
    [
      'several steps are joint without a word, and demote the leader afterwards',
      { changes: [add(2), learn(1), learn(3)] },
      { voters: [2], votersOutgoing: [1], learners: [3], learnersNext: [1], autoLeave: true },
      { voters: [2], learners: [1, 3] },
    ],
    [
      'several steps, to be left on request',
      { transition: JointExplicit, changes: [add(2), learn(1), learn(3)] },
      { voters: [2], votersOutgoing: [1], learners: [3], learnersNext: [1] },
      { voters: [2], learners: [1, 3] },
    ],
    [
      'several steps, left by itself',
      { transition: JointImplicit, changes: [add(2), learn(1), learn(3)] },
      { voters: [2], votersOutgoing: [1], learners: [3], learnersNext: [1], autoLeave: true },
      { voters: [2], learners: [1, 3] },
    ],
  ])('%s', (_, wanted, entered, left) => {
    const storage = new MemoryStorage();
    const leader = makeLeader({ storage, members: { voters: [1] } });
    write(leader, storage);
    apply(leader);
    step(leader, MessageType.Prop, {
      from: 1,
      entries: [proposed('x'), { ...proposed(), ...encodeConfChange(wanted) }],
    });
    const [, entry] = write(leader, storage);
    expect(entry).toMatchObject(encodeConfChange(wanted));
    expect(leader.pendingConfIndex).toBe(3);
    expect(applyConfChange(leader, asConfChangeV2(wanted))).toEqual(membersOf(entered));
    leader.step(makeMessage(MessageType.StorageApplyResp, { entries: entriesFrom(3, 1) }));
    if (left === undefined) {
      expect(leader.log.lastIndex).toBe(3);
      return;
    }
    if (entered.autoLeave !== true) {
      expect(leader.log.lastIndex).toBe(3);
      const leave = { ...proposed(), ...encodeConfChange({ changes: [], context: bytes('now') }) };
      step(leader, MessageType.Prop, { from: 1, entries: [leave] });
    }
    expect(allEntries(leader).at(-1)).toMatchObject({ index: 4, type: EntryType.ConfChangeV2 });
    expect(leader.pendingConfIndex).toBe(4);
    expect(applyConfChange(leader, { changes: [] })).toEqual(membersOf(left));
  });
});

describe('which way a change goes', () => {
  test.each<[string, AnyConfChange, ReturnType<typeof confChangeKind>]>([
    ['nothing', { changes: [] }, { kind: 'leave' }],
    ['nothing, said explicitly', { transition: Auto, changes: [] }, { kind: 'leave' }],
    ['nothing with a note', { changes: [], context: bytes('note') }, { kind: 'leave' }],
    ['one step', { changes: [add(2)] }, { kind: 'simple' }],
    ['one step of the old form', add(2), { kind: 'simple' }],
    ['two steps', { changes: [add(2), remove(3)] }, { kind: 'enter', autoLeave: true }],
    [
      'nothing, implicitly',
      { transition: JointImplicit, changes: [] },
      { kind: 'enter', autoLeave: true },
    ],
    [
      'nothing, explicitly',
      { transition: JointExplicit, changes: [] },
      { kind: 'enter', autoLeave: false },
    ],
    [
      'one step, explicitly',
      { transition: JointExplicit, changes: [add(2)] },
      { kind: 'enter', autoLeave: false },
    ],
  ])('%s', (_, wanted, kind) => {
    expect(confChangeKind(asConfChangeV2(wanted))).toEqual(kind);
  });
});

describe('applying a change', () => {
  test('adds a voter', () => {
    const core = makeCore({ members: { voters: [1] } });
    expect(applyConfChange(core, { changes: [add(2)] }).voters).toEqual([1, 2]);
  });

  test('adds, promotes and demotes learners, the node itself included', () => {
    const core = makeCore({ members: { voters: [1] } });
    const states = [learn(2), add(2), learn(1), add(1)].map((one) =>
      applyConfChange(core, { changes: [one] }),
    );
    expect(states.map(({ voters, learners }) => [voters, learners])).toEqual([
      [[1], [2]],
      [[1, 2], []],
      [[2], [1]],
      [[1, 2], []],
    ]);
    expect(core.isPromotable).toBe(true);
  });

  test('adding a member twice is adding it once', () => {
    const core = makeCore({ members: { voters: [1] } });
    applyConfChange(core, { changes: [add(1)] });
    expect(applyConfChange(core, { changes: [add(1)] }).voters).toEqual([1]);
    expect(applyConfChange(core, { changes: [learn(2)] }).learners).toEqual([2]);
    expect(applyConfChange(core, { changes: [learn(2)] }).learners).toEqual([2]);
  });

  test('removing a stranger changes nothing', () => {
    const core = makeCore();
    expect(applyConfChange(core, { changes: [remove(9)] }).voters).toEqual([1, 2, 3]);
  });

  test.each([
    ['a voter', { voters: [1, 2] }, { voters: [1] }],
    ['a learner', { voters: [1], learners: [2] }, { voters: [1] }],
  ])('removes %s, but never the last voter', (_, before, after) => {
    const core = makeCore({ members: before });
    expect(applyConfChange(core, { changes: [remove(2)] })).toEqual(membersOf(after));
    expect(() => applyConfChange(core, { changes: [remove(1)] })).toThrow(InvariantError);
  });

  test('with node id 0 or of type update changes nothing', () => {
    const core = makeCore();
    for (const one of [add(0), remove(0), learn(0), { type: UpdateNode, nodeId: 2 }]) {
      expect(applyConfChange(core, { changes: [one] }).voters).toEqual([1, 2, 3]);
    }
  });

  test('that is impossible is fatal', () => {
    const core = makeCore();
    expect(() => applyConfChange(core, { changes: [] })).toThrow(InvariantError);
    applyConfChange(core, { transition: JointExplicit, changes: [add(4)] });
    expect(() => applyConfChange(core, { changes: [add(5)] })).toThrow(InvariantError);
  });

  test('names members in order, whatever order they came in', () => {
    const core = makeCore({ members: { voters: [3, 1, 2], learners: [7, 5] } });
    expect(core.tracker.config.voters.ids).toEqual([1, 2, 3]);
    expect(core.tracker.config.learners).toEqual([5, 7]);
    expect([...core.tracker.progress.keys()]).toEqual([1, 2, 3, 5, 7]);
  });

  test('that shrinks the quorum commits what waited for it', () => {
    const storage = new MemoryStorage();
    const leader = makeLeader({ storage, members: { voters: [1, 2] } });
    const change = { ...proposed(), ...encodeConfChange(remove(2)) };
    step(leader, MessageType.Prop, { from: 1, entries: [change] });
    write(leader, storage);
    step(leader, MessageType.Prop, { from: 1, entries: [proposed('waits')] });
    write(leader, storage);
    expect(leader.log.committed).toBe(0);
    acknowledge(leader, 2, 2);
    expect(apply(leader).map(({ index }) => index)).toEqual([1, 2]);
    applyConfChange(leader, { changes: [remove(2)] });
    expect(apply(leader).map(({ data }) => textOf(data))).toEqual(['waits']);
  });

  test('that adds a member sends it its first append at once', () => {
    const storage = new MemoryStorage();
    const leader = makeLeader({ storage, members: { voters: [1] } });
    write(leader, storage);
    apply(leader);
    takeMessages(leader);
    applyConfChange(leader, { changes: [add(2)] });
    expect(leader.tracker.progress.get(2)).toMatchObject({ match: 0, next: 1, state: 'probe' });
    const messages = takeMessages(leader);
    expect(messages.map(({ type, to }) => [type, to])).toEqual([[MessageType.App, 2]]);
  });
});

describe('one change at a time', () => {
  const asEntry = (wanted: AnyConfChange) => ({ ...proposed(), ...encodeConfChange(wanted) });

  test('a proposed one is remembered until it is applied', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(add(3))] });
    expect([leader.log.lastIndex, leader.pendingConfIndex]).toEqual([2, 2]);
  });

  test('a second one becomes an empty entry of the normal type', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(add(3))] });
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(add(4))] });
    expect(allEntries(leader).at(-1)).toEqual({
      term: 1,
      index: 3,
      type: EntryType.Normal,
      data: undefined,
    });
    expect(leader.pendingConfIndex).toBe(2);
  });

  test('a second one in the same proposal does too; what is beside it is kept', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    const entries = [proposed('a'), asEntry(add(3)), proposed('b'), asEntry(add(4)), proposed('c')];
    // The bound of the new leader is its empty entry, which has to be applied first.
    leader.pendingConfIndex = 0;
    step(leader, MessageType.Prop, { from: 1, entries });
    expect(allEntries(leader).map(({ type }) => type)).toEqual([
      undefined,
      undefined,
      EntryType.ConfChange,
      undefined,
      EntryType.Normal,
      undefined,
    ]);
    expect(leader.pendingConfIndex).toBe(3);
  });

  test.each([
    [[], 0],
    [[1], 1],
    [[1, 1], 2],
  ])('a new leader with entries of terms %j takes none before entry %i is applied', (...row) => {
    const [terms, pending] = row;
    const leader = makeLeader({ terms, hardState: { term: 1 } });
    expect(leader.pendingConfIndex).toBe(pending);
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(add(4))] });
    const { type } = allEntries(leader).at(-1)!;
    expect(type).toBe(pending === 0 ? EntryType.ConfChange : EntryType.Normal);
  });

  test.each<[string, Partial<ConfState>, AnyConfChange, boolean]>([
    ['simple outside joint', { voters: [1, 2] }, add(3), true],
    ['leaving outside joint', { voters: [1, 2] }, { changes: [] }, false],
    ['entering outside joint', { voters: [1, 2] }, { changes: [add(3), add(4)] }, true],
    ['simple inside joint', { voters: [1], votersOutgoing: [1, 2] }, add(3), false],
    ['leaving inside joint', { voters: [1], votersOutgoing: [1, 2] }, { changes: [] }, true],
    [
      'entering inside joint',
      { voters: [1], votersOutgoing: [1, 2] },
      { transition: JointExplicit, changes: [] },
      true,
    ],
  ])('%s', (_, members, wanted, isAdmitted) => {
    const leader = makeLeader({ members });
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(wanted)] });
    const { type } = allEntries(leader).at(-1)!;
    expect(type === EntryType.Normal).toBe(!isAdmitted);
  });

  test.each<[string, Partial<ConfState>, AnyConfChange]>([
    ['removes the last voter', { voters: [1] }, remove(1)],
    [
      'enters a joint configuration within one',
      { voters: [1], votersOutgoing: [1, 2] },
      { transition: JointImplicit, changes: [] },
    ],
  ])('a change that %s is let through, and is fatal: the host must not propose it', (...row) => {
    const [, members, wanted] = row;
    const leader = makeLeader({ members });
    leader.pendingConfIndex = 0;
    step(leader, MessageType.Prop, { from: 1, entries: [asEntry(wanted)] });
    expect(allEntries(leader).at(-1)?.type).not.toBe(EntryType.Normal);
    expect(() => applyConfChange(leader, asConfChangeV2(wanted))).toThrow(InvariantError);
  });

  test('the checks can be left to the host', () => {
    const leader = makeLeader({
      members: { voters: [1, 2] },
      disableConfChangeValidation: true,
    });
    for (const wanted of [add(3), add(4), { changes: [] }]) {
      step(leader, MessageType.Prop, { from: 1, entries: [asEntry(wanted)] });
    }
    expect(allEntries(leader).filter(({ type }) => type === EntryType.Normal)).toEqual([]);
    expect(leader.pendingConfIndex).toBe(4);
  });

  test('bytes that are no change are the proposer’s mistake', () => {
    const leader = makeLeader();
    const entry = { ...proposed(), type: EntryType.ConfChangeV2, data: Uint8Array.of(255) };
    expect(() => step(leader, MessageType.Prop, { from: 1, entries: [entry] })).toThrow(
      InvariantError,
    );
  });

  test('proposed twice, the same addition does not keep the next one from being made', () => {
    const network = new Network({ voters: [1] });
    network.elect(1);
    change(network, 1, add(1));
    change(network, 1, add(1));
    change(network, 1, add(2));
    const { applied, confState } = network.at(1);
    expect(applied.map(({ type }) => type)).toEqual([
      undefined,
      EntryType.ConfChange,
      EntryType.ConfChange,
      EntryType.ConfChange,
    ]);
    expect(confState.voters).toEqual([1, 2]);
  });
});

describe('a group that grows and shrinks', () => {
  test('from one to three and back to another one', () => {
    const network = new Network({ voters: [1] });
    for (const id of [2, 3]) network.join(id);
    network.elect(1);
    network.propose(1, 'a');
    change(network, 1, add(2));
    change(network, 1, add(3));
    network.propose(1, 'b');
    for (const { texts, confState } of network.members.values()) {
      expect([texts, confState.voters]).toEqual([
        ['a', 'b'],
        [1, 2, 3],
      ]);
    }
    network.transfer(1, 3);
    change(network, 3, remove(1));
    change(network, 3, remove(2));
    network.propose(3, 'c');
    expect(network.at(3).texts).toEqual(['a', 'b', 'c']);
    expect(network.at(3).confState.voters).toEqual([3]);
    expect(network.at(1).texts).toEqual(['a', 'b']);
  });

  test('by way of a learner that catches up before it votes', () => {
    const network = new Network({ voters: [1] });
    network.join(2);
    network.elect(1);
    network.isolate(2);
    change(network, 1, learn(2));
    for (const text of ['a', 'b']) network.propose(1, text);
    expect(network.at(1).texts).toEqual(['a', 'b']);
    network.heal();
    network.tick(1);
    expect(network.at(2).texts).toEqual(['a', 'b']);
    change(network, 1, add(2));
    expect(network.at(1).progress(2)).toMatchObject({ isLearner: false, match: 5 });
    network.elect(2);
  });

  test('a removed member gets nothing more, and is not listened to', () => {
    const network = new Network(3);
    network.elect(1);
    change(network, 1, remove(3));
    const mark = network.delivered.length;
    network.propose(1, 'x');
    network.tick(1, 5);
    expect(network.delivered.slice(mark).filter(({ to }) => to === 3)).toEqual([]);
    const answer = makeMessage(MessageType.AppResp, { from: 3, to: 1, term: 1, index: 1 });
    expect(network.at(1).node.step(answer)).toBe('peer-not-found');
  });

  test('a removed member that was not told disturbs nobody with both checks on', () => {
    const options = { preVote: true, checkQuorum: true };
    const network = new Network(3, options);
    network.elect(1);
    network.isolate(3);
    change(network, 1, remove(3));
    network.tick(3, 50);
    network.heal();
    network.tick(3, 50);
    network.tick(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['leader', 1]);
  });

  test('a removed member may come back under a new id', () => {
    const network = new Network(3);
    network.elect(1);
    change(network, 1, remove(3));
    network.members.delete(3);
    network.join(4);
    change(network, 1, add(4));
    network.propose(1, 'x');
    expect(network.at(4).texts).toEqual(['x']);
    expect(network.at(4).confState.voters).toEqual([1, 2, 4]);
  });

  test('a change that no quorum has does not count for anything', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    change(network, 1, remove(2));
    expect(network.at(1).confState.voters).toEqual([1, 2, 3]);
    network.elect(2);
    network.heal();
    network.tick(2);
    for (const { confState } of network.members.values()) {
      expect(confState.voters).toEqual([1, 2, 3]);
    }
  });

  test('a cancelled change leaves every replica with the same members', () => {
    const network = new Network(3);
    network.elect(1);
    change(network, 1, add(0));
    for (const member of network.members.values()) {
      expect([member.confState.voters, changesApplied(member)]).toEqual([[1, 2, 3], 1]);
    }
  });
});

describe('a joint change in a group', () => {
  const REPLACE = { changes: [add(4), remove(3)] };

  test('replaces a member and leaves the joint state by itself', () => {
    const network = new Network(3);
    network.join(4);
    network.elect(1);
    change(network, 1, REPLACE);
    for (const id of [1, 2, 4]) {
      expect(network.at(id).confState).toEqual(membersOf({ voters: [1, 2, 4] }));
      expect(changesApplied(network.at(id))).toBe(2);
    }
  });

  test('stays joint until it is left explicitly', () => {
    const network = new Network(3);
    network.join(4);
    network.elect(1);
    change(network, 1, { ...REPLACE, transition: JointExplicit });
    network.propose(1, 'x');
    const joint = membersOf({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3] });
    for (const { confState } of network.members.values()) expect(confState).toEqual(joint);
    change(network, 1, { changes: [] });
    expect(network.at(2).confState).toEqual(membersOf({ voters: [1, 2, 4] }));
  });

  test('needs both majorities to elect', () => {
    const members = { voters: [1, 4, 5], votersOutgoing: [1, 2, 3] };
    const core = makeCore({ members });
    step(core, MessageType.Hup, { from: 1 });
    const requests = takeMessages(core);
    expect(requests.map(({ to }) => to)).toEqual([2, 3, 4, 5]);
    for (const from of [4, 5]) step(core, MessageType.VoteResp, { from, term: 1 });
    expect(roleOf(core.state)).toBe('candidate');
    step(core, MessageType.VoteResp, { from: 2, term: 1 });
    expect(roleOf(core.state)).toBe('leader');
  });

  test('is lost where one half says no', () => {
    const core = makeCore({ members: { voters: [1, 4, 5], votersOutgoing: [1, 2, 3] } });
    step(core, MessageType.Hup, { from: 1 });
    takeMessages(core);
    for (const from of [2, 3]) step(core, MessageType.VoteResp, { from, term: 1, reject: true });
    expect(roleOf(core.state)).toBe('follower');
  });

  test('a demoted voter votes on until the state is left', () => {
    const network = new Network(3);
    network.elect(1);
    change(network, 1, { transition: JointExplicit, changes: [learn(3)] });
    expect(network.at(1).confState).toMatchObject({ voters: [1, 2], learnersNext: [3] });
    network.isolate(2);
    network.propose(1, 'x');
    // The outgoing half agrees, the incoming one does not.
    expect(network.at(1).texts).toEqual([]);
    network.heal();
    network.tick(1);
    change(network, 1, { changes: [] });
    expect(network.at(1).confState).toEqual(membersOf({ voters: [1, 2], learners: [3] }));
  });

  test('a new leader leaves what its predecessor entered', () => {
    const network = new Network(3);
    network.elect(1);
    // The old leader is cut off as soon as the others know that the change is committed.
    network.filter = ({ entries }) => !entries.some(({ type, data }) => isLeaving(type, data));
    change(network, 1, { transition: JointImplicit, changes: [learn(9)] });
    expect(network.at(2).confState.autoLeave).toBe(true);
    network.heal();
    network.isolate(1);
    network.elect(2);
    expect(network.at(2).confState).toEqual(membersOf({ voters: [1, 2, 3], learners: [9] }));
  });
});

/** The entry that leaves a joint configuration is a change without bytes. */
function isLeaving(type: EntryType | undefined, data: Uint8Array | undefined): boolean {
  return type === EntryType.ConfChangeV2 && (data === undefined || data.length === 0);
}

describe('a leader that takes itself out', () => {
  test.each<[string, AnyConfChange]>([
    ['removed', remove(1)],
    ['demoted', learn(1)],
  ])('%s, steps down when it applies that, if told to', (_, wanted) => {
    const network = new Network(3, { stepDownOnRemoval: true });
    network.elect(1);
    change(network, 1, wanted);
    expect([network.at(1).role, network.at(1).lead]).toEqual(['follower', 0]);
    network.elect(2);
    network.propose(2, 'x');
    expect(network.at(3).texts).toEqual(['x']);
  });

  test('leads on without a vote if not told to', () => {
    const network = new Network(3);
    network.elect(1);
    change(network, 1, remove(1));
    expect(network.at(1).role).toBe('leader');
    network.tick(1, 3);
    expect(network.at(2).lead).toBe(1);
    network.elect(2);
    expect(network.at(2).confState.voters).toEqual([2, 3]);
  });

  test('demoted within a joint change, steps down only when that is left', () => {
    const network = new Network(3, { stepDownOnRemoval: true });
    network.elect(1);
    change(network, 1, { transition: JointExplicit, changes: [learn(1)] });
    expect(network.at(1).role).toBe('leader');
    change(network, 1, { changes: [] });
    expect([network.at(1).role, network.at(1).confState.learners]).toEqual(['follower', [1]]);
  });
});

test('what a smaller group has committed by the change itself is told to it at once', () => {
  const leader = makeLeader({ members: { voters: [1, 2], learners: [3] } });
  takeMessages(leader);
  for (const id of [2, 3]) acknowledge(leader, id, 1);
  step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
  takeMessages(leader);
  expect(leader.log.committed).toBe(1);
  applyConfChange(leader, { changes: [remove(2)] });
  expect(leader.log.committed).toBe(2);
  expect(takeOne(leader)).toMatchObject({ type: MessageType.App, to: 3, commit: 2 });
});

test('a change waits for an earlier one to be applied; committed is not enough', () => {
  const leader = makeLeader();
  takeMessages(leader);
  const propose = (id: number): number | undefined => {
    const entry = { term: 0, index: 0, ...encodeConfChange(add(id)) };
    step(leader, MessageType.Prop, { from: 1, entries: [entry] });
    takeMessages(leader);
    return allEntries(leader).at(-1)?.type;
  };
  acknowledge(leader, 2, 1);
  leader.log.appliedTo(1, 0);
  expect(propose(4)).toBe(EntryType.ConfChange);
  acknowledge(leader, 2, 2);
  expect([leader.log.committed, leader.log.applied]).toEqual([2, 1]);
  expect(propose(5)).toBe(EntryType.Normal);
  leader.log.appliedTo(2, 0);
  expect(propose(5)).toBe(EntryType.ConfChange);
});
