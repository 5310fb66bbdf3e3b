import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { makeMessage } from './message.ts';
import { RawNode } from './rawnode.ts';
import { entrySize } from './size.ts';
import {
  acknowledge,
  makeCore,
  makeLeader,
  progressOf,
  step,
  takeMessages,
  takeOne,
} from './testing/core.ts';
import { Member } from './testing/member.ts';
import { Network } from './testing/network.ts';
import {
  blob,
  bytes,
  DEFAULTS,
  entriesFrom,
  indexesOf,
  membersOf,
  proposed,
  roleOf,
  snapshotAt,
  textOf,
} from './testing/values.ts';
import {
  ConfChangeTransition,
  ConfChangeType,
  type Entry,
  EntryType,
  type Message,
  MessageType,
} from './types.ts';

/**
 * Faults that have happened to the library or to its users, told as stories. Every one of them once
 * cost somebody data, or a group that stood still.
 */

const THREE = { voters: [1, 2, 3] };

describe('read index before the first commit of a term', () => {
  test('a fresh leader does not answer from a commit index that may be behind', () => {
    // Entry 2 is committed by the old leader, but the new one does not know that yet.
    const network = new Network(3);
    network.elect(1);
    network.filter = ({ commit }) => commit < 2;
    network.propose(1, 'x');
    expect(network.commits).toEqual([2, 1, 1]);
    network.isolate(1);
    network.ignore(MessageType.App);
    network.filter = undefined;
    network.elect(2);
    network.read(2, 'r');
    expect([network.at(2).commit, network.at(2).reads]).toEqual([1, []]);
    network.heal();
    network.tick(2);
    const [read] = network.at(2).reads;
    expect(read?.index).toBeGreaterThanOrEqual(2);
  });

  test('a request that waited is not served in a later term without a commit of that term', () => {
    const network = new Network(3);
    network.ignore(MessageType.App);
    network.elect(1);
    network.read(1, 'r');
    network.elect(2);
    network.elect(1);
    expect(network.at(1).reads).toEqual([]);
    network.heal();
    network.tick(1);
    for (const { index } of network.at(1).reads) expect(index).toBe(network.at(1).commit);
  });
});

describe('same read context retried', () => {
  test('old answers to a repeated context do not confirm a later read', () => {
    const network = new Network(3);
    network.elect(1);
    const request = makeMessage(MessageType.ReadIndex, {
      from: 2,
      to: 1,
      entries: [proposed('A')],
    });
    const late: Message[] = [request];
    network.filter = (message) => {
      if (message.type !== MessageType.HeartbeatResp) return true;
      late.push(message);
      return false;
    };
    network.send(request);
    network.tick(1);
    expect(late.length).toBeGreaterThan(2);
    network.filter = undefined;
    // Another leader commits something the old one does not know of.
    network.isolate(1);
    network.elect(2);
    network.propose(2, 'x');
    const committed = network.at(2).commit;
    network.read(1, 'B');
    network.heal();
    // The repeated request first, then the answers to its first attempt.
    network.send(...late);
    for (const { reads } of network.members.values()) {
      for (const { context, index } of reads) {
        expect(index).toBeGreaterThanOrEqual(textOf(context) === 'A' ? 1 : committed);
      }
    }
    expect(network.at(1).reads).toEqual([]);
  });

  test('answers to the first attempt confirm the first attempt only', () => {
    const leader = makeLeader({ members: THREE });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('A')] });
    const [first] = takeMessages(leader);
    step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
    acknowledge(leader, 2, 2);
    takeMessages(leader);
    step(leader, MessageType.ReadIndex, { entries: [proposed('A')] });
    step(leader, MessageType.HeartbeatResp, { from: 3, term: 1, context: first!.context });
    expect(leader.readStates).toEqual([{ index: 1, context: bytes('A') }]);
  });
});

describe('pre-vote with lower-term nodes', () => {
  test('a member that missed terms does not keep the rest from electing', () => {
    const network = new Network(3, { preVote: true });
    network.isolate(3);
    network.elect(1);
    network.elect(2);
    network.campaign(3);
    expect(network.terms).toEqual([2, 2, 0]);
    network.heal();
    network.isolate(2);
    // The one that is behind asks first, then the other: somebody has to win.
    network.campaign(3);
    network.campaign(1);
    expect([network.at(1).role, network.at(3).role]).toContain('leader');
  });

  test('a pre-candidate terms ahead lets others win after one refusal', () => {
    const network = new Network(3, { preVote: true }, { 3: { hardState: { term: 7 } } });
    network.isolate(2);
    network.campaign(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['follower', 7]);
    network.campaign(1);
    expect([network.at(1).role, network.at(1).term]).toEqual(['leader', 8]);
  });
});

describe('learner promoted with unapplied change', () => {
  test('its vote is asked for and given although it still thinks it is a learner', () => {
    const network = new Network({ voters: [1, 2], learners: [3] }, { asyncStorageWrites: true });
    network.elect(1);
    const learner = network.at(3);
    learner.holdsApplying = true;
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 3 });
    network.settle();
    expect(network.at(2).confState.voters).toEqual([1, 2, 3]);
    expect(learner.confState.learners).toEqual([3]);
    // Without the learner's vote there is no majority any more.
    network.isolate(1);
    network.elect(2);
    expect(learner.vote).toBe(2);
  });

  test('it does not campaign itself before it has applied the change', () => {
    const network = new Network({ voters: [1, 2], learners: [3] }, { asyncStorageWrites: true });
    network.elect(1);
    network.at(3).holdsApplying = true;
    network.at(1).node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 3 });
    network.settle();
    network.tick(3, 30);
    expect(network.at(3).role).toBe('follower');
    network.at(3).holdsApplying = false;
    network.tick(3, 30);
    expect(network.at(3).role).toBe('leader');
  });
});

describe('joint state lost on restart', () => {
  const JOINT = {
    transition: ConfChangeTransition.JointExplicit,
    changes: [
      { type: ConfChangeType.AddNode, nodeId: 4 },
      { type: ConfChangeType.AddNode, nodeId: 5 },
      { type: ConfChangeType.RemoveNode, nodeId: 2 },
      { type: ConfChangeType.AddLearnerNode, nodeId: 3 },
    ],
  };
  const EXPECTED = membersOf({
    voters: [1, 4, 5],
    votersOutgoing: [1, 2, 3],
    learnersNext: [3],
  });

  test.each(['log', 'snapshot'])('from a %s it comes back with both halves', (from) => {
    const network = new Network(3);
    for (const id of [4, 5]) network.join(id);
    network.elect(1);
    network.at(1).node.proposeConfChange(JOINT);
    network.settle();
    for (const member of network.members.values()) {
      if (from === 'snapshot') member.compact();
      member.restart();
      const { config } = member.node.status();
      expect(config.voters.incoming.ids).toEqual(EXPECTED.voters);
      expect(config.voters.outgoing.ids).toEqual(EXPECTED.votersOutgoing);
      expect(config.learnersNext).toEqual(EXPECTED.learnersNext);
    }
    // The new half alone cannot elect, nor the old one.
    for (const id of [2, 3]) network.isolate(id);
    network.campaign(1);
    expect(network.at(1).role).toBe('candidate');
    network.heal();
    network.elect(1);
    network.at(1).node.proposeConfChange({ changes: [] });
    network.settle();
    expect(network.at(4).confState).toEqual(membersOf({ voters: [1, 4, 5], learners: [3] }));
  });

  test('a node that is only in the outgoing half takes the snapshot it needs', () => {
    const network = new Network(3);
    for (const id of [4, 5]) network.join(id);
    network.elect(1);
    network.isolate(2);
    network.at(1).node.proposeConfChange(JOINT);
    network.settle();
    network.at(1).compact();
    network.heal();
    network.tick(1, 3);
    expect(network.at(2).confState).toEqual(EXPECTED);
  });
});

describe('stuck joint after step-down', () => {
  const IMPLICIT = {
    transition: ConfChangeTransition.JointImplicit,
    changes: [{ type: ConfChangeType.AddLearnerNode, nodeId: 2 }],
  };

  test('a leader that loses its office while it applies the change leaves it when re-elected', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(0, 0, { voters: [1] }));
    const node = new RawNode({ ...DEFAULTS, id: 1, storage });
    const turn = (beforeApplying?: () => void): Entry[] => {
      const ready = node.ready();
      storage.append(ready.entries);
      for (const entry of ready.committedEntries) {
        if (entry.type !== EntryType.ConfChangeV2) continue;
        beforeApplying?.();
        node.applyConfChange(entry.data?.length ? IMPLICIT : { changes: [] });
      }
      node.advance();
      return [...ready.entries];
    };
    node.campaign();
    while (node.hasReady()) turn();
    node.proposeConfChange(IMPLICIT);
    const stepDown = makeMessage(MessageType.Heartbeat, { from: 9, to: 1, term: 2 });
    while (node.hasReady()) turn(() => node.step(stepDown));
    expect(roleOf(node.basicStatus().softState.raftState)).toBe('follower');
    expect(node.status().config.autoLeave).toBe(true);
    node.campaign();
    while (node.hasReady()) turn();
    expect(node.status().config).toMatchObject({ autoLeave: false, learners: [2] });
    expect(node.status().config.voters.isJoint).toBe(false);
  });

  test('a new leader leaves the joint state in place of the old one', () => {
    const network = new Network(3);
    network.elect(1);
    // Nobody but the leader ever sees the entry that leaves.
    network.filter = ({ type, index }) => type !== MessageType.App || index < 2;
    network.at(1).node.proposeConfChange({
      transition: ConfChangeTransition.JointImplicit,
      changes: [{ type: ConfChangeType.AddLearnerNode, nodeId: 9 }],
    });
    network.settle();
    network.heal();
    network.isolate(1);
    network.elect(2);
    network.propose(2, 'x');
    expect(network.at(3).confState).toEqual(membersOf({ ...THREE, learners: [9] }));
  });

  test('a transfer of leadership that fails only delays leaving', () => {
    const network = new Network(3, { asyncStorageWrites: true });
    const leader = network.elect(1);
    leader.holdsApplying = true;
    leader.node.proposeConfChange({
      transition: ConfChangeTransition.JointImplicit,
      changes: [{ type: ConfChangeType.AddLearnerNode, nodeId: 9 }],
    });
    network.settle();
    network.ignore(MessageType.TimeoutNow);
    network.transfer(1, 3);
    leader.holdsApplying = false;
    network.settle();
    expect(leader.confState.autoLeave).toBe(true);
    network.tick(1, 10);
    network.propose(1, 'x');
    expect(leader.confState).toEqual(membersOf({ ...THREE, learners: [9] }));
  });
});

describe('commit truncated by pagination', () => {
  const ENTRIES: Entry[] = Array.from({ length: 11 }, (_, at) => ({
    term: 1,
    index: at + 1,
    type: EntryType.Normal,
    data: bytes(at === 10 ? 'boom' : 'a'),
  }));

  test('a storage that returns more than the limit makes no entry skip, and no commit go back', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(0, 0, { voters: [1] }));
    storage.setHardState({ term: 1, vote: 1, commit: 10 });
    storage.append(ENTRIES);
    const limited = storage.entries.bind(storage);
    storage.entries = (lo, hi) => limited(lo, hi, Number.POSITIVE_INFINITY);
    const messageBytesMax = entrySize(ENTRIES[0]!) * 9 - 1;
    const node = new RawNode({ ...DEFAULTS, id: 1, messageBytesMax, storage });
    const applied: number[] = [];
    for (let round = 0; round < 20 && applied.length < 11; round++) {
      const ready = node.ready();
      expect(ready.hardState?.commit ?? 11).toBeGreaterThanOrEqual(10);
      applied.push(...indexesOf(ready.committedEntries));
      node.advance();
      node.step(makeMessage(MessageType.Heartbeat, { from: 2, to: 1, term: 1, commit: 11 }));
    }
    expect(applied).toEqual(indexesOf(ENTRIES));
  });

  test('a crash between two pages repeats none and loses none', () => {
    const member = new Member(1, snapshotAt(0, 0, THREE), {
      messageBytesMax: 20,
      terms: ENTRIES.map(({ term }) => term),
      hardState: { term: 1, commit: 11 },
    });
    const applied: number[] = [];
    while (applied.length < 11) {
      const { committedEntries } = member.node.ready();
      expect(committedEntries.length).toBeGreaterThan(0);
      applied.push(...indexesOf(committedEntries));
      const restarted = { ...DEFAULTS, id: 1, messageBytesMax: 20, storage: member.storage };
      member.node = new RawNode({ ...restarted, applied: applied.at(-1)! });
    }
    expect(applied).toEqual(indexesOf(ENTRIES));
  });
});

describe('acknowledged but unstable single-voter entry', () => {
  test('an entry is not handed out as committed in the Ready that stores it', () => {
    const member = new Member(1, snapshotAt(0, 0, { voters: [1] }));
    member.node.campaign();
    member.work();
    member.node.propose(bytes('x'));
    const ready = member.node.ready();
    expect([ready.entries.length, ready.committedEntries, ready.hardState]).toEqual([
      1,
      [],
      undefined,
    ]);
  });

  test('with a slow disk it is committed by the write, not by the proposal', () => {
    const member = new Member(1, snapshotAt(0, 0, { voters: [1] }), { asyncStorageWrites: true });
    member.node.campaign();
    member.work();
    member.holdsWrites = true;
    member.node.propose(bytes('x'));
    member.work();
    expect([member.commit, member.texts]).toEqual([1, []]);
    // The machine loses power: nobody was told that the entry is safe.
    member.restart();
    member.holdsWrites = false;
    member.node.campaign();
    member.work();
    expect(member.texts).toEqual([]);
  });
});

describe('ABA in asynchronous append', () => {
  test('the write of an entry does not vouch for the same entry written again later', () => {
    const member = new Member(2, snapshotAt(0, 0, THREE), { asyncStorageWrites: true });
    member.holdsWrites = true;
    const receive = (from: number, term: number, entryTerm: number, commit = 0): void => {
      const entries = entriesFrom(1, entryTerm);
      member.node.step(makeMessage(MessageType.App, { from, to: 2, term, entries, commit }));
      member.work();
    };
    // A of term 1, B of term 2 in its place, then A again, which its leader commits.
    receive(1, 1, 1);
    receive(3, 2, 2);
    receive(1, 3, 1, 1);
    expect(member.writes.map(({ entries }) => entries.map(({ term }) => term))).toEqual([
      [1],
      [2],
      [1],
    ]);
    // The first write is done. On disk is A, but B will replace it before A comes back.
    member.finishWrite();
    member.work();
    expect(member.applied).toEqual([]);
    member.finishWrite();
    member.work();
    expect([member.logTerms, member.applied]).toEqual([[2], []]);
    member.finishWrite();
    member.work();
    expect([member.logTerms, indexesOf(member.applied)]).toEqual([[1], [1]]);
  });
});

describe('byte counter leak', () => {
  test('appends forgotten on the way to probing take their bytes with them', () => {
    const leader = makeLeader({
      members: { voters: [1, 2] },
      messageBytesMax: 100,
      inflightBytesMax: 1000,
    });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    for (let round = 0; round < 200; round++) {
      const entries = [{ ...proposed(), data: blob(90) }];
      for (let at = 0; at < 5; at++) step(leader, MessageType.Prop, { from: 1, entries });
      takeMessages(leader);
      step(leader, MessageType.Unreachable, { from: 2 });
      expect(progressOf(leader, 2).inflights.bytes).toBe(0);
      acknowledge(leader, 2, leader.log.lastIndex);
      takeMessages(leader);
      expect(progressOf(leader, 2).isPaused).toBe(false);
    }
  });

  test('a long life with losses leaves no bytes counted that are not there', () => {
    const network = new Network(3, {
      messageBytesMax: 64,
      inflightBytesMax: 128,
      inflightMessagesMax: 4,
      uncommittedBytesMax: 1024,
    });
    const leader = network.elect(1);
    let count = 0;
    network.filter = ({ type }) => type !== MessageType.App || count++ % 3 !== 0;
    for (let at = 0; at < 300; at++) {
      leader.node.propose(blob(40));
      if (at % 7 === 0) leader.node.reportUnreachable(2 + (at % 2));
      network.tick(1, 2);
    }
    network.heal();
    network.tick(1, 5);
    expect(leader.progress(2)).toMatchObject({ match: 301, inflightCount: 0 });
    expect(leader.progress(3)).toMatchObject({ match: 301, inflightCount: 0 });
    // Had bytes been left over, a proposal of the full limit would be dropped.
    leader.node.propose(blob(1));
    expect(leader.node.propose(blob(1023))).toBe('ok');
  });
});

describe('follower stuck in probe', () => {
  test('an acknowledgement of what was known already ends probing', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    takeMessages(leader);
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2).state).toBe('probe');
    // It has everything, so the probe is empty and its answer names what we knew.
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
    expect(takeOne(leader)).toMatchObject({ type: MessageType.App, entries: [] });
    acknowledge(leader, 2, 1);
    expect(progressOf(leader, 2).state).toBe('replicate');
  });

  test('one that is reported unreachable in a quiet group comes back by itself', () => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'x');
    network.at(1).node.reportUnreachable(2);
    network.tick(1, 2);
    expect(network.at(1).progress(2).state).toBe('replicate');
  });
});

describe('empty append after compaction', () => {
  test('a follower with a full window that has fallen behind the log gets a snapshot', () => {
    const network = new Network(3, { inflightMessagesMax: 2 });
    const leader = network.elect(1);
    network.cutOneWay(1, 3);
    for (const text of ['a', 'b', 'c', 'd', 'e']) network.propose(1, text);
    expect(leader.progress(3)).toMatchObject({ state: 'replicate', inflightFull: true });
    leader.compact();
    const mark = network.delivered.length;
    network.heal();
    network.tick(1, 2);
    expect(network.arrived(MessageType.Snap, mark)).toHaveLength(1);
    for (const { to, index, logTerm } of network.arrived(MessageType.App, mark)) {
      // None without the term of the entry before it.
      if (to === 3) expect([index > 0, logTerm > 0]).toEqual([true, true]);
    }
    network.propose(1, 'f');
    expect([network.at(3).commit, network.at(3).texts]).toEqual([7, ['f']]);
  });

  test('right at the edge of the log an empty append is still possible', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.propose(1, 'a');
    leader.compact();
    const mark = network.delivered.length;
    leader.node.reportUnreachable(3);
    network.tick(1);
    expect(network.arrived(MessageType.Snap, mark)).toEqual([]);
    expect(leader.progress(3)).toMatchObject({ state: 'replicate', match: 2, next: 3 });
  });
});

describe('next below match', () => {
  test('a late rejection does not move probing before what the follower holds', () => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    for (let at = 0; at < 4; at++) {
      step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
    }
    acknowledge(leader, 2, 4);
    takeMessages(leader);
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', match: 4, next: 5 });
    const late = { from: 2, term: 1, index: 4, reject: true, rejectHint: 0 };
    step(leader, MessageType.AppResp, late);
    expect(progressOf(leader, 2)).toMatchObject({ match: 4, next: 5 });
    expect(takeOne(leader).index).toBe(4);
  });

  test.each([0, 2, 4, 9])('nor does one while replicating, with hint %i', (rejectHint) => {
    const leader = makeLeader({ members: { voters: [1, 2] } });
    takeMessages(leader);
    acknowledge(leader, 2, 1);
    for (let at = 0; at < 4; at++) {
      step(leader, MessageType.Prop, { from: 1, entries: [proposed('x')] });
    }
    acknowledge(leader, 2, 3);
    step(leader, MessageType.AppResp, { from: 2, term: 1, index: 4, reject: true, rejectHint });
    const { match, next } = progressOf(leader, 2);
    expect([match, next > match]).toEqual([3, true]);
  });
});

describe('snapshot with pending entries', () => {
  test('committed entries that wait are not applied over a snapshot that is being installed', () => {
    const member = new Member(2, snapshotAt(0, 0, THREE));
    const entries = entriesFrom(1, 1, 1, 1);
    member.node.step(makeMessage(MessageType.App, { from: 1, to: 2, term: 1, entries, commit: 3 }));
    const snapshot = snapshotAt(5, 1, THREE);
    member.node.step(makeMessage(MessageType.Snap, { from: 1, to: 2, term: 1, snapshot }));
    const ready = member.node.ready();
    expect([ready.snapshot, ready.entries, ready.committedEntries]).toEqual([snapshot, [], []]);
    member.storage.applySnapshot(ready.snapshot!);
    member.node.advance();
    expect(member.node.basicStatus().applied).toBe(5);
  });

  test('entries being applied when it comes do not take the applied index back', () => {
    const member = new Member(2, snapshotAt(0, 0, THREE), {
      asyncStorageWrites: true,
      applyingBytesMax: 20,
    });
    member.holdsApplying = true;
    const receive = (type: MessageType, fields: Partial<Message>): void => {
      member.node.step(makeMessage(type, { from: 1, to: 2, term: 1, ...fields }));
      member.work();
    };
    receive(MessageType.App, { entries: entriesFrom(1, 1, 1, 1), commit: 3 });
    expect(member.applications).toHaveLength(1);
    receive(MessageType.Snap, { snapshot: snapshotAt(5, 1, THREE) });
    expect(member.node.basicStatus().applied).toBe(5);
    const [overtaken] = member.applications.splice(0);
    for (const response of overtaken!.responses) member.node.step(response);
    expect(member.node.basicStatus().applied).toBe(5);
    // The bytes of the overtaken entries are not counted for ever.
    member.holdsApplying = false;
    receive(MessageType.App, {
      index: 5,
      logTerm: 1,
      entries: entriesFrom(6, 1, 1, 1, 1, 1, 1, 1, 1),
      commit: 13,
    });
    expect(indexesOf(member.applied)).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
  });

  test('a campaign is out of the question until it is installed', () => {
    const core = makeCore({ id: 2 });
    step(core, MessageType.Snap, { from: 1, term: 1, snapshot: snapshotAt(5, 1, THREE) });
    step(core, MessageType.Hup, { from: 2 });
    expect(roleOf(core.state)).toBe('follower');
  });
});

describe('wiped node rejoining under its old id', () => {
  const wiped = (): Network => {
    const network = new Network(3);
    network.elect(1);
    network.propose(1, 'x');
    network.members.delete(3);
    network.join(3);
    return network;
  };

  test('it stops itself as soon as it learns of a commit it does not hold', () => {
    const network = wiped();
    expect(network.at(1).progress(3).match).toBe(2);
    expect(() => network.tick(1)).toThrow(InvariantError);
  });

  test('under a new id it is a member like any other', () => {
    const network = wiped();
    network.members.delete(3);
    const leader = network.at(1);
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 3 });
    network.settle();
    network.join(4);
    leader.node.proposeConfChange({ type: ConfChangeType.AddNode, nodeId: 4 });
    network.settle();
    network.tick(1);
    expect(network.at(4).texts).toEqual(['x']);
    expect(leader.confState.voters).toEqual([1, 2, 4]);
  });
});
