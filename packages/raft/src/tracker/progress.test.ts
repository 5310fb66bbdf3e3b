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

  test('is untold, however low, to a follower that was sent nothing yet', () => {
    expect(makeProgress(0, 5).canBumpCommit(1)).toBe(true);
    expect(makeProgress(0, 5).canBumpCommit(0)).toBe(false);
  });

  test('counts as untold where the append that told it may be lost', () => {
    const progress = replicating(5);
    progress.sentEntries(4, 4);
    progress.sentCommit(9);
    progress.becomeProbe();
    progress.maybeUpdate(9);
    expect(progress.canBumpCommit(9)).toBe(true);
  });

  test('counts as untold from the first entry on that is sent again', () => {
    const progress = replicating(5);
    progress.sentEntries(4, 4);
    progress.sentCommit(9);
    progress.becomeProbe();
    expect(progress.next).toBe(6);
    progress.maybeUpdate(6);
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

describe('tables', () => {
  test.each<[number, number, number, boolean]>([
    [2, 3, 5, false],
    [3, 3, 5, false],
    [4, 4, 5, true],
    [5, 5, 6, true],
    [9, 9, 10, true],
  ])('from match 3, next 5, an acknowledgement of %i leads to %i, %i: %s', (...row) => {
    const [index, match, next, isNews] = row;
    const progress = makeProgress(3, 5);
    expect(progress.maybeUpdate(index)).toBe(isNews);
    expect([progress.match, progress.next]).toEqual([match, next]);
  });

  test.each<['probe' | 'replicate', number, number, number, number, boolean, number]>([
    // State, match, next; rejected, hint; taken, next afterwards.
    ['replicate', 5, 10, 5, 5, false, 10],
    ['replicate', 5, 10, 4, 4, false, 10],
    ['replicate', 5, 10, 9, 9, true, 6],
    ['replicate', 5, 10, 9, 0, true, 6],
    ['probe', 0, 10, 5, 5, false, 10],
    ['probe', 0, 10, 9, 9, true, 9],
    ['probe', 0, 10, 9, 2, true, 3],
    ['probe', 0, 10, 9, 0, true, 1],
    ['probe', 0, 2, 1, 1, true, 1],
    ['probe', 0, 1, 0, 0, true, 1],
    ['probe', 4, 10, 9, 2, true, 5],
  ])('%s, match %i, next %i: a rejection of %i with hint %i', (...row) => {
    const [state, match, next, rejected, hint, isTaken, after] = row;
    const progress = makeProgress(match, next);
    if (state === 'replicate') {
      progress.becomeReplicate();
      progress.next = next;
    }
    expect(progress.maybeDecreaseTo(rejected, hint)).toBe(isTaken);
    expect([progress.match, progress.next]).toEqual([match, after]);
  });

  test.each<['probe' | 'replicate' | 'snapshot', boolean, boolean]>([
    ['probe', false, false],
    ['probe', true, true],
    ['replicate', false, false],
    ['replicate', true, true],
    ['snapshot', false, true],
    ['snapshot', true, true],
  ])('%s with the flag %s is paused: %s', (state, appendsPaused, isPaused) => {
    const progress = makeProgress(1, 2);
    if (state === 'replicate') progress.becomeReplicate();
    if (state === 'snapshot') progress.becomeSnapshot(9);
    progress.appendsPaused = appendsPaused;
    expect(progress.isPaused).toBe(isPaused);
  });

  test('an acknowledgement and a rejection both resume', () => {
    const progress = makeProgress(0, 2);
    progress.appendsPaused = true;
    progress.maybeDecreaseTo(1, 1);
    expect(progress.appendsPaused).toBe(false);
    progress.appendsPaused = true;
    progress.maybeUpdate(2);
    expect(progress.appendsPaused).toBe(false);
  });

  test('every change of state clears pauses, the window and the pending snapshot', () => {
    const progress = makeProgress(1, 2);
    progress.becomeSnapshot(9);
    progress.becomeReplicate();
    progress.sentEntries(2, 20);
    progress.sentEntries(2, 20);
    expect([progress.isPaused, progress.inflights.bytes]).toEqual([true, 40]);
    progress.becomeProbe();
    expect([progress.isPaused, progress.inflights.bytes, progress.pendingSnapshot]).toEqual([
      false,
      0,
      0,
    ]);
  });
});
