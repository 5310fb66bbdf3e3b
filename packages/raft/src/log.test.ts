import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { RaftLog } from './log.ts';
import { MemoryStorage } from './memory-storage.ts';
import { type Entry, NO_LIMIT } from './types.ts';

const entries = (from: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => ({
    index: from + at,
    term,
    type: undefined,
    data: Uint8Array.of(1, 2, 3),
  }));

/** Entries from index 1; the first `stable` of them are in storage. */
function makeLog(terms: number[], stable: number, applyingBytesMax: number = NO_LIMIT): RaftLog {
  const storage = new MemoryStorage();
  storage.append(entries(1, ...terms.slice(0, stable)));
  const log = new RaftLog(storage, applyingBytesMax);
  log.append(entries(stable + 1, ...terms.slice(stable)));
  return log;
}

const indexesOf = (list: readonly Entry[] | string): number[] | string =>
  typeof list === 'string' ? list : list.map(({ index }) => index);

// Each entry of these tests takes 9 bytes encoded.
const ENTRY_BYTES = 9;

describe('reading', () => {
  const log = makeLog([1, 1, 2, 2, 3], 3);

  test('stable and unstable entries are one log', () => {
    expect([log.firstIndex, log.lastIndex, log.lastEntryId.term]).toEqual([1, 5, 3]);
    expect(indexesOf(log.slice(1, 6, NO_LIMIT))).toEqual([1, 2, 3, 4, 5]);
    expect([0, 2, 3, 4, 5, 6].map((index) => log.term(index))).toEqual([
      0,
      1,
      2,
      2,
      3,
      'unavailable',
    ]);
    expect(indexesOf(log.entriesFrom(6, NO_LIMIT))).toEqual([]);
  });

  test.each([
    [0, [1]],
    [ENTRY_BYTES * 2, [1, 2]],
    [ENTRY_BYTES * 3, [1, 2, 3]],
    [ENTRY_BYTES * 4 - 1, [1, 2, 3]],
    [ENTRY_BYTES * 4, [1, 2, 3, 4]],
  ])('a limit of %i bytes cuts across both parts', (bytes, expected) => {
    expect(indexesOf(log.slice(1, 6, bytes))).toEqual(expected);
  });

  test('what is compacted is said to be', () => {
    const storage = new MemoryStorage();
    storage.append(entries(1, 1, 1, 2, 2));
    storage.compact(2);
    const short = new RaftLog(storage, NO_LIMIT);
    expect(short.slice(2, 4, NO_LIMIT)).toBe('compacted');
    expect([1, 2, 3].map((index) => short.term(index))).toEqual(['compacted', 1, 2]);
    expect([short.committed, short.applied]).toEqual([2, 2]);
  });
});

describe('matching (paper section 5.3)', () => {
  test('an append without its predecessor is refused', () => {
    const log = makeLog([1, 1, 2], 3);
    expect(log.maybeAppend({ previous: { index: 3, term: 3 }, entries: [] }, 0)).toBeUndefined();
    expect(log.maybeAppend({ previous: { index: 4, term: 2 }, entries: [] }, 0)).toBeUndefined();
  });

  test('entries we have are kept, and a shorter append cuts nothing off', () => {
    const log = makeLog([1, 1, 2], 3);
    expect(log.maybeAppend({ previous: { index: 1, term: 1 }, entries: entries(2, 1) }, 1)).toBe(2);
    expect(log.lastIndex).toBe(3);
  });

  test('a conflict replaces the entry and all after it', () => {
    const log = makeLog([1, 1, 1, 1], 4);
    const slice = { previous: { index: 1, term: 1 }, entries: entries(2, 1, 2) };
    expect(log.maybeAppend(slice, 1)).toBe(3);
    expect([log.lastIndex, log.term(3)]).toEqual([3, 2]);
  });

  test('commits only what the append vouches for', () => {
    const log = makeLog([1, 1, 1], 3);
    log.maybeAppend({ previous: { index: 1, term: 1 }, entries: entries(2, 1) }, 3);
    expect(log.committed).toBe(2);
  });

  test('a conflict with a committed entry is fatal', () => {
    const log = makeLog([1, 1], 2);
    log.commitTo(2);
    const slice = { previous: { index: 1, term: 1 }, entries: entries(2, 2) };
    expect(() => log.maybeAppend(slice, 2)).toThrow(InvariantError);
  });

  test.each([
    [
      { index: 6, term: 3 },
      { index: 4, term: 2 },
    ],
    [
      { index: 6, term: 4 },
      { index: 6, term: 4 },
    ],
    [
      { index: 6, term: 1 },
      { index: 2, term: 1 },
    ],
    [
      { index: 6, term: 0 },
      { index: 0, term: 0 },
    ],
    [
      { index: 9, term: 9 },
      { index: 9, term: 0 },
    ],
  ])('the logs may agree before %j at %j', (at, expected) => {
    expect(makeLog([1, 1, 2, 2, 4, 4], 3).findConflictByTerm(at)).toEqual(expected);
  });

  test.each([
    [{ index: 3, term: 3 }, true],
    [{ index: 1, term: 4 }, true],
    [{ index: 2, term: 3 }, false],
    [{ index: 9, term: 2 }, false],
  ])('a candidate ending with %j is up to date: %s (paper section 5.4.1)', (id, expected) => {
    expect(makeLog([1, 2, 3], 3).isUpToDate(id)).toBe(expected);
  });
});

describe('committing', () => {
  test('takes only an entry of the given term (paper section 5.4.2)', () => {
    const log = makeLog([1, 2, 3], 3);
    expect(log.maybeCommit({ index: 2, term: 3 })).toBe(false);
    expect(log.maybeCommit({ index: 3, term: 0 })).toBe(false);
    expect(log.maybeCommit({ index: 3, term: 3 })).toBe(true);
    expect(log.maybeCommit({ index: 3, term: 3 })).toBe(false);
    expect(log.committed).toBe(3);
  });

  test('never goes back, and never past the end', () => {
    const log = makeLog([1, 1], 2);
    log.commitTo(2);
    log.commitTo(1);
    expect(log.committed).toBe(2);
    expect(() => log.commitTo(3)).toThrow(InvariantError);
  });
});

describe('applying', () => {
  test('unstable entries wait where our own copy must be stable first', () => {
    const log = makeLog([1, 1, 1], 1);
    log.commitTo(3);
    expect(indexesOf(log.nextCommitted(false))).toEqual([1]);
    expect(indexesOf(log.nextCommitted(true))).toEqual([1, 2, 3]);
  });

  test('the limit counts entries until they are applied, and pauses in between', () => {
    const log = makeLog([1, 1, 1, 1, 1], 5, ENTRY_BYTES * 2);
    log.commitTo(5);
    expect(indexesOf(log.nextCommitted(true))).toEqual([1, 2]);
    log.acceptApplying(2, ENTRY_BYTES * 2, true);
    expect(log.hasNextCommitted(true)).toBe(false);
    log.appliedTo(1, ENTRY_BYTES);
    expect(indexesOf(log.nextCommitted(true))).toEqual([3]);
    log.acceptApplying(3, ENTRY_BYTES, true);
    log.appliedTo(3, ENTRY_BYTES * 2);
    expect(indexesOf(log.nextCommitted(true))).toEqual([4, 5]);
  });

  test('entries left out for the limit pause until something is applied', () => {
    const log = makeLog([1, 1, 1], 3, ENTRY_BYTES * 2 - 1);
    log.commitTo(3);
    expect(indexesOf(log.nextCommitted(true))).toEqual([1]);
    log.acceptApplying(1, ENTRY_BYTES, true);
    expect(log.nextCommitted(true)).toEqual([]);
    log.appliedTo(1, ENTRY_BYTES);
    expect(indexesOf(log.nextCommitted(true))).toEqual([2]);
  });

  test('nothing is applied while a snapshot waits to be installed', () => {
    const log = makeLog([1], 1);
    const confState = {
      voters: [1],
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    log.restore({ data: undefined, metadata: { index: 5, term: 2, confState } });
    log.append(entries(6, 2));
    log.commitTo(6);
    expect(log.hasNextCommitted(true)).toBe(false);
    log.unstable.stableSnapshotTo(5);
    log.appliedTo(5, 0);
    expect(indexesOf(log.nextCommitted(true))).toEqual([6]);
  });

  test('a search reads page by page to the end', () => {
    const log = makeLog([1, 1, 1, 2], 2, 1);
    expect(log.some(1, 5, ({ term }) => term === 2)).toBe(true);
    expect(log.some(1, 4, ({ term }) => term === 2)).toBe(false);
    expect(log.some(4, 4, () => true)).toBe(false);
  });
});
