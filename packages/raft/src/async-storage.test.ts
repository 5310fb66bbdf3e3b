import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { Member, type MemberOptions } from './testing/member.ts';
import { Network } from './testing/network.ts';
import { blob, bytes, entriesFrom, indexesOf, snapshotAt, termsOf } from './testing/values.ts';
import {
  ConfChangeType,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
} from './types.ts';

const ASYNC: MemberOptions = { asyncStorageWrites: true };

function follower(options: MemberOptions = {}): Member {
  const member = new Member(2, snapshotAt(0, 0, { voters: [1, 2, 3] }), { ...ASYNC, ...options });
  member.holdsWrites = true;
  return member;
}

/** An append of a leader, straight into a member. */
function append(to: Member, fields: Partial<Message>): void {
  to.node.step(makeMessage(MessageType.App, { to: to.id, ...fields }));
  to.work();
}

const typesOf = (messages: readonly Message[]): MessageType[] => messages.map(({ type }) => type);

describe('what a node orders', () => {
  test('a write carries entries, hard state and the answers that wait for it', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1), commit: 1 });
    const [order] = member.writes;
    expect(order).toMatchObject({
      type: MessageType.StorageAppend,
      to: LOCAL_APPEND_THREAD,
      from: 2,
      term: 1,
      vote: 0,
      commit: 1,
    });
    expect(order?.entries).toEqual(entriesFrom(1, 1));
    expect(order?.responses.map(({ type, to }) => [type, to])).toEqual([
      [MessageType.AppResp, 1],
      [MessageType.StorageAppendResp, 2],
    ]);
    expect(member.outbox).toEqual([]);
  });

  test('answers leave when the write is done', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1) });
    member.finishWrite();
    expect(typesOf(member.outbox)).toEqual([MessageType.AppResp]);
    expect(member.storage.lastIndex()).toBe(1);
  });

  test('appends to others do not wait for our own write', () => {
    const network = new Network(3, ASYNC);
    network.elect(1);
    const leader = network.at(1);
    leader.holdsWrites = true;
    leader.node.propose(bytes('x'));
    leader.work();
    expect(leader.outbox.map(({ type, to }) => [type, to])).toEqual([
      [MessageType.App, 2],
      [MessageType.App, 3],
    ]);
    expect(leader.storage.lastIndex()).toBe(1);
  });

  test('vote requests do not wait, our own vote does', () => {
    const member = follower();
    member.node.campaign();
    member.work();
    expect(typesOf(member.outbox)).toEqual([MessageType.Vote, MessageType.Vote]);
    expect(member.role).toBe('candidate');
    member.node.step(makeMessage(MessageType.VoteResp, { from: 1, to: 2, term: 1 }));
    expect(member.role).toBe('candidate');
    member.finishWrite();
    expect(member.role).toBe('leader');
  });

  test('a vote for somebody else waits for the disk', () => {
    const member = follower();
    member.node.step(makeMessage(MessageType.Vote, { from: 1, to: 2, term: 1 }));
    member.work();
    expect(member.outbox).toEqual([]);
    member.finishWrite();
    expect(member.storage.initialState().hardState.vote).toBe(1);
    expect(member.outbox[0]).toMatchObject({ type: MessageType.VoteResp, reject: false });
  });

  test('an order without news about the hard state names none', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1) });
    member.finishWrite();
    append(member, { from: 1, term: 1, index: 1, logTerm: 1, entries: entriesFrom(2, 1) });
    expect(member.writes[0]).toMatchObject({ term: 0, vote: 0, commit: 0 });
  });

  test('entries are applied only once they are on our own disk', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1, 1), commit: 2 });
    expect([member.applications, member.applied]).toEqual([[], []]);
    member.finishWrite();
    member.work();
    expect(indexesOf(member.applied)).toEqual([1, 2]);
  });

  test('what is to be applied names no term: it is committed in any', () => {
    const member = follower();
    member.holdsApplying = true;
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1), commit: 1 });
    member.finishWrite();
    member.work();
    const [order] = member.applications;
    expect(order).toMatchObject({
      type: MessageType.StorageApply,
      to: LOCAL_APPLY_THREAD,
      term: 0,
    });
    expect(order?.responses.map(({ type, term }) => [type, term])).toEqual([
      [MessageType.StorageApplyResp, 0],
    ]);
  });
});

describe('several writes under way', () => {
  test('each holds only what is new', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1) });
    append(member, { from: 1, term: 1, index: 1, logTerm: 1, entries: entriesFrom(2, 1, 1) });
    expect(member.writes.map(({ entries }) => indexesOf(entries))).toEqual([[1], [2, 3]]);
    member.finishWrite();
    member.finishWrite();
    expect(member.outbox.map(({ index }) => index)).toEqual([1, 3]);
  });

  test('a write that is cut off by a later one is written over', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1, 1, 1) });
    append(member, { from: 3, term: 2, index: 1, logTerm: 1, entries: entriesFrom(2, 2) });
    expect(member.writes.map(({ entries }) => termsOf(entries))).toEqual([[1, 1, 1], [2]]);
    member.finishWrite();
    member.finishWrite();
    expect(member.logTerms).toEqual([1, 2]);
  });

  test('an answer of the disk from an earlier term releases nothing, the next one does', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1) });
    member.node.step(makeMessage(MessageType.Heartbeat, { from: 3, to: 2, term: 2, commit: 1 }));
    member.work();
    expect(member.writes.map(({ entries }) => entries.length)).toEqual([1, 0]);
    member.finishWrite();
    member.work();
    expect([member.storage.lastIndex(), member.applied]).toEqual([1, []]);
    member.finishWrite();
    member.work();
    expect(indexesOf(member.applied)).toEqual([1]);
  });

  test('messages sent in between are in order', () => {
    const member = follower();
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1) });
    member.node.step(makeMessage(MessageType.Heartbeat, { from: 1, to: 2, term: 1 }));
    member.work();
    expect(typesOf(member.outbox)).toEqual([MessageType.HeartbeatResp]);
    member.finishWrite();
    expect(typesOf(member.outbox)).toEqual([MessageType.HeartbeatResp, MessageType.AppResp]);
  });
});

describe('the limit on what is applied', () => {
  test('counts what the application has not finished, across orders', () => {
    const member = new Member(1, snapshotAt(0, 0, { voters: [1] }), {
      ...ASYNC,
      applyingBytesMax: 2048,
    });
    member.node.campaign();
    member.work();
    member.holdsApplying = true;
    for (let at = 0; at < 3; at++) {
      member.node.propose(blob(1024));
      member.work();
    }
    // Two of them reach the limit; the third waits.
    expect(member.applications.map(({ entries }) => indexesOf(entries))).toEqual([[2], [3]]);
    member.finishApplying();
    member.work();
    expect(member.applications.map(({ entries }) => indexesOf(entries))).toEqual([[3], [4]]);
    member.finishApplying();
    member.finishApplying();
    expect(member.appliedIndex).toBe(4);
  });
});

describe('a snapshot', () => {
  const SNAPSHOT = snapshotAt(5, 1, { voters: [1, 2, 3] });

  test('is acknowledged when it is installed', () => {
    const member = follower();
    member.node.step(
      makeMessage(MessageType.Snap, { from: 1, to: 2, term: 1, snapshot: SNAPSHOT }),
    );
    member.work();
    expect([member.outbox, member.writes[0]?.snapshot]).toEqual([[], SNAPSHOT]);
    member.finishWrite();
    expect(member.outbox[0]).toMatchObject({ type: MessageType.AppResp, index: 5 });
    expect(member.appliedIndex).toBe(5);
  });

  test('counts as installed even if the term has changed meanwhile', () => {
    const member = follower();
    member.node.step(
      makeMessage(MessageType.Snap, { from: 1, to: 2, term: 1, snapshot: SNAPSHOT }),
    );
    member.work();
    member.node.step(makeMessage(MessageType.Heartbeat, { from: 3, to: 2, term: 2 }));
    member.work();
    member.finishWrite();
    member.finishWrite();
    append(member, {
      from: 3,
      term: 2,
      index: 5,
      logTerm: 1,
      entries: entriesFrom(6, 2),
      commit: 6,
    });
    member.finishWrite();
    member.work();
    expect(indexesOf(member.applied)).toEqual([6]);
  });

  test('keeps what was handed out before from being counted twice', () => {
    const member = follower();
    member.holdsApplying = true;
    append(member, { from: 1, term: 1, entries: entriesFrom(1, 1, 1), commit: 2 });
    member.finishWrite();
    member.work();
    member.node.step(
      makeMessage(MessageType.Snap, { from: 1, to: 2, term: 1, snapshot: SNAPSHOT }),
    );
    member.work();
    member.finishWrite();
    // The old order is done after the snapshot: its answer must not take anything back.
    const [old] = member.applications.splice(0);
    for (const response of old!.responses) expect(member.node.step(response)).toBe('ok');
    expect(member.node.basicStatus().applied).toBe(5);
  });
});

describe('a group with asynchronous storage', () => {
  test('works like one without', () => {
    const network = new Network(3, ASYNC);
    network.elect(1);
    for (const text of ['a', 'b', 'c']) network.propose(2, text);
    network.isolate(3);
    network.propose(1, 'd');
    network.at(1).compact();
    network.heal();
    network.tick(1, 2);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 2 });
    network.settle();
    network.propose(1, 'e');
    expect(network.at(1).texts).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(network.at(3).confState.voters).toEqual([1, 3]);
    expect(network.at(3).texts.at(-1)).toBe('e');
  });

  test('commits with a majority of disks, the leader’s own not among them', () => {
    const network = new Network(3, ASYNC);
    const leader = network.elect(1);
    leader.holdsWrites = true;
    network.propose(1, 'x');
    expect([leader.commit, leader.storage.lastIndex()]).toEqual([2, 1]);
    expect(leader.texts).toEqual([]);
    leader.holdsWrites = false;
    network.settle();
    expect(leader.texts).toEqual(['x']);
  });

  test('a write lost in a crash was promised to nobody', () => {
    const network = new Network(3, ASYNC);
    network.elect(1);
    for (const id of [2, 3]) network.at(id).holdsWrites = true;
    network.propose(1, 'x');
    expect(network.at(1).commit).toBe(1);
    for (const id of [2, 3]) {
      network.at(id).restart();
      network.at(id).holdsWrites = false;
    }
    network.isolate(1);
    network.elect(2);
    expect(network.at(2).logTerms).toEqual([1, 2]);
    network.heal();
    network.tick(2);
    for (const { texts } of network.members.values()) expect(texts).toEqual([]);
  });

  test('a slow application holds up neither disk nor network', () => {
    const network = new Network(3, ASYNC);
    network.elect(1);
    network.at(2).holdsApplying = true;
    for (const text of ['a', 'b', 'c']) network.propose(1, text);
    expect([network.at(2).commit, network.at(2).texts]).toEqual([4, []]);
    expect(network.at(1).progress(2).match).toBe(4);
    network.at(2).holdsApplying = false;
    network.settle();
    expect(network.at(2).texts).toEqual(['a', 'b', 'c']);
  });
});
