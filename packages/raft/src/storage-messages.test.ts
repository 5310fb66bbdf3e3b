import { describe, expect, test } from 'vitest';
import { MemoryStorage } from './memory-storage.ts';
import { holdsSnapshot } from './message.ts';
import type { Raft } from './raft.ts';
import {
  appendResponse,
  applyResponse,
  storageAppend,
  storageApply,
  type StorageWork,
} from './storage-messages.ts';
import { keepPromises, makeCore, makeLeader, step } from './testing/core.ts';
import { entriesFrom, snapshotAt } from './testing/values.ts';
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, MessageType } from './types.ts';

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

describe('an event means what its type says, whatever else it carries', () => {
  const leaderWith = (): Raft => {
    const core = makeLeader({ members: { voters: [1] } });
    keepPromises(core);
    return core;
  };

  test('a note of the disk applies nothing', () => {
    const storage = new MemoryStorage();
    const core = makeLeader({ members: { voters: [1] }, storage });
    keepPromises(core);
    storage.append(core.log.unstable.nextEntries());
    expect([core.log.committed, core.log.applied]).toEqual([1, 0]);
    const from = LOCAL_APPEND_THREAD;
    step(core, MessageType.StorageAppendResp, {
      from,
      index: 1,
      logTerm: 1,
      entries: entriesFrom(1, 1),
    });
    expect([core.log.applied, core.log.unstable.offset]).toEqual([0, 2]);
  });

  test('a wish to campaign notes nothing as written', () => {
    const core = leaderWith();
    step(core, MessageType.Hup, { index: 1, logTerm: 1 });
    expect([core.log.unstable.offset, core.log.unstable.length]).toEqual([1, 1]);
  });

  test('a note of the application casts no vote', () => {
    const core = leaderWith();
    const from = LOCAL_APPLY_THREAD;
    step(core, MessageType.StorageApplyResp, { from, entries: entriesFrom(1, 1) });
    expect(core.log.applied).toBe(1);
    expect([core.messages, core.messagesAfterAppend]).toEqual([[], []]);
  });
});

test.each([
  [0, []],
  [1, [expect.stringContaining('ignored entry appends')]],
])(
  'a note of the disk from an earlier term, about entries up to %i, is told: %j',
  (index, told) => {
    const lines: string[] = [];
    const logger = { log: (_level: string, text: string) => void lines.push(text) };
    const core = makeCore({ hardState: { term: 3 }, logger });
    lines.length = 0;
    step(core, MessageType.StorageAppendResp, { from: LOCAL_APPEND_THREAD, term: 2, index });
    expect(lines).toEqual(told);
  },
);

test.each([0, 1, 2])('an order to apply %i entries', (count) => {
  const committedEntries = entriesFrom(1, ...Array.from({ length: count }, () => 1));
  const core = makeCore();
  expect(storageApply(core, { ...NO_WORK, committedEntries })).toHaveLength(count > 0 ? 1 : 0);
  expect(applyResponse(core, committedEntries)).toHaveLength(count > 0 ? 1 : 0);
});
