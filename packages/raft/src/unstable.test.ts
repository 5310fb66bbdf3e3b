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
    expect(unstable.snapshot).toBeDefined();
    unstable.stableSnapshotTo(9);
    expect(unstable.snapshot).toBeUndefined();
  });
});
