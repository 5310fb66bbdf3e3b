import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { Inflights } from './inflights.ts';
import { Progress } from './progress.ts';

function makeProgress(match: number, next: number): Progress {
  const inflights = new Inflights(2, Number.POSITIVE_INFINITY);
  return new Progress({ match, next, isLearner: false, recentActive: true, inflights });
}

function replicating(match: number): Progress {
  const progress = makeProgress(match, match + 1);
  progress.becomeReplicate();
  return progress;
}

describe('probing', () => {
  test('one append with entries pauses it, an answer or a heartbeat resumes', () => {
    const progress = makeProgress(0, 5);
    progress.sentEntries(0, 0);
    expect(progress.isPaused).toBe(false);
    progress.sentEntries(3, 30);
    expect([progress.isPaused, progress.next]).toEqual([true, 5]);
    expect(progress.maybeUpdate(4)).toBe(true);
    expect([progress.isPaused, progress.match, progress.next]).toEqual([false, 4, 5]);
  });

  test('a rejection steps back to the hint, not below what is known', () => {
    const progress = makeProgress(2, 10);
    expect(progress.maybeDecreaseTo(9, 6)).toBe(true);
    expect(progress.next).toBe(7);
    expect(progress.maybeDecreaseTo(6, 0)).toBe(true);
    expect(progress.next).toBe(3);
  });

  test('a late rejection changes nothing', () => {
    const progress = makeProgress(2, 10);
    progress.sentEntries(1, 1);
    expect(progress.maybeDecreaseTo(5, 1)).toBe(false);
    expect([progress.next, progress.isPaused]).toEqual([10, true]);
  });
});

describe('replicating', () => {
  test('entries are pipelined until the window is full', () => {
    const progress = replicating(4);
    progress.sentEntries(2, 20);
    expect([progress.next, progress.isPaused]).toEqual([7, false]);
    progress.sentEntries(1, 10);
    expect([progress.next, progress.isPaused]).toEqual([8, true]);
  });

  test('a rejection at or below match is late', () => {
    const progress = replicating(4);
    progress.sentEntries(2, 20);
    expect(progress.maybeDecreaseTo(4, 2)).toBe(false);
    expect(progress.maybeDecreaseTo(5, 2)).toBe(true);
    expect(progress.next).toBe(5);
  });

  test('going back to probing forgets what is in flight', () => {
    const progress = replicating(4);
    progress.sentEntries(2, 20);
    progress.becomeProbe();
    expect([progress.next, progress.inflights.count]).toEqual([5, 0]);
  });

  test('an old acknowledgement is recognised', () => {
    const progress = replicating(4);
    expect(progress.maybeUpdate(4)).toBe(false);
    expect(progress.maybeUpdate(3)).toBe(false);
    expect(progress.match).toBe(4);
  });
});

describe('waiting for a snapshot', () => {
  test('nothing is sent, and entries must not be', () => {
    const progress = makeProgress(1, 2);
    progress.becomeSnapshot(20);
    expect([progress.isPaused, progress.next]).toEqual([true, 21]);
    expect(() => progress.sentEntries(1, 1)).toThrow(InvariantError);
  });

  test('delivered, it is the next place to probe', () => {
    const progress = makeProgress(1, 2);
    progress.becomeSnapshot(20);
    progress.becomeProbe();
    expect([progress.next, progress.pendingSnapshot, progress.isPaused]).toEqual([21, 0, false]);
  });

  test('failed, probing starts where the follower is known to be', () => {
    const progress = makeProgress(1, 2);
    progress.becomeSnapshot(20);
    progress.pendingSnapshot = 0;
    progress.becomeProbe();
    expect(progress.next).toBe(2);
  });
});

describe('the commit index told to a follower', () => {
  test('is told again only if it could move the follower', () => {
    const progress = replicating(9);
    progress.sentCommit(5);
    expect(progress.canBumpCommit(5)).toBe(false);
    expect(progress.canBumpCommit(6)).toBe(true);
    progress.sentCommit(9);
    expect(progress.canBumpCommit(20)).toBe(false);
    progress.sentEntries(2, 2);
    expect(progress.canBumpCommit(20)).toBe(true);
  });

  test('counts as untold where the append that told it may be lost', () => {
    const progress = replicating(5);
    progress.sentEntries(4, 4);
    progress.sentCommit(9);
    progress.becomeProbe();
    progress.maybeUpdate(9);
    expect(progress.canBumpCommit(9)).toBe(true);
  });
});

test('a progress as text', () => {
  const progress = makeProgress(1, 2);
  expect(`${progress}`).toBe('StateProbe match=1 next=2');
  progress.becomeReplicate();
  progress.sentEntries(1, 1);
  expect(`${progress}`).toBe('StateReplicate match=1 next=3 inflight=1');
  progress.sentEntries(1, 1);
  expect(`${progress}`).toBe('StateReplicate match=1 next=4 paused inflight=2[full]');
  progress.becomeSnapshot(8);
  progress.isLearner = true;
  progress.recentActive = false;
  expect(`${progress}`).toBe('StateSnapshot match=1 next=9 learner paused pendingSnap=8 inactive');
});
