import { describe, expect, test } from 'vitest';
import { describeConfig } from '../tracker/config.ts';
import { ProgressTracker } from '../tracker/tracker.ts';
import { parseChanges } from '../describe.ts';
import { Changer, type ChangeResult } from './changer.ts';

const LIMITS = { inflightMessagesMax: 10, inflightBytesMax: Number.POSITIVE_INFINITY };

class Group {
  readonly tracker = new ProgressTracker(LIMITS);
  #lastIndex = 0;

  simple(text: string): string {
    return this.#adopt(this.#changer().simple(changes(text)));
  }

  enterJoint(text: string): string {
    return this.#adopt(this.#changer().enterJoint(false, changes(text)));
  }

  leaveJoint(): string {
    return this.#adopt(this.#changer().leaveJoint());
  }

  #changer(): Changer {
    return new Changer(this.tracker, this.#lastIndex++);
  }

  #adopt(result: ChangeResult): string {
    if (!result.ok) return result.reason;
    this.tracker.reconfigure(result.membership.config, result.membership.progress);
    return describeConfig(this.tracker.config);
  }
}

function changes(text: string): Exclude<ReturnType<typeof parseChanges>, string> {
  const parsed = parseChanges(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function groupOfThree(): Group {
  const group = new Group();
  for (const id of [1, 2, 3]) group.simple(`v${id}`);
  return group;
}

test('a voter demoted and made voter again in one change is just a voter', () => {
  const group = groupOfThree();
  expect(group.enterJoint('l3 v3')).toBe('voters=(1 2 3)&&(1 2 3)');
  expect(group.leaveJoint()).toBe('voters=(1 2 3)');
});

test('a member made learner and removed in one change is none', () => {
  const group = groupOfThree();
  group.simple('l5');
  expect(group.enterJoint('l3 r3 r5 l6 r6')).toBe('voters=(1 2)&&(1 2 3)');
  expect([...group.tracker.progress.keys()]).toEqual([1, 2, 3]);
  expect(group.leaveJoint()).toBe('voters=(1 2)');
});

describe('a simple change', () => {
  test('moves one voter and any number of learners', () => {
    const group = groupOfThree();
    expect(group.simple('v4 l5 l6')).toBe('voters=(1 2 3 4) learners=(5 6)');
    expect(group.simple('l4')).toBe('voters=(1 2 3) learners=(4 5 6)');
    expect(group.simple('r1')).toBe('voters=(2 3) learners=(4 5 6)');
  });

  test('is refused where two majorities need not overlap', () => {
    const group = groupOfThree();
    const refusal = 'more than one voter changed without entering joint config';
    expect(group.simple('v4 v5')).toBe(refusal);
    expect(group.simple('r1 v4')).toBe(refusal);
    expect(group.simple('r1 r2 r3')).toBe('removed all voters');
    expect(describeConfig(group.tracker.config)).toBe('voters=(1 2 3)');
  });

  test('keeps the progress of members that stay and drops that of others', () => {
    const group = groupOfThree();
    const [, second, third] = [...group.tracker.progress.values()];
    group.simple('l3');
    expect(group.tracker.progress.get(2)).toBe(second);
    expect(group.tracker.progress.get(3)).toBe(third);
    expect(third!.isLearner).toBe(true);
    group.simple('r3');
    expect(group.tracker.progress.has(3)).toBe(false);
  });

  test('says of new members whether they learn, before anybody asks the tracker', () => {
    const { tracker } = groupOfThree();
    const result = new Changer(tracker, 5).simple(changes('v4 l5'));
    if (!result.ok) throw new Error(result.reason);
    const { progress } = result.membership;
    expect([progress.get(4)?.isLearner, progress.get(5)?.isLearner]).toEqual([false, true]);
    expect(progress.get(5)).toMatchObject({ match: 0, next: 5, recentActive: true });
  });

  test('a cancelled change does nothing', () => {
    expect(groupOfThree().simple('v0 r0 l0')).toBe('voters=(1 2 3)');
  });
});

describe('a joint change', () => {
  test('a demoted voter votes on in the old half and learns afterwards', () => {
    const group = groupOfThree();
    expect(group.enterJoint('v4 l3')).toBe('voters=(1 2 4)&&(1 2 3) learners_next=(3)');
    expect(group.tracker.progress.get(3)!.isLearner).toBe(false);
    expect(group.leaveJoint()).toBe('voters=(1 2 4) learners=(3)');
    expect(group.tracker.progress.get(3)!.isLearner).toBe(true);
  });

  test('a removed voter keeps its progress until the joint state is left', () => {
    const group = groupOfThree();
    group.enterJoint('r3');
    expect(group.tracker.progress.has(3)).toBe(true);
    group.leaveJoint();
    expect([...group.tracker.progress.keys()]).toEqual([1, 2]);
  });

  test('is refused inside another, and outside there is nothing to leave', () => {
    const group = groupOfThree();
    expect(group.leaveJoint()).toBe("can't leave a non-joint config");
    group.enterJoint('');
    expect(group.enterJoint('v4')).toBe('config is already joint');
    expect(group.simple('v4')).toBe("can't apply simple config change in joint config");
    expect(new Group().enterJoint('v1')).toBe("can't make a zero-voter config joint");
  });
});
