import { InvariantError, invariants } from '@themisdb/base';
import { afterEach, describe, expect, test } from 'vitest';
import { checkStep } from './invariants.ts';
import type { Raft } from './raft.ts';
import { makeCore, makeLeader, progressOf, step } from './testing/core.ts';
import { MessageType } from './types.ts';

afterEach(() => {
  invariants.enabled = true;
});

const follower = (): Raft =>
  makeCore({ terms: [1, 1, 2], hardState: { term: 3, vote: 2, commit: 2 } });

describe('after a step', () => {
  test.each<[string, (core: Raft) => void]>([
    ['a term that went back', (core) => (core.term = 2)],
    ['a vote that changed within its term', (core) => (core.vote = 3)],
    ['a vote that was taken back within its term', (core) => (core.vote = 0)],
    ['a commit index that went back', (core) => (core.log.committed = 1)],
    ['more committed than there is', (core) => (core.log.committed = 4)],
    ['more handed out than is committed', (core) => (core.log.applying = 3)],
    ['more applied than was handed out', (core) => (core.log.applied = 1)],
    ['writing that began before the log in memory', (core) => (core.log.unstable.offset = 5)],
    ['more being written than there is', (core) => (core.log.unstable.offsetInProgress = 5)],
    ['a follower that takes itself for the leader', (core) => (core.lead = 1)],
    ['a follower that hands over', (core) => (core.leadTransferee = 2)],
    ['a member that holds what it was not sent', (core) => (progressOf(core, 2).match = 4)],
  ])('%s is noticed', (_, spoil) => {
    const core = follower();
    const before = core.hardState;
    checkStep(core, before);
    spoil(core);
    expect(() => checkStep(core, before)).toThrow(InvariantError);
  });

  test.each<[string, (core: Raft) => void]>([
    ['a leader that does not know it', (core) => (core.lead = 2)],
    [
      'a member ahead of its leader',
      (core) => Object.assign(progressOf(core, 2), { match: 2, next: 3 }),
    ],
  ])('%s is noticed', (_, spoil) => {
    const core = makeLeader();
    checkStep(core, core.hardState);
    spoil(core);
    expect(() => checkStep(core, core.hardState)).toThrow(InvariantError);
  });

  test('another vote in a later term, and the first vote of a term, are fine', () => {
    const core = follower();
    const before = core.hardState;
    Object.assign(core, { term: 4, vote: 3 });
    checkStep(core, before);
    core.vote = 2;
    checkStep(core, { ...before, term: 4, vote: 0 });
  });

  test.each([true, false])('they are looked for if they are to be: %s', (isEnabled) => {
    const core = follower();
    core.lead = 1;
    invariants.enabled = isEnabled;
    const act = (): void => step(core, MessageType.Unreachable, { from: 2 });
    if (isEnabled) expect(act).toThrow(InvariantError);
    else expect(act).not.toThrow();
  });
});
