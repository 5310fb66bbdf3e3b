import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { describeConfig } from '../tracker/config.ts';
import { describeProgresses } from '../tracker/progress.ts';
import { ProgressTracker } from '../tracker/tracker.ts';
import { type ConfChangeSingle, ConfChangeType } from '../types.ts';
import { Changer, type ChangeResult } from './changer.ts';

const SEED = 3;
const LIMITS = { inflightMessagesMax: 10, inflightBytesMax: Number.POSITIVE_INFINITY };
const LAST_INDEX = 10;

function adopt(tracker: ProgressTracker, result: ChangeResult): void {
  if (!result.ok) throw new Error(result.reason);
  tracker.reconfigure(result.membership.config, result.membership.progress);
}

/** Any steps that leave node 1 a voter, so that the last voter is never removed. */
function someSteps(prng: Prng, count: number): ConfChangeSingle[] {
  return Array.from({ length: count }, () => ({
    type: prng.pick(Object.values(ConfChangeType)),
    nodeId: prng.between(2, 8),
  }));
}

function withVoter1(): ProgressTracker {
  const tracker = new ProgressTracker(LIMITS);
  const first = [{ type: ConfChangeType.AddNode, nodeId: 1 }];
  adopt(tracker, new Changer(tracker, LAST_INDEX).simple(first));
  return tracker;
}

function oneByOne(tracker: ProgressTracker, steps: readonly ConfChangeSingle[]): void {
  for (const step of steps) adopt(tracker, new Changer(tracker, LAST_INDEX).simple([step]));
}

function describe({ config, progress }: ProgressTracker): string {
  const views = [...progress].map(([id, each]) => [id, each.snapshot()] as const);
  return `${describeConfig(config)}\n${describeProgresses(new Map(views))}`;
}

test(`steps taken one by one or in one joint change lead to the same members, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  const seen = new Set<string>();
  for (let round = 0; round < 500; round++) {
    const before = someSteps(prng, prng.below(6));
    const steps = someSteps(prng, prng.between(1, 6));
    const [simple, joint] = [withVoter1(), withVoter1()];
    oneByOne(simple, [...before, ...steps]);
    oneByOne(joint, before);
    adopt(joint, new Changer(joint, LAST_INDEX).enterJoint(prng.chance(0.5), steps));
    adopt(joint, new Changer(joint, LAST_INDEX).leaveJoint());
    if (describe(joint) !== describe(simple)) expect(describe(joint)).toBe(describe(simple));
    seen.add(describeConfig(simple.config));
  }
  expect(seen.size).toBeGreaterThan(100);
});
