import { describe, expect, test } from 'vitest';
import { holdsSnapshot } from './message.ts';
import {
  appendResponse,
  applyResponse,
  storageAppend,
  storageApply,
  type StorageWork,
} from './storage-messages.ts';
import { makeCore } from './testing/core.ts';
import { entriesFrom, snapshotAt } from './testing/values.ts';

const NO_WORK: StorageWork = {
  entries: [],
  hardState: undefined,
  snapshot: undefined,
  committedEntries: [],
};

const AT_0 = snapshotAt(0, 0, { voters: [1, 2, 3] });
const AT_1 = snapshotAt(1, 1, { voters: [1, 2, 3] });

test('a snapshot with index 0 is none', () => {
  expect([undefined, AT_0, AT_1].map(holdsSnapshot)).toEqual([false, false, true]);
});

describe('an order to write', () => {
  test.each<[string, Partial<StorageWork>, number]>([
    ['nothing', {}, 0],
    ['one entry', { entries: entriesFrom(1, 1) }, 1],
    ['a hard state', { hardState: { term: 1, vote: 0, commit: 0 } }, 1],
    ['a snapshot', { snapshot: AT_1 }, 1],
    ['a snapshot that is none', { snapshot: AT_0 }, 0],
    ['entries to apply', { committedEntries: entriesFrom(1, 1) }, 0],
  ])('for %s', (_, work, count) => {
    expect(storageAppend(makeCore(), { ...NO_WORK, ...work })).toHaveLength(count);
  });

  test('notes a snapshot even where the log has no entry in memory', () => {
    const core = makeCore();
    expect(appendResponse(core, NO_WORK)).toEqual([]);
    expect(appendResponse(core, { ...NO_WORK, snapshot: AT_0 })).toEqual([]);
    const [note] = appendResponse(core, { ...NO_WORK, snapshot: AT_1 });
    expect(note).toMatchObject({ index: 0, logTerm: 0, snapshot: AT_1 });
  });
});

test.each([0, 1, 2])('an order to apply %i entries', (count) => {
  const committedEntries = entriesFrom(1, ...Array.from({ length: count }, () => 1));
  const core = makeCore();
  expect(storageApply(core, { ...NO_WORK, committedEntries })).toHaveLength(count > 0 ? 1 : 0);
  expect(applyResponse(core, committedEntries)).toHaveLength(count > 0 ? 1 : 0);
});
