import { describe, expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { JointConfig } from './quorum/joint.ts';
import { MajorityConfig } from './quorum/majority.ts';
import { ReadOnly } from './read-only.ts';
import { MessageType } from './types.ts';

const FIVE = new JointConfig(new MajorityConfig([1, 2, 3, 4, 5]));

const request = (context: number) =>
  makeMessage(MessageType.ReadIndex, {
    entries: [{ term: 0, index: 0, type: undefined, data: Uint8Array.of(context) }],
  });

describe('reads waiting for a quorum', () => {
  test('are confirmed by a quorum that answered their round or a later one', () => {
    const reads = new ReadOnly();
    const first = reads.add(1, 10, request(7));
    const second = reads.add(1, 12, request(8));
    expect(reads.answered(2, first, FIVE)).toEqual([]);
    expect(reads.answered(3, second, FIVE)).toEqual([{ request: request(7), index: 10 }]);
    expect(reads.answered(2, second, FIVE)).toEqual([{ request: request(8), index: 12 }]);
    expect(reads.context).toBeUndefined();
  });

  test('one context twice is two reads', () => {
    const reads = new ReadOnly();
    reads.add(1, 10, request(7));
    const again = reads.add(1, 11, request(7));
    reads.answered(2, again, FIVE);
    expect(reads.answered(3, again, FIVE).map(({ index }) => index)).toEqual([10, 11]);
  });

  test('an answer out of order takes nothing back', () => {
    const reads = new ReadOnly();
    const first = reads.add(1, 10, request(1));
    const second = reads.add(1, 10, request(2));
    reads.answered(2, second, FIVE);
    reads.answered(2, first, FIVE);
    expect(reads.answered(3, second, FIVE)).toHaveLength(2);
  });

  test('hundreds of rounds are confirmed by one answer to the last', () => {
    const reads = new ReadOnly();
    let last = new Uint8Array(0);
    for (let i = 0; i < 700; i++) last = Uint8Array.from(reads.add(1, i, request(i % 256)));
    reads.answered(2, last, FIVE);
    expect(reads.answered(3, last, FIVE).map(({ index }) => index)).toEqual(
      Array.from({ length: 700 }, (_, i) => i),
    );
  });

  test('of seven hundred rounds each is confirmed under its own number', () => {
    const reads = new ReadOnly();
    const rounds = Array.from({ length: 700 }, (_, i) => reads.add(1, i, request(i % 256)));
    for (const [at, round] of rounds.entries()) {
      expect(reads.context).toEqual(rounds.at(-1));
      expect(reads.answered(2, round, FIVE)).toEqual([]);
      expect(reads.answered(3, round, FIVE).map(({ index }) => index)).toEqual([at]);
    }
  });

  test('an answer repeated counts once', () => {
    const reads = new ReadOnly();
    const round = reads.add(1, 10, request(1));
    for (let i = 0; i < 5; i++) expect(reads.answered(2, round, FIVE)).toEqual([]);
  });

  test.each([
    ['of a round never started', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)],
    ['of round 0, before the first', new Uint8Array(8)],
    ['too short', Uint8Array.of(1)],
    ['beyond 2^53', new Uint8Array(8).fill(255)],
  ])('a context %s confirms nothing', (_, context) => {
    const reads = new ReadOnly();
    reads.add(1, 10, request(1));
    for (const id of [2, 3, 4, 5]) expect(reads.answered(id, context, FIVE)).toEqual([]);
  });

  test('a leader that is no voter does not count itself', () => {
    const reads = new ReadOnly();
    const voters = new JointConfig(new MajorityConfig([2, 3]));
    const round = reads.add(1, 10, request(1));
    expect(reads.answered(2, round, voters)).toEqual([]);
    expect(reads.answered(3, round, voters)).toHaveLength(1);
  });

  test('what was confirmed stays so, and its round is not used again, where voters change', () => {
    const reads = new ReadOnly();
    const three = new JointConfig(new MajorityConfig([1, 2, 3]));
    const others = new JointConfig(new MajorityConfig([3, 4, 5]));
    const first = reads.add(1, 10, request(1));
    expect(reads.answered(2, first, three)).toHaveLength(1);
    expect(reads.answered(3, first, others)).toEqual([]);
    const second = reads.add(1, 20, request(2));
    expect(second).not.toEqual(first);
    expect(reads.answered(4, first, others)).toEqual([]);
    expect(reads.answered(3, second, others)).toEqual([]);
    expect(reads.answered(4, second, others).map(({ index }) => index)).toEqual([20]);
  });

  test('after a change of term rounds start anew', () => {
    const reads = new ReadOnly();
    const old = reads.add(1, 10, request(1));
    reads.clear();
    expect(reads.answered(2, old, FIVE)).toEqual([]);
    expect(reads.add(1, 20, request(2))).toEqual(old);
  });
});
