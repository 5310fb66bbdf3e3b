import { describe, expect, test } from 'vitest';
import { describeAcked } from './describe.ts';
import { JointConfig } from './joint.ts';
import { MajorityConfig } from './majority.ts';

const votesOf = (text: string): Map<number, boolean> =>
  new Map(
    [...text].flatMap((vote, at): [number, boolean][] =>
      vote === '_' ? [] : [[at + 1, vote === 'y']],
    ),
  );

describe('a majority', () => {
  test.each([
    [[7], 7],
    [[7, 3], 3],
    [[7, 3, 5], 5],
    [[7, 3, 5, 9], 5],
    [[1, 1, 9, 9, 9], 9],
    [[9, 9, 0, 0, 0], 0],
  ])('of indexes %j has committed %i', (indexes, expected) => {
    const config = new MajorityConfig(indexes.map((_, at) => at + 1));
    expect(config.committedIndex((id) => indexes[id - 1])).toBe(expected);
  });

  test.each([
    ['', 'won'],
    ['y', 'won'],
    ['n', 'lost'],
    ['y_', 'pending'],
    ['yn', 'lost'],
    ['yy_', 'won'],
    ['yn_', 'pending'],
    ['nn_', 'lost'],
    ['yynn', 'lost'],
    ['yyn_', 'pending'],
  ])('of votes %s is %s', (text, expected) => {
    const config = new MajorityConfig([...text].map((_, at) => at + 1));
    expect(config.voteResult(votesOf(text))).toBe(expected);
  });

  test('without voters has committed everything', () => {
    expect(new MajorityConfig().committedIndex(() => 5)).toBe(Number.POSITIVE_INFINITY);
  });

  test('a vote of somebody else does not count', () => {
    expect(
      new MajorityConfig([1, 2, 3]).voteResult(
        new Map([
          [4, true],
          [1, true],
        ]),
      ),
    ).toBe('pending');
  });

  test('with and without make other sets', () => {
    const config = new MajorityConfig([3, 1]);
    expect(config.with(2).ids).toEqual([1, 2, 3]);
    expect(config.without(1).ids).toEqual([3]);
    expect(config.with(3)).toBe(config);
    expect(config.without(9)).toBe(config);
    expect(config.ids).toEqual([1, 3]);
    expect(config.differenceCount(new MajorityConfig([3, 4, 5]))).toBe(3);
  });
});

describe('a joint configuration', () => {
  const joint = new JointConfig(new MajorityConfig([1, 2, 3]), new MajorityConfig([3, 4, 5]));

  test('has committed what both halves have', () => {
    const indexes = new Map([
      [1, 10],
      [2, 10],
      [3, 4],
      [4, 7],
      [5, 2],
    ]);
    expect(joint.committedIndex((id) => indexes.get(id))).toBe(4);
    expect(
      new JointConfig(joint.outgoing, joint.incoming).committedIndex((id) => indexes.get(id)),
    ).toBe(4);
  });

  test('is lost once one half is, and won only by both', () => {
    expect(joint.voteResult(votesOf('yy___'))).toBe('pending');
    expect(joint.voteResult(votesOf('yy_nn'))).toBe('lost');
    expect(joint.voteResult(votesOf('yy_yy'))).toBe('won');
  });

  test('names its members once', () => {
    expect(joint.ids).toEqual([1, 2, 3, 4, 5]);
    expect(`${joint}`).toBe('(1 2 3)&&(3 4 5)');
    expect(`${new JointConfig(new MajorityConfig([10]))}`).toBe('(a)');
  });
});

test('the picture of acknowledgements shows who is behind whom', () => {
  const indexes = new Map([
    [1, 100],
    [2, 101],
    [3, 100],
  ]);
  expect(describeAcked(new MajorityConfig([1, 2, 3, 4]), (id) => indexes.get(id))).toBe(
    [
      '        idx',
      'x>      100    (id=1)',
      'xxx>    101    (id=2)',
      'x>      100    (id=3)',
      '?         0    (id=4)',
      '',
    ].join('\n'),
  );
});
