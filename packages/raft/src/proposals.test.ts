import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { appendProposal, releaseUncommitted } from './proposals.ts';
import type { Raft, RaftOutcome } from './raft.ts';
import { payloadsSize } from './size.ts';
import {
  allEntries,
  enterRole,
  makeCore,
  makeLeader,
  progressOf,
  takeMessages,
} from './testing/core.ts';
import { Network } from './testing/network.ts';
import { blob, bytes, proposed, termsOf, textOf } from './testing/values.ts';
import { ConfChangeType, type Entry, MessageType } from './types.ts';

function proposeTo(core: Raft, ...entries: Entry[]): RaftOutcome {
  return core.step(makeMessage(MessageType.Prop, { from: core.id, entries }));
}

const ofSize = (count: number): Entry => ({ ...proposed(), data: blob(count) });

describe('a proposal', () => {
  test('at the leader gets the next index and the leader’s term', () => {
    const leader = makeLeader({ terms: [1, 1], hardState: { term: 4 } });
    expect(proposeTo(leader, proposed('a'), proposed('b'))).toBe('ok');
    const entries = allEntries(leader).slice(3);
    expect(entries.map(({ index }) => index)).toEqual([4, 5]);
    expect(termsOf(entries)).toEqual([5, 5]);
    expect(entries.map(({ data }) => textOf(data))).toEqual(['a', 'b']);
  });

  test('of several entries is taken as a whole', () => {
    const network = new Network(3);
    network.elect(1);
    const mark = network.delivered.length;
    network.propose(1, 'a', 'b', 'c');
    const [append] = network.arrived(MessageType.App, mark);
    expect(append?.entries).toHaveLength(3);
    expect(network.at(2).texts).toEqual(['a', 'b', 'c']);
  });

  test('of no entries is a mistake', () => {
    expect(() => proposeTo(makeLeader())).toThrow(InvariantError);
  });

  test('without bytes is a proposal too', () => {
    const network = new Network(1);
    const leader = network.elect(1);
    expect(leader.node.propose(undefined)).toBe('ok');
    expect(leader.node.propose(new Uint8Array(0))).toBe('ok');
    network.settle();
    expect(leader.applied.map(({ data }) => data)).toEqual([
      undefined,
      undefined,
      new Uint8Array(0),
    ]);
  });

  test('is shared, not copied, on its way to the application', () => {
    const network = new Network(1);
    const data = bytes('x');
    network.elect(1);
    network.at(1).node.propose(data);
    network.settle();
    expect(network.at(1).applied.at(-1)?.data).toBe(data);
  });

  test.each(['pre-candidate', 'candidate'] as const)('at a %s is dropped', (role) => {
    const core = enterRole(makeCore(), role);
    expect(proposeTo(core, proposed('x'))).toBe('proposal-dropped');
    expect(allEntries(core)).toEqual([]);
  });

  test('at a follower that knows no leader is dropped', () => {
    expect(proposeTo(makeCore(), proposed('x'))).toBe('proposal-dropped');
  });

  test('at a leader that is no member any more is dropped', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    leader.node.proposeConfChange({ type: ConfChangeType.RemoveNode, nodeId: 1 });
    network.settle();
    expect(leader.role).toBe('leader');
    expect(leader.node.propose(bytes('x'))).toBe('proposal-dropped');
  });

  test('at a leader without a quorum is taken, and not committed', () => {
    const network = new Network(3);
    const leader = network.elect(1);
    network.isolate(1);
    expect(network.propose(1, 'x')).toBe('ok');
    expect([leader.commit, leader.texts]).toEqual([1, []]);
    network.heal();
    network.tick(1);
    expect(leader.texts).toEqual(['x']);
  });

  test('is lost with its leader if nobody else had it', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(1);
    network.propose(1, 'lost');
    network.elect(2);
    network.heal();
    network.tick(2);
    for (const { texts } of network.members.values()) expect(texts).toEqual([]);
  });
});

describe('passing on', () => {
  test('a follower passes a proposal on, under its own name and without a term', () => {
    const core = enterRole(makeCore({ id: 2 }), 'follower', 1);
    expect(proposeTo(core, proposed('x'))).toBe('ok');
    expect(takeMessages(core)).toEqual([
      makeMessage(MessageType.Prop, { from: 2, to: 1, entries: [proposed('x')] }),
    ]);
    expect(allEntries(core)).toEqual([]);
  });

  test('a learner does too', () => {
    const network = new Network({ voters: [1], learners: [2] });
    network.elect(1);
    expect(network.propose(2, 'x')).toBe('ok');
    expect(network.at(1).texts).toEqual(['x']);
  });

  test('it arrives even if one of the others is down', () => {
    const network = new Network(3);
    network.elect(1);
    network.isolate(3);
    network.propose(2, 'x');
    expect(network.at(2).texts).toEqual(['x']);
  });

  test('a change of membership is passed on like any other', () => {
    const network = new Network(3);
    network.elect(1);
    network.at(2).node.proposeConfChange({ type: ConfChangeType.AddLearnerNode, nodeId: 9 });
    network.settle();
    for (const { confState } of network.members.values()) expect(confState.learners).toEqual([9]);
  });

  test('a proposal that reaches an old leader is passed on once more', () => {
    const network = new Network(3);
    network.elect(1);
    network.elect(3);
    network.send(makeMessage(MessageType.Prop, { from: 2, to: 1, entries: [proposed('x')] }));
    expect(network.at(2).texts).toEqual(['x']);
  });

  test('switched off, a follower drops what the leader would take', () => {
    const network = new Network(3, {}, { 3: { disableProposalForwarding: true } });
    network.elect(1);
    expect(network.propose(2, 'a')).toBe('ok');
    expect(network.propose(3, 'b')).toBe('proposal-dropped');
    expect(network.at(1).texts).toEqual(['a']);
  });

  test('switched off, a leader still takes its own', () => {
    const network = new Network(3, { disableProposalForwarding: true });
    network.elect(1);
    expect(network.propose(1, 'a')).toBe('ok');
    expect(network.at(3).texts).toEqual(['a']);
  });
});

describe('the limit on uncommitted bytes', () => {
  const ENTRY = ofSize(8);
  const COUNT = 100;

  const limited = (): Raft => {
    const leader = makeLeader({ uncommittedBytesMax: 8 * COUNT, inflightMessagesMax: 1_000 });
    takeMessages(leader);
    for (const id of [2, 3]) progressOf(leader, id).becomeReplicate();
    return leader;
  };

  test('the empty entry of a new leader is not counted', () => {
    expect(limited().uncommittedBytes).toBe(0);
  });

  test('is reached exactly, and then proposals are dropped', () => {
    const leader = limited();
    for (let at = 0; at < COUNT; at++) expect(proposeTo(leader, ENTRY)).toBe('ok');
    expect(leader.uncommittedBytes).toBe(8 * COUNT);
    expect(proposeTo(leader, ENTRY)).toBe('proposal-dropped');
    expect(proposeTo(leader, ofSize(1))).toBe('proposal-dropped');
    expect(leader.uncommittedBytes).toBe(8 * COUNT);
  });

  test('what is dropped is dropped as a whole', () => {
    const leader = limited();
    proposeTo(leader, ofSize(8 * COUNT - 8));
    const last = leader.log.lastIndex;
    expect(proposeTo(leader, ENTRY, ENTRY)).toBe('proposal-dropped');
    expect(leader.log.lastIndex).toBe(last);
    expect(proposeTo(leader, ENTRY)).toBe('ok');
  });

  test('the first proposal may be larger than the limit', () => {
    const leader = limited();
    const large = Array.from({ length: 2 * COUNT }, () => ENTRY);
    expect(proposeTo(leader, ...large)).toBe('ok');
    expect(proposeTo(leader, ENTRY)).toBe('proposal-dropped');
    releaseUncommitted(leader, payloadsSize(large));
    expect(leader.uncommittedBytes).toBe(0);
    expect(proposeTo(leader, ENTRY)).toBe('ok');
  });

  test('entries without bytes always pass', () => {
    const leader = limited();
    proposeTo(leader, ofSize(16 * COUNT));
    expect(proposeTo(leader, proposed())).toBe('ok');
    expect(proposeTo(leader, proposed(), proposed())).toBe('ok');
    expect(leader.uncommittedBytes).toBe(16 * COUNT);
  });

  test('releasing more than was counted leaves nothing below zero', () => {
    const leader = limited();
    proposeTo(leader, ENTRY);
    releaseUncommitted(leader, 1_000);
    expect(leader.uncommittedBytes).toBe(0);
  });

  test('starts anew with each term', () => {
    const leader = limited();
    proposeTo(leader, ofSize(8 * COUNT));
    enterRole(leader, 'follower');
    enterRole(leader, 'leader');
    expect(leader.uncommittedBytes).toBe(0);
    expect(proposeTo(leader, ENTRY)).toBe('ok');
  });

  test('0 means none', () => {
    const leader = makeLeader({ uncommittedBytesMax: 0 });
    for (let at = 0; at < 10; at++) {
      expect(appendProposal(leader, [ofSize(1_000_000)])).toBe(true);
    }
  });

  test('bounds the log of a leader cut off from its followers, until it is applied', () => {
    const network = new Network(3, { uncommittedBytesMax: 16 * 8 });
    const leader = network.elect(1);
    network.isolate(1);
    let taken = 0;
    for (let at = 0; at < 1024; at++) {
      if (network.propose(1, '8 bytes.') === 'ok') taken++;
    }
    expect([taken, leader.storage.lastIndex()]).toEqual([16, 17]);
    network.heal();
    network.tick(1);
    expect(leader.texts).toHaveLength(16);
    expect(network.propose(1, '8 bytes.')).toBe('ok');
  });

  test('bytes are released when entries are applied, not when they are committed', () => {
    const network = new Network(1, { uncommittedBytesMax: 8, asyncStorageWrites: true });
    const leader = network.elect(1);
    leader.holdsApplying = true;
    network.propose(1, '8 bytes.');
    expect([leader.commit, network.propose(1, 'x')]).toEqual([2, 'proposal-dropped']);
    leader.holdsApplying = false;
    network.settle();
    expect(network.propose(1, 'x')).toBe('ok');
  });

  test('entries of former leaders were not counted and are not released', () => {
    const network = new Network(3, { uncommittedBytesMax: 8 });
    network.elect(1);
    network.ignore(MessageType.AppResp);
    network.propose(1, '8 bytes.');
    network.heal();
    network.elect(2);
    expect(network.at(2).texts).toEqual(['8 bytes.']);
    network.isolate(2);
    expect(network.propose(2, '8 bytes.')).toBe('ok');
    expect(network.propose(2, 'x')).toBe('proposal-dropped');
  });
});
