import { describe, expect, test } from 'vitest';
import { membersOf } from '../testing/values.ts';
import type { ConfState } from '../types.ts';
import { isSameConfState } from './config.ts';
import { ProgressTracker } from './tracker.ts';

const FULL: Partial<ConfState> = {
  voters: [1, 2, 3],
  learners: [5, 4, 6],
  votersOutgoing: [9, 8, 7],
  learnersNext: [10, 20, 15],
};

describe('two memberships are the same', () => {
  test.each<[string, Partial<ConfState>, Partial<ConfState>, boolean]>([
    ['both empty', {}, {}, true],
    ['in any order', FULL, { ...FULL, learners: [4, 5, 6], votersOutgoing: [7, 9, 8] }, true],
    ['voters', { voters: [1, 2] }, { voters: [2, 1] }, true],
    ['fewer voters', { voters: [1, 2, 3] }, { voters: [2, 1] }, false],
    ['other voters', { voters: [1, 2, 3] }, { voters: [1, 2, 4] }, false],
    ['other roles', { voters: [1], learners: [2] }, { voters: [2], learners: [1] }, false],
    ['other outgoing voters', { voters: [1], votersOutgoing: [1] }, { voters: [1] }, false],
    ['others to be demoted', { ...FULL, learnersNext: [10] }, FULL, false],
    ['another way to leave', { ...FULL, autoLeave: true }, FULL, false],
    ['a voter twice', { voters: [1, 1, 2] }, { voters: [1, 2, 2] }, false],
  ])('%s', (_, one, other, isSame) => {
    expect(isSameConfState(membersOf(one), membersOf(other))).toBe(isSame);
    expect(isSameConfState(membersOf(other), membersOf(one))).toBe(isSame);
  });
});

test('a tracker without members is empty and has no quorum to lose', () => {
  const tracker = new ProgressTracker({ inflightMessagesMax: 1, inflightBytesMax: 1 });
  expect(tracker.confState).toEqual(membersOf({}));
  expect([tracker.isSingleton, tracker.progress.size]).toEqual([false, 0]);
  expect(tracker.tallyVotes()).toEqual({ granted: 0, rejected: 0, result: 'won' });
});
