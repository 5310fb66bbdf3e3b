import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { restoreSnapshot } from './membership.ts';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import { sendAppend } from './replication.ts';
import { entriesSize } from './size.ts';
import { appliedSnapshot } from './storage-progress.ts';
import {
  acknowledge,
  type CoreSetup,
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
import { bytes, entriesFrom, membersOf, proposed, roleOf, snapshotAt } from './testing/values.ts';
import {
  ConfChangeType,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
  type Snapshot,
} from './types.ts';

const AT_11 = snapshotAt(11, 11, { voters: [1, 2] });

/** A leader of two whose log starts after entry 11: what came before is in a snapshot. */
function leaderAfterSnapshot(setup: CoreSetup = {}): Raft {
  const storage = new MemoryStorage();
  storage.applySnapshot(AT_11);
  storage.setHardState({ term: 11, vote: 0, commit: 11 });
  const leader = makeLeader({ storage, ...setup });
  takeMessages(leader);
  return leader;
}

/** Follower 2 turns out to need what is compacted. */
function needSnapshot(leader: Raft): Message {
  const progress = progressOf(leader, 2);
  progress.next = leader.log.firstIndex;
  progress.recentActive = true;
  progress.appendsPaused = false;
  step(leader, MessageType.AppResp, {
    from: 2,
    term: leader.term,
    index: progress.next - 1,
    reject: true,
  });
  return takeOne(leader);
}

/** The host has installed what the core took. */
function install(core: Raft, storage: MemoryStorage, snapshot: Snapshot): void {
  storage.applySnapshot(snapshot);
  core.log.unstable.acceptInProgress();
  appliedSnapshot(core, snapshot);
}

describe('a leader whose log does not reach back far enough', () => {
  test('sends its snapshot, remembers which, and holds everything else back', () => {
    const leader = leaderAfterSnapshot();
    const message = needSnapshot(leader);
    expect([message.type, message.to, message.snapshot]).toEqual([MessageType.Snap, 2, AT_11]);
    expect(progressOf(leader, 2)).toMatchObject({
      state: 'snapshot',
      pendingSnapshot: 11,
      next: 12,
    });
    step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
    expect(takeMessages(leader)).toEqual([]);
  });

  test('does not bother a follower that has not been heard of', () => {
    const leader = leaderAfterSnapshot();
    const progress = progressOf(leader, 2);
    progress.next = leader.log.firstIndex - 1;
    progress.recentActive = false;
    progress.appendsPaused = false;
    step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
    expect(takeMessages(leader)).toEqual([]);
    expect(progress.state).toBe('probe');
    expect(sendAppend(leader, 2, { evenIfEmpty: true })).toBe(false);
  });

  test('sends it too where the storage says only on reading that entries are gone', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(AT_11);
    storage.append(entriesFrom(12, 11));
    storage.entries = () => 'compacted';
    const leader = makeLeader({ storage });
    takeMessages(leader);
    const progress = progressOf(leader, 2);
    Object.assign(progress, { next: 12, recentActive: true, appendsPaused: false });
    expect(sendAppend(leader, 2, { evenIfEmpty: true })).toBe(true);
    expect(takeOne(leader)).toMatchObject({ type: MessageType.Snap, snapshot: AT_11 });
  });

  test('waits while the host still prepares the snapshot', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(AT_11);
    let isReady = false;
    const snapshot = storage.snapshot.bind(storage);
    storage.snapshot = () => (isReady ? snapshot() : undefined);
    const leader = makeLeader({ storage });
    takeMessages(leader);
    const progress = progressOf(leader, 2);
    progress.next = 5;
    progress.recentActive = true;
    step(leader, MessageType.HeartbeatResp, { from: 2, term: leader.term });
    expect([takeMessages(leader), progress.state]).toEqual([[], 'probe']);
    isReady = true;
    step(leader, MessageType.HeartbeatResp, { from: 2, term: leader.term });
    expect(takeOne(leader).type).toBe(MessageType.Snap);
  });

  test('failing to have one at all is a mistake of the host', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(AT_11);
    storage.snapshot = () => snapshotAt(0, 0, { voters: [1, 2] });
    const leader = makeLeader({ storage });
    takeMessages(leader);
    const progress = progressOf(leader, 2);
    progress.next = 5;
    progress.recentActive = true;
    expect(() => {
      step(leader, MessageType.HeartbeatResp, { from: 2, term: leader.term });
    }).toThrow(InvariantError);
  });
});

describe('what becomes of a snapshot on its way', () => {
  test('failed: probing starts where the follower was, after a heartbeat', () => {
    const leader = leaderAfterSnapshot();
    progressOf(leader, 2).becomeSnapshot(11);
    step(leader, MessageType.SnapStatus, { from: 2, reject: true });
    expect(progressOf(leader, 2)).toMatchObject({
      state: 'probe',
      pendingSnapshot: 0,
      next: 1,
      appendsPaused: true,
    });
    expect(takeMessages(leader)).toEqual([]);
  });

  test('delivered: probing starts after it, once the follower has answered', () => {
    const leader = leaderAfterSnapshot();
    progressOf(leader, 2).becomeSnapshot(11);
    step(leader, MessageType.SnapStatus, { from: 2 });
    expect(progressOf(leader, 2)).toMatchObject({
      state: 'probe',
      pendingSnapshot: 0,
      next: 12,
      appendsPaused: true,
    });
    expect(takeMessages(leader)).toEqual([]);
  });

  test('overtaken by an acknowledgement that reaches our log: it is not needed any more', () => {
    const leader = leaderAfterSnapshot();
    progressOf(leader, 2).becomeSnapshot(11);
    acknowledge(leader, 2, 11);
    expect(progressOf(leader, 2)).toMatchObject({
      state: 'replicate',
      pendingSnapshot: 0,
      match: 11,
      next: 13,
    });
    expect(progressOf(leader, 2).inflights.count).toBe(1);
    expect(takeOne(leader).entries.map(({ index }) => index)).toEqual([12]);
  });

  test('overtaken by an acknowledgement short of our log: it still is', () => {
    const leader = leaderAfterSnapshot();
    progressOf(leader, 2).becomeSnapshot(11);
    acknowledge(leader, 2, 10);
    expect(progressOf(leader, 2)).toMatchObject({
      state: 'snapshot',
      pendingSnapshot: 11,
      match: 10,
    });
    expect(takeMessages(leader)).toEqual([]);
  });

  test('a report without a snapshot under way means nothing', () => {
    const leader = leaderAfterSnapshot();
    acknowledge(leader, 2, 12);
    const before = progressOf(leader, 2).snapshot();
    step(leader, MessageType.SnapStatus, { from: 2, reject: true });
    expect(progressOf(leader, 2).snapshot()).toEqual(before);
  });

  test('a failed one is sent again after the next heartbeat', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.at(1).compact();
    network.heal();
    network.ignore(MessageType.Snap);
    network.tick(1, 2);
    expect(network.at(1).progress(3).state).toBe('snapshot');
    network.at(1).node.reportSnapshot(3, 'failed');
    network.settle();
    expect(network.at(1).progress(3).state).toBe('probe');
    network.heal();
    network.tick(1, 2);
    expect(network.at(3).commit).toBe(2);
    expect(network.at(1).progress(3)).toMatchObject({ state: 'replicate', match: 2 });
  });
});

describe('taking a snapshot', () => {
  test('replaces log, commit index and membership', () => {
    const core = makeCore({ members: { voters: [1, 2] }, terms: [1, 1] });
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    expect(restoreSnapshot(core, snapshot)).toBe(true);
    expect([core.log.lastIndex, core.log.mustTerm(11), core.log.committed]).toEqual([11, 11, 11]);
    expect(core.log.term(2)).toBe('compacted');
    expect(core.tracker.config.voters.ids).toEqual([1, 2, 3]);
    expect(core.log.unstable.nextSnapshot()).toBe(snapshot);
  });

  test('the same twice gains nothing, and until it is installed there is no election', () => {
    const storage = new MemoryStorage();
    const core = makeCore({ storage, members: { voters: [1, 2] } });
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    restoreSnapshot(core, snapshot);
    expect(restoreSnapshot(core, snapshot)).toBe(false);
    for (let tick = 0; tick < 30; tick++) core.tick();
    expect(roleOf(core.state)).toBe('follower');
    install(core, storage, snapshot);
    for (let tick = 0; tick < 10; tick++) core.tick();
    expect(roleOf(core.state)).toBe('candidate');
  });

  test('that we have committed already is refused', () => {
    const core = makeCore({
      members: { voters: [1, 2] },
      terms: [1, 1, 1],
      hardState: { term: 1, commit: 1 },
    });
    expect(restoreSnapshot(core, snapshotAt(1, 1, { voters: [1, 2] }))).toBe(false);
    expect([core.log.committed, core.log.lastIndex]).toEqual([1, 3]);
  });

  test.each([1, 9])('at our commit index is refused, even if it names term %i there', (term) => {
    const core = makeCore({ terms: [1, 1, 1], hardState: { term: 1, commit: 2 } });
    const lines: string[] = [];
    Object.assign(core, { logger: { log: (_: string, text: string) => lines.push(text) } });
    expect(restoreSnapshot(core, snapshotAt(2, term, { voters: [1, 2, 3] }))).toBe(false);
    expect([core.log.committed, core.log.lastIndex, lines]).toEqual([2, 3, []]);
  });

  test('that our log covers only moves the commit index', () => {
    const core = makeCore({
      members: { voters: [1, 2] },
      terms: [1, 1, 1],
      hardState: { term: 1, commit: 1 },
    });
    expect(restoreSnapshot(core, snapshotAt(2, 1, { voters: [1, 2] }))).toBe(false);
    expect([core.log.committed, core.log.lastIndex]).toEqual([2, 3]);
    expect(core.log.unstable.nextSnapshot()).toBeUndefined();
  });

  test('with another term at its index than ours replaces the log', () => {
    const core = makeCore({
      members: { voters: [1, 2] },
      terms: [1, 1, 1],
      hardState: { term: 1, commit: 1 },
    });
    expect(restoreSnapshot(core, snapshotAt(2, 2, { voters: [1, 2] }))).toBe(true);
    expect([core.log.committed, core.log.lastIndex, core.log.firstIndex]).toEqual([2, 2, 3]);
  });

  test('of a group we are not in is refused', () => {
    const core = makeCore({ members: { voters: [1, 2] } });
    expect(restoreSnapshot(core, snapshotAt(11, 11, { voters: [2, 3], learners: [4] }))).toBe(
      false,
    );
    expect([core.log.lastIndex, core.tracker.config.voters.ids]).toEqual([0, [1, 2]]);
  });

  test.each<[string, number, Parameters<typeof snapshotAt>[2], string]>([
    ['with learners', 3, { voters: [1, 2], learners: [3] }, 'learner'],
    ['where we are on our way out', 1, { voters: [2, 3, 4], votersOutgoing: [1, 2, 3] }, 'voter'],
    [
      'where we are to be demoted',
      1,
      { voters: [2], votersOutgoing: [1, 2], learnersNext: [1] },
      'voter',
    ],
    ['that makes a voter a learner', 2, { voters: [1, 3], learners: [2] }, 'learner'],
    [
      'in a joint state that leaves by itself',
      1,
      { voters: [1], votersOutgoing: [1, 2], autoLeave: true },
      'voter',
    ],
  ])('%s is taken', (_, id, members, kind) => {
    const storage = new MemoryStorage();
    const core = makeCore({ id, storage, members: { voters: [1, 2, 3] } });
    const snapshot = snapshotAt(11, 11, members);
    expect(restoreSnapshot(core, snapshot)).toBe(true);
    expect(core.tracker.confState).toEqual(membersOf(members));
    expect(core.isPromotable).toBe(false);
    install(core, storage, snapshot);
    expect(core.isPromotable).toBe(kind === 'voter');
    expect(progressOf(core, id).isLearner).toBe(kind === 'learner');
  });

  test('promotes a learner that is a voter in it', () => {
    const storage = new MemoryStorage();
    const core = makeCore({ id: 3, storage, members: { voters: [1, 2], learners: [3] } });
    expect(core.isPromotable).toBe(false);
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    restoreSnapshot(core, snapshot);
    install(core, storage, snapshot);
    expect(core.isPromotable).toBe(true);
  });

  test('a membership that contradicts itself is fatal', () => {
    const core = makeCore({ members: { voters: [1, 2] } });
    const snapshot = snapshotAt(11, 11, { voters: [1, 2], learners: [2] });
    expect(() => restoreSnapshot(core, snapshot)).toThrow(InvariantError);
  });

  test('as leader would be a mistake', () => {
    const leader = makeLeader();
    expect(() => restoreSnapshot(leader, snapshotAt(11, 11, { voters: [1, 2, 3] }))).toThrow(
      InvariantError,
    );
  });
});

test('a snapshot installed gives back no bytes of entries that are still being applied', () => {
  const storage = new MemoryStorage();
  const entry = entriesFrom(1, 1);
  const core = makeCore({
    storage,
    terms: [1],
    hardState: { term: 1, commit: 1 },
    applyingBytesMax: entriesSize(entry),
  });
  core.log.acceptApplying(1, entriesSize(entry), true);
  const snapshot = snapshotAt(5, 1, { voters: [1, 2, 3] });
  restoreSnapshot(core, snapshot);
  install(core, storage, snapshot);
  core.log.append(entriesFrom(6, 1));
  core.log.commitTo(6);
  expect(core.log.hasNextCommitted(true)).toBe(false);
  step(core, MessageType.StorageApplyResp, { from: LOCAL_APPLY_THREAD, entries: entry });
  expect(core.log.hasNextCommitted(true)).toBe(true);
});

describe('a snapshot message', () => {
  test.each(['follower', 'candidate'] as const)('makes a %s follow its sender', (role) => {
    const core = enterRole(makeCore({ id: 2 }), role, 3);
    takeMessages(core);
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    step(core, MessageType.Snap, { from: 1, term: 12, snapshot });
    expect([core.lead, core.term, core.log.committed]).toEqual([1, 12, 11]);
  });

  test('is acknowledged with what is reached, after the disk', () => {
    const core = makeCore({ id: 2 });
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    step(core, MessageType.Snap, { from: 1, term: 11, snapshot });
    expect(core.messages).toEqual([]);
    expect(takeOne(core)).toMatchObject({ type: MessageType.AppResp, index: 11, reject: false });
    step(core, MessageType.Snap, { from: 1, term: 11, snapshot: snapshotAt(5, 5, {}) });
    expect(takeOne(core)).toMatchObject({ index: 11, reject: false });
  });

  test('without a snapshot is answered and does nothing', () => {
    const core = makeCore({ id: 2 });
    step(core, MessageType.Snap, { from: 1, term: 1 });
    expect(takeOne(core)).toMatchObject({ type: MessageType.AppResp, index: 0 });
    expect([core.lead, core.log.lastIndex]).toEqual([1, 0]);
  });

  test('of an older term is ignored', () => {
    const core = makeCore({ id: 2, hardState: { term: 12 } });
    const snapshot = snapshotAt(11, 11, { voters: [1, 2, 3] });
    step(core, MessageType.Snap, { from: 1, term: 11, snapshot });
    expect([takeMessages(core), core.log.committed]).toEqual([[], 0]);
  });
});

describe('a group with compacted logs', () => {
  test('brings a member that was away long to the end, with the rest as entries', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    for (let at = 0; at < 100; at++) network.propose(1, `${at}`);
    network.at(1).compact(60);
    network.heal();
    network.tick(1, 2);
    expect(network.arrived(MessageType.Snap)).toHaveLength(1);
    expect(network.commits).toEqual([101, 101, 101]);
    expect(network.at(3).texts[0]).toBe('59');
    expect(network.at(1).progress(3)).toMatchObject({ state: 'replicate', match: 101 });
  });

  test('brings a learner to the end', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.isolate(2);
    network.elect(1);
    network.propose(1, 'a', 'b');
    network.at(1).compact();
    network.heal();
    network.tick(1, 2);
    network.propose(1, 'c');
    expect([network.at(2).commit, network.at(2).texts]).toEqual([4, ['c']]);
    expect(network.at(2).confState.learners).toEqual([2]);
  });

  test('tells a member its new role by snapshot', () => {
    const network = new Network(4);
    network.elect(1);
    network.isolate(4);
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddLearnerNode, nodeId: 4 });
    network.settle();
    network.propose(1, 'a');
    network.at(1).compact();
    network.heal();
    network.tick(1, 3);
    expect(network.at(4).confState).toEqual(membersOf({ voters: [1, 2, 3], learners: [4] }));
    network.tick(4, 30);
    expect(network.roles).toEqual(['leader', 'follower', 'follower', 'follower']);
  });

  test('a leader that needs no snapshot for others sends none', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'a');
    for (const member of network.members.values()) member.compact();
    network.propose(1, 'b');
    network.elect(2);
    network.propose(2, 'c');
    expect(network.arrived(MessageType.Snap)).toEqual([]);
    expect(network.at(3).texts).toEqual(['a', 'b', 'c']);
  });

  test('a snapshot lost on the way and never reported keeps the follower waiting', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.at(1).compact();
    network.heal();
    network.ignore(MessageType.Snap);
    network.tick(1, 2);
    network.heal();
    network.tick(1, 5);
    expect(network.at(1).progress(3)).toMatchObject({ state: 'snapshot', pendingSnapshot: 2 });
    expect(network.arrived(MessageType.Snap)).toEqual([]);
    network.at(1).node.reportSnapshot(3, 'failed');
    network.tick(1, 2);
    expect(network.at(3).commit).toBe(2);
  });

  test('a snapshot that the receiver already has is just acknowledged', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'a');
    const snapshot = network.at(1).compact();
    network.send(makeMessage(MessageType.Snap, { from: 1, to: 3, term: 1, snapshot }));
    expect(network.at(3).texts).toEqual(['a']);
    network.propose(1, 'b');
    expect(network.at(3).texts).toEqual(['a', 'b']);
  });

  test('a restarted member goes on from its snapshot', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(1, 'a');
    network.at(1).compact();
    network.heal();
    network.tick(1, 2);
    network.at(3).restart();
    expect([network.at(3).commit, network.at(3).appliedIndex]).toEqual([2, 2]);
    network.propose(1, 'b');
    expect(network.at(3).texts).toEqual(['b']);
  });
});

test('a snapshot’s data travels untouched', () => {
  const core = makeCore({ id: 2 });
  const snapshot = snapshotAt(3, 1, { voters: [1, 2, 3] }, bytes('state'));
  step(core, MessageType.Snap, { from: 1, term: 1, snapshot });
  keepPromises(core);
  expect(core.log.unstable.nextSnapshot()?.data).toEqual(bytes('state'));
});
