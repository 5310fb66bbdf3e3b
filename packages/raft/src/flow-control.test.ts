import { describe, expect, test } from 'vitest';
import type { Raft } from './raft.ts';
import { sendAppend } from './replication.ts';
import {
  acceptanceOf,
  acknowledge,
  type CoreSetup,
  makeLeader,
  progressOf,
  step,
  takeMessages,
  takeOne,
} from './testing/core.ts';
import { Network } from './testing/network.ts';
import { blob, indexesOf } from './testing/values.ts';
import { type Message, MessageType } from './types.ts';

const TWO = { members: { voters: [1, 2] } };

function propose(core: Raft, size = 8): void {
  const entries = [{ term: 0, index: 0, type: undefined, data: blob(size) }];
  step(core, MessageType.Prop, { from: 1, entries });
}

/** A leader of two; node 2 is replicated to, and has acknowledged the first entry. */
function replicating(options: CoreSetup = {}): Raft {
  const leader = makeLeader({ ...TWO, ...options });
  takeMessages(leader);
  acknowledge(leader, 2, 1);
  takeMessages(leader);
  return leader;
}

/** The same with a window of appends that is full; the last index sent. */
function withFullWindow(window: number): { leader: Raft; last: number } {
  const leader = replicating({ inflightMessagesMax: window });
  for (let at = 0; at < window; at++) {
    propose(leader);
    expect(takeMessages(leader)).toHaveLength(1);
  }
  expect(progressOf(leader, 2).isPaused).toBe(true);
  return { leader, last: leader.log.lastIndex };
}

const sizes = (messages: readonly Message[]): number[] =>
  messages.map(({ entries }) => entries.length);

describe('probing', () => {
  test('one append is sent, however much is proposed', () => {
    const leader = makeLeader(TWO);
    for (let at = 0; at < 3; at++) propose(leader);
    expect(takeMessages(leader)).toHaveLength(1);
  });

  test('the probe is repeated once per heartbeat answered', () => {
    const leader = makeLeader(TWO);
    takeMessages(leader);
    for (let beat = 0; beat < 3; beat++) {
      propose(leader);
      expect(takeMessages(leader)).toEqual([]);
      step(leader, MessageType.Beat, { from: 1 });
      expect(takeOne(leader).type).toBe(MessageType.Heartbeat);
      expect(progressOf(leader, 2).appendsPaused).toBe(true);
      step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
      const probe = takeOne(leader);
      expect([probe.type, probe.index]).toEqual([MessageType.App, 0]);
      expect(progressOf(leader, 2).appendsPaused).toBe(true);
    }
  });

  test('next does not move with what was sent', () => {
    const leader = makeLeader(TWO);
    propose(leader);
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', next: 1 });
  });

  test('a probe that hits opens the pipeline', () => {
    const leader = makeLeader(TWO);
    const probe = takeOne(leader);
    propose(leader);
    leader.step(acceptanceOf(probe));
    expect(progressOf(leader, 2)).toMatchObject({ state: 'replicate', match: 1 });
    expect(takeMessages(leader).map(({ entries }) => indexesOf(entries))).toContainEqual([2]);
  });

  test('an empty append does not pause a probe', () => {
    const leader = makeLeader({ ...TWO, terms: [1], hardState: { term: 1 } });
    takeMessages(leader);
    const progress = progressOf(leader, 2);
    progress.appendsPaused = false;
    progress.next = leader.log.lastIndex + 1;
    expect(sendAppend(leader, 2, { evenIfEmpty: true })).toBe(true);
    expect(progress.isPaused).toBe(false);
    expect(sendAppend(leader, 2, { evenIfEmpty: false })).toBe(false);
  });
});

describe('replicating', () => {
  test('every proposal is sent at once, and next moves ahead', () => {
    const leader = replicating();
    for (let at = 0; at < 10; at++) {
      propose(leader);
      expect(sizes(takeMessages(leader))).toEqual([1]);
    }
    expect(progressOf(leader, 2)).toMatchObject({ match: 1, next: 12 });
    expect(progressOf(leader, 2).inflights.count).toBe(10);
  });

  test.each([1, 2, 7, 256])('a window of %i appends fills, and nothing more is sent', (window) => {
    const { leader } = withFullWindow(window);
    for (let at = 0; at < 5; at++) {
      propose(leader);
      expect(takeMessages(leader)).toEqual([]);
    }
  });

  test('an acknowledgement makes room for what it covers', () => {
    const { leader, last } = withFullWindow(8);
    for (let index = 2; index <= last; index++) {
      acknowledge(leader, 2, index);
      takeMessages(leader);
      propose(leader);
      expect(sizes(takeMessages(leader))).toEqual([1]);
      expect(progressOf(leader, 2).isPaused).toBe(true);
      // Old acknowledgements make no room.
      for (let old = 0; old <= index; old++) {
        acknowledge(leader, 2, old);
        expect(progressOf(leader, 2).isPaused).toBe(true);
        expect(takeMessages(leader)).toEqual([]);
      }
    }
  });

  test('one acknowledgement may cover several appends', () => {
    const { leader, last } = withFullWindow(4);
    for (let at = 0; at < 6; at++) propose(leader);
    acknowledge(leader, 2, last);
    expect(progressOf(leader, 2).inflights.count).toBeGreaterThan(0);
    const sent = takeMessages(leader).flatMap(({ entries }) => indexesOf(entries));
    expect(sent).toEqual([last + 1, last + 2, last + 3, last + 4, last + 5, last + 6]);
  });

  test('with a full window each heartbeat answered lets one empty append out', () => {
    const { leader } = withFullWindow(5);
    for (let beat = 0; beat < 4; beat++) {
      step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
      const message = takeOne(leader);
      expect([message.type, message.entries]).toEqual([MessageType.App, []]);
      expect(progressOf(leader, 2).isPaused).toBe(true);
      for (let at = 0; at < 3; at++) {
        propose(leader);
        expect(takeMessages(leader)).toEqual([]);
      }
    }
  });

  test('if everything in the window is lost, the empty append gets things going again', () => {
    const network = new Network(2, { inflightMessagesMax: 3 });
    network.elect(1);
    network.ignore(MessageType.App);
    for (const text of ['a', 'b', 'c', 'd', 'e']) network.propose(1, text);
    expect(network.at(1).progress(2)).toMatchObject({ state: 'replicate', appendsPaused: true });
    network.heal();
    network.tick(1, 2);
    expect(network.at(2).texts).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('a rejection empties the window and probes', () => {
    const { leader, last } = withFullWindow(3);
    step(leader, MessageType.AppResp, {
      from: 2,
      term: 1,
      index: last - 1,
      reject: true,
      rejectHint: 1,
    });
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', next: 2 });
    expect(progressOf(leader, 2).inflights.count).toBe(0);
    expect(takeOne(leader).entries[0]?.index).toBe(2);
  });

  test('a follower that cannot be reached is probed from what it holds', () => {
    const { leader } = withFullWindow(3);
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2)).toMatchObject({ state: 'probe', match: 1, next: 2 });
    propose(leader);
    expect(takeOne(leader).index).toBe(1);
  });

  test('unreachable means nothing while probing or sending a snapshot', () => {
    const leader = makeLeader(TWO);
    takeMessages(leader);
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2).state).toBe('probe');
    progressOf(leader, 2).becomeSnapshot(1);
    step(leader, MessageType.Unreachable, { from: 2 });
    expect(progressOf(leader, 2).state).toBe('snapshot');
  });
});

describe('the limit on bytes in flight', () => {
  const LIMITS = { inflightMessagesMax: 3, messageBytesMax: 2048, inflightBytesMax: 9000 };

  test('holds back large appends earlier than the count does', () => {
    const leader = makeLeader({ ...TWO, ...LIMITS });
    takeMessages(leader);
    const large = new Set([10, 11, 12, 13, 14, 15]);
    for (let at = 0; at < 22; at++) propose(leader, large.has(at) ? 5000 : 1000);
    // Still probing: the empty entry alone has been sent.
    expect(takeMessages(leader)).toEqual([]);
    const rounds: number[][] = [];
    for (let index = 1; index < leader.log.lastIndex;) {
      acknowledge(leader, 2, index);
      const messages = takeMessages(leader).filter(({ entries }) => entries.length > 0);
      rounds.push(sizes(messages));
      index = messages.at(-1)?.entries.at(-1)?.index ?? index;
    }
    // Two small entries a message, three messages; then one large entry a message, two messages.
    expect(rounds).toEqual([[2, 2, 2], [2, 2, 1], [1, 1], [1, 1], [1, 2, 2], [2]]);
  });

  test('the message that goes over it is still sent', () => {
    const leader = replicating({ messageBytesMax: 100, inflightBytesMax: 100 });
    propose(leader, 99);
    propose(leader, 5000);
    propose(leader, 1);
    expect(takeMessages(leader)).toHaveLength(2);
    expect(progressOf(leader, 2).inflights.bytes).toBe(5099);
    acknowledge(leader, 2, 3);
    const last = takeMessages(leader).filter(({ entries }) => entries.length > 0);
    expect(last.map(({ entries }) => indexesOf(entries))).toEqual([[4]]);
  });

  test('counts payloads, so entries without one never fill it', () => {
    const leader = replicating({ messageBytesMax: 1, inflightBytesMax: 1 });
    for (let at = 0; at < 5; at++) propose(leader, 0);
    expect(takeMessages(leader)).toHaveLength(5);
    expect(progressOf(leader, 2).inflights.bytes).toBe(0);
  });

  test('without a limit only the count holds back', () => {
    const leader = replicating({ inflightMessagesMax: 3, inflightBytesMax: 0 });
    for (let at = 0; at < 5; at++) propose(leader, 1_000_000);
    expect(takeMessages(leader)).toHaveLength(3);
  });
});

describe('sending a snapshot', () => {
  test('nothing is sent until it has arrived', () => {
    const leader = makeLeader(TWO);
    takeMessages(leader);
    progressOf(leader, 2).becomeSnapshot(10);
    for (let at = 0; at < 5; at++) {
      propose(leader);
      expect(sendAppend(leader, 2, { evenIfEmpty: true })).toBe(false);
      expect(takeMessages(leader)).toEqual([]);
    }
  });

  test('heartbeats go on, and their answers send nothing', () => {
    const leader = makeLeader(TWO);
    takeMessages(leader);
    progressOf(leader, 2).becomeSnapshot(10);
    step(leader, MessageType.Beat, { from: 1 });
    expect(takeOne(leader).type).toBe(MessageType.Heartbeat);
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
    expect(takeMessages(leader)).toEqual([]);
  });
});

describe('pausing', () => {
  test('a heartbeat sent does not resume, one answered does', () => {
    const leader = makeLeader(TWO);
    takeMessages(leader);
    progressOf(leader, 2).appendsPaused = true;
    step(leader, MessageType.Beat, { from: 1 });
    expect(progressOf(leader, 2).appendsPaused).toBe(true);
    progressOf(leader, 2).becomeReplicate();
    progressOf(leader, 2).appendsPaused = true;
    takeMessages(leader);
    step(leader, MessageType.HeartbeatResp, { from: 2, term: 1 });
    expect(progressOf(leader, 2).appendsPaused).toBe(false);
  });

  test('one paused follower does not hold up another', () => {
    const network = new Network(3, { inflightMessagesMax: 1 });
    network.elect(1);
    network.cutOneWay(1, 3);
    for (const text of ['a', 'b', 'c', 'd']) network.propose(1, text);
    expect(network.at(2).texts).toEqual(['a', 'b', 'c', 'd']);
    expect(network.at(1).progress(3)).toMatchObject({ appendsPaused: true, inflightCount: 1 });
  });
});
