import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import type { Entry, Snapshot } from './types.ts';
import { Unstable } from './unstable.ts';

const entry = (index: number, term: number): Entry => ({
  index,
  term,
  type: undefined,
  data: undefined,
});

const entries = (from: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => entry(from + at, term));

const snapshotAt = (index: number, term: number): Snapshot => ({
  data: undefined,
  metadata: {
    index,
    term,
    confState: {
      voters: [1],
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    },
  },
});

function makeUnstable(from: number, ...terms: number[]): Unstable {
  const unstable = new Unstable(from);
  if (terms.length > 0) unstable.truncateAndAppend(entries(from, ...terms));
  return unstable;
}

const termsOf = (list: readonly Entry[]): number[] => list.map(({ term }) => term);

describe('appending', () => {
  test('after the end extends', () => {
    const unstable = makeUnstable(5, 1);
    unstable.truncateAndAppend(entries(6, 1, 2));
    expect(termsOf(unstable.slice(5, 8))).toEqual([1, 1, 2]);
  });

  test('in the middle replaces the rest, and what was being written is written again', () => {
    const unstable = makeUnstable(5, 1, 1, 1);
    unstable.acceptInProgress();
    unstable.truncateAndAppend(entries(6, 2));
    expect(termsOf(unstable.slice(5, 7))).toEqual([1, 2]);
    expect(unstable.nextEntries()).toEqual(entries(6, 2));
  });

  test('at or before the start replaces all', () => {
    const unstable = makeUnstable(5, 1, 1);
    unstable.acceptInProgress();
    unstable.truncateAndAppend(entries(3, 2, 2));
    expect([unstable.offset, unstable.offsetInProgress, unstable.length]).toEqual([3, 3, 2]);
  });

  test('must not leave a gap', () => {
    expect(() => makeUnstable(5, 1).truncateAndAppend(entries(7, 1))).toThrow(InvariantError);
  });
});

describe('a finished write', () => {
  test('releases entries up to it', () => {
    const unstable = makeUnstable(5, 1, 1, 2);
    unstable.acceptInProgress();
    unstable.stableTo({ index: 6, term: 1 });
    expect([unstable.offset, unstable.length]).toEqual([7, 1]);
    expect(unstable.nextEntries()).toEqual([]);
  });

  test('of a replaced entry releases nothing', () => {
    const unstable = makeUnstable(5, 1, 1);
    unstable.acceptInProgress();
    unstable.truncateAndAppend(entries(6, 2));
    unstable.stableTo({ index: 6, term: 1 });
    expect([unstable.offset, unstable.length]).toEqual([5, 2]);
  });

  test('of an entry that is not here (any more) releases nothing', () => {
    const unstable = makeUnstable(5, 1);
    for (const index of [4, 6]) unstable.stableTo({ index, term: 1 });
    expect([unstable.offset, unstable.length]).toEqual([5, 1]);
  });

  test('at the index of the snapshot releases no entry', () => {
    const unstable = makeUnstable(1);
    unstable.restore(snapshotAt(4, 1));
    unstable.truncateAndAppend(entries(5, 1));
    unstable.stableTo({ index: 4, term: 1 });
    expect([unstable.offset, unstable.length]).toEqual([5, 1]);
    expect(unstable.snapshot).toBeDefined();
  });
});

describe('a snapshot', () => {
  test('replaces everything and tells first and last index and a term', () => {
    const unstable = makeUnstable(2, 1, 1);
    unstable.restore(snapshotAt(9, 3));
    expect([unstable.firstIndex, unstable.lastIndex, unstable.length]).toEqual([10, 9, 0]);
    expect([unstable.term(9), unstable.term(8), unstable.term(10)]).toEqual([
      3,
      undefined,
      undefined,
    ]);
  });

  test('is handed out once and forgotten when installed', () => {
    const unstable = makeUnstable(2);
    unstable.restore(snapshotAt(9, 3));
    expect(unstable.nextSnapshot()?.metadata.index).toBe(9);
    unstable.acceptInProgress();
    expect(unstable.nextSnapshot()).toBeUndefined();
    expect(unstable.snapshot).toBeDefined();
    unstable.stableSnapshotTo(8);
    expect([unstable.snapshot?.metadata.index, unstable.snapshotInProgress]).toEqual([9, true]);
    unstable.stableSnapshotTo(9);
    expect([unstable.snapshot, unstable.snapshotInProgress]).toEqual([undefined, false]);
  });
});

describe('first index, last index and terms', () => {
  test.each<[string, number[], boolean, number | undefined, number | undefined]>([
    ['nothing', [], false, undefined, undefined],
    ['entries', [1, 1], false, undefined, 6],
    ['a snapshot', [], true, 5, 4],
    ['a snapshot and entries', [1], true, 5, 5],
  ])('of %s', (_, terms, hasSnapshot, first, last) => {
    const unstable = new Unstable(5);
    if (hasSnapshot) unstable.restore(snapshotAt(4, 1));
    if (terms.length > 0) unstable.truncateAndAppend(entries(5, ...terms));
    expect([unstable.firstIndex, unstable.lastIndex]).toEqual([first, last]);
  });

  test.each<[boolean, number, number | undefined]>([
    [false, 4, undefined],
    [false, 5, 2],
    [false, 6, undefined],
    [true, 3, undefined],
    [true, 4, 1],
    [true, 5, 2],
    [true, 6, undefined],
  ])('with a snapshot at 4: %s, the term of entry %i is %s', (hasSnapshot, index, term) => {
    const unstable = new Unstable(5);
    if (hasSnapshot) unstable.restore(snapshotAt(4, 1));
    unstable.truncateAndAppend(entries(5, 2));
    expect(unstable.term(index)).toBe(term);
  });
});

describe('what is in progress', () => {
  /** Entries from 5 on, the first `count` of them handed out. */
  function inProgress(count: number, ...terms: number[]): Unstable {
    const unstable = new Unstable(5);
    if (count > 0) unstable.truncateAndAppend(entries(5, ...terms.slice(0, count)));
    unstable.acceptInProgress();
    if (count < terms.length) {
      unstable.truncateAndAppend(entries(5 + count, ...terms.slice(count)));
    }
    return unstable;
  }

  test.each<[number, number[], number[]]>([
    [0, [1, 1], [5, 6]],
    [1, [1, 1], [6]],
    [2, [1, 1], []],
    [0, [], []],
  ])('with %i of terms %j handed out, %j are next', (count, terms, next) => {
    const unstable = inProgress(count, ...terms);
    expect(unstable.nextEntries().map(({ index }) => index)).toEqual(next);
    expect(unstable.hasNextEntries).toBe(next.length > 0);
    unstable.acceptInProgress();
    expect(unstable.hasNextEntries).toBe(false);
    expect(unstable.offsetInProgress).toBe(5 + terms.length);
  });

  // Handed out, terms; the write that is done; then offset, offset in progress, entries left.
  test.each<[number, number[], [number, number], [number, number, number]]>([
    [1, [1], [5, 1], [6, 6, 0]],
    [1, [1, 1], [5, 1], [6, 6, 1]],
    [2, [1, 1], [5, 1], [6, 7, 1]],
    [1, [2], [5, 1], [5, 6, 1]],
    [1, [1], [4, 1], [5, 6, 1]],
    [1, [1], [4, 2], [5, 6, 1]],
    [1, [1], [6, 1], [5, 6, 1]],
    [0, [1], [5, 1], [6, 6, 0]],
    [3, [1, 1, 2], [7, 2], [8, 8, 0]],
    [0, [], [5, 1], [5, 5, 0]],
  ])('with %i of terms %j handed out, a write up to %j leaves %j', (count, terms, done, left) => {
    const unstable = inProgress(count, ...terms);
    unstable.stableTo({ index: done[0], term: done[1] });
    expect([unstable.offset, unstable.offsetInProgress, unstable.length]).toEqual(left);
  });

  // Handed out, terms; appended from, terms; then offset, offset in progress, terms.
  test.each<[number, number[], number, number[], number, number, number[]]>([
    [0, [1], 6, [1, 1], 5, 5, [1, 1, 1]],
    [1, [1], 6, [1, 1], 5, 6, [1, 1, 1]],
    [0, [1], 5, [2, 2], 5, 5, [2, 2]],
    [0, [1], 4, [2, 2, 2], 4, 4, [2, 2, 2]],
    [1, [1], 5, [2, 2], 5, 5, [2, 2]],
    [0, [1, 1, 1], 6, [2], 5, 5, [1, 2]],
    [0, [1, 1, 1], 7, [2, 2], 5, 5, [1, 1, 2, 2]],
    [1, [1, 1, 1], 6, [2], 5, 6, [1, 2]],
    [2, [1, 1, 1], 6, [2], 5, 6, [1, 2]],
  ])('with %i of terms %j handed out, an append at %i of %j', (...row) => {
    const [count, terms, from, appended, offset, offsetInProgress, all] = row;
    const unstable = inProgress(count, ...terms);
    unstable.truncateAndAppend(entries(from, ...appended));
    expect([unstable.offset, unstable.offsetInProgress]).toEqual([offset, offsetInProgress]);
    expect(termsOf(unstable.slice(offset, offset + all.length))).toEqual(all);
  });

  test('a snapshot throws away entries, handed out or not, and an older snapshot', () => {
    const unstable = inProgress(1, 1, 1);
    unstable.restore(snapshotAt(4, 1));
    unstable.acceptInProgress();
    unstable.restore(snapshotAt(6, 2));
    expect([unstable.offset, unstable.offsetInProgress, unstable.length]).toEqual([7, 7, 0]);
    expect(unstable.nextSnapshot()?.metadata).toMatchObject({ index: 6, term: 2 });
  });

  test('a slice outside is a mistake', () => {
    const unstable = inProgress(0, 1, 1);
    expect(() => unstable.slice(4, 6)).toThrow(InvariantError);
    expect(() => unstable.slice(5, 8)).toThrow(InvariantError);
    expect(() => unstable.slice(6, 5)).toThrow(InvariantError);
  });

  test('what was handed out does not change when the log does', () => {
    const unstable = inProgress(0, 1, 1);
    const handedOut = unstable.nextEntries();
    unstable.truncateAndAppend(entries(6, 3, 3));
    expect(termsOf(handedOut)).toEqual([1, 1]);
  });
});
