import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { isSameConfState } from '../tracker/config.ts';
import { ProgressTracker } from '../tracker/tracker.ts';
import { type ConfChangeSingle, ConfChangeType, type ConfState } from '../types.ts';
import { Changer } from './changer.ts';
import { restoreMembership } from './restore.ts';

const SEED = 11;
const LIMITS = { inflightMessagesMax: 10, inflightBytesMax: Number.POSITIVE_INFINITY };

function someChanges(prng: Prng): ConfChangeSingle[] {
  const types = Object.values(ConfChangeType);
  return Array.from({ length: prng.below(5) }, () => ({
    type: prng.pick(types),
    nodeId: prng.between(0, 7),
  }));
}

/** Any change at all, in whatever state: most are taken, some refused. */
function stepSomehow(prng: Prng, tracker: ProgressTracker, lastIndex: number): void {
  const changer = new Changer(tracker, lastIndex);
  const changes = someChanges(prng);
  const how = prng.below(3);
  const result =
    how === 0
      ? changer.simple(changes)
      : how === 1
        ? changer.enterJoint(prng.chance(0.5), changes)
        : changer.leaveJoint();
  if (result.ok) tracker.reconfigure(result.membership.config, result.membership.progress);
}

/** The same members in the same roles, and a progress for each. */
function isEqual(a: ProgressTracker, b: ProgressTracker): boolean {
  const ids = [...a.progress.keys()].join();
  return isSameConfState(a.confState, b.confState) && ids === [...b.progress.keys()].join();
}

test(`every membership that changes lead to can be stored and restored, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  const failures: ConfState[] = [];
  let joint = 0;
  for (let round = 0; round < 300; round++) {
    const tracker = new ProgressTracker(LIMITS);
    for (let step = 0; step < 20; step++) {
      stepSomehow(prng, tracker, step);
      const restored = new ProgressTracker(LIMITS);
      const refusal = restoreMembership(restored, tracker.confState, 5);
      if (refusal !== undefined || !isEqual(restored, tracker)) failures.push(tracker.confState);
      if (tracker.config.learnersNext.length > 0) joint++;
    }
  }
  expect(failures).toEqual([]);
  expect(joint).toBeGreaterThan(50);
});

test('a stored membership that is none is refused with the reason', () => {
  const tracker = new ProgressTracker(LIMITS);
  const none = {
    voters: [],
    learners: [1],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  expect(restoreMembership(tracker, none, 0)).toBe('removed all voters');
});
