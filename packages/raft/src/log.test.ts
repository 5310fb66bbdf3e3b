import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { RaftLog } from './log.ts';
import { MemoryStorage } from './memory-storage.ts';
import { type Entry, NO_LIMIT, type Snapshot } from './types.ts';

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

const EMPTY_AT_3: Snapshot = {
  data: undefined,
  metadata: {
    index: 3,
    term: 1,
    confState: {
      voters: [1],
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    },
  },
};

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

  test('a small unstable entry does not jump over a large stable one that did not fit', () => {
    const storage = new MemoryStorage();
    const [small, large] = entries(1, 1, 1);
    storage.append([small!, { ...large!, data: new Uint8Array(100) }]);
    const log = new RaftLog(storage, NO_LIMIT);
    log.append(entries(3, 1));
    for (const limit of [ENTRY_BYTES * 2, 100]) {
      expect(indexesOf(log.slice(1, 4, limit))).toEqual([1]);
    }
  });

  test('nothing is asked of the storage where nothing is wanted', () => {
    const storage = new MemoryStorage();
    storage.append(entries(1, 1, 1, 1));
    storage.entries = () => {
      throw new Error('an empty range');
    };
    expect(new RaftLog(storage, NO_LIMIT).slice(2, 2, NO_LIMIT)).toEqual([]);
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

  // The log holds terms 1, 2, 3 and has committed the first entry.
  test.each<[string, [number, number], number[], number, number | undefined, number, number[]]>([
    ['another term before it', [3, 2], [4], 3, undefined, 1, [1, 2, 3]],
    ['a hole before it', [4, 3], [4], 3, undefined, 1, [1, 2, 3]],
    ['nothing, all committed', [3, 3], [], 3, 3, 3, [1, 2, 3]],
    ['nothing, a commit past it', [3, 3], [], 4, 3, 3, [1, 2, 3]],
    ['nothing, a commit within', [3, 3], [], 2, 3, 2, [1, 2, 3]],
    ['nothing, a commit behind ours', [3, 3], [], 0, 3, 1, [1, 2, 3]],
    ['nothing, at the start of the log', [0, 0], [], 3, 0, 1, [1, 2, 3]],
    ['one more', [3, 3], [4], 3, 4, 3, [1, 2, 3, 4]],
    ['one more, committed', [3, 3], [4], 4, 4, 4, [1, 2, 3, 4]],
    ['one more, a commit past it', [3, 3], [4], 5, 4, 4, [1, 2, 3, 4]],
    ['two more', [3, 3], [4, 4], 5, 5, 5, [1, 2, 3, 4, 4]],
    ['the last one instead', [2, 2], [4], 3, 3, 3, [1, 2, 4]],
    ['the last two, shorter', [1, 1], [4], 3, 2, 2, [1, 4]],
    ['the last two instead', [1, 1], [4, 4], 3, 3, 3, [1, 4, 4]],
    ['what is there already', [1, 1], [2, 3], 3, 3, 3, [1, 2, 3]],
    ['some that is there, some new', [1, 1], [2, 3, 4], 1, 4, 1, [1, 2, 3, 4]],
  ])('an append of %s', (_, [index, term], terms, commit, last, committed, log) => {
    const raftLog = makeLog([1, 2, 3], 3);
    raftLog.commitTo(1);
    const slice = { previous: { index, term }, entries: entries(index + 1, ...terms) };
    expect(raftLog.maybeAppend(slice, commit)).toBe(last);
    expect(raftLog.committed).toBe(committed);
    const all = raftLog.entriesFrom(1, NO_LIMIT);
    expect(typeof all === 'string' ? all : all.map((entry) => entry.term)).toEqual(log);
  });

  // The log holds terms 1, 2, 3: where an append first differs from it is where it is written again.
  test.each<[number, number[], number]>([
    [1, [1, 2, 3], 4],
    [2, [2, 3], 4],
    [3, [3], 4],
    [1, [1, 2, 3, 4, 4], 4],
    [2, [2, 3, 4, 5], 4],
    [4, [4, 4], 4],
    [1, [4, 4], 1],
    [2, [1, 4, 4], 2],
    [3, [1, 2, 4], 3],
  ])('from %i on, terms %j are unstable from %i on', (from, terms, offset) => {
    const log = makeLog([1, 2, 3], 3);
    log.maybeAppend(
      { previous: { index: from - 1, term: from - 1 }, entries: entries(from, ...terms) },
      0,
    );
    expect(log.unstable.offset).toBe(offset);
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

describe('positions of applying, in a log after entry 3 with entry 4 stable and entry 5 committed', () => {
  /** Entries 4 to 6; the application has finished `applied` and was handed up to `applying`. */
  function makeMidway(applied: number, applying: number, allowUnstable: boolean): RaftLog {
    const storage = new MemoryStorage();
    storage.applySnapshot(EMPTY_AT_3);
    storage.append(entries(4, 1));
    const log = new RaftLog(storage, NO_LIMIT);
    log.append(entries(5, 1, 1));
    log.commitTo(5);
    log.appliedTo(applied, 0);
    // Nothing was left out for the limit, so that does not pause.
    if (applying > applied) log.acceptApplying(applying, 0, allowUnstable);
    return log;
  }

  test.each<[number, number, boolean, number[]]>([
    [3, 3, true, [4, 5]],
    [3, 5, true, []],
    [4, 4, true, [5]],
    [4, 5, true, []],
    [5, 5, true, []],
    [3, 3, false, [4]],
    [3, 4, false, []],
    [4, 4, false, []],
    [5, 5, false, []],
  ])('applied %i, applying %i, unstable allowed %s: next are %j', (...row) => {
    const [applied, applying, allowUnstable, next] = row;
    const log = makeMidway(applied, applying, allowUnstable);
    expect(log.hasNextCommitted(allowUnstable)).toBe(next.length > 0);
    expect(indexesOf(log.nextCommitted(allowUnstable))).toEqual(next);
  });

  test.each<[number, boolean, number, boolean]>([
    // Handing out less than there is means that the limit was reached.
    [4, true, 99, true],
    [4, true, 100, true],
    [5, true, 99, false],
    [5, true, 100, true],
    [5, true, 101, true],
    [4, false, 99, false],
    [4, false, 100, true],
    [4, false, 101, true],
  ])('handing out up to %i, unstable allowed %s, %i bytes of 100 pauses: %s', (...row) => {
    const [index, allowUnstable, bytes, isPaused] = row;
    const storage = new MemoryStorage();
    storage.applySnapshot(EMPTY_AT_3);
    storage.append(entries(4, 1));
    const log = new RaftLog(storage, 100);
    log.append(entries(5, 1, 1));
    log.commitTo(5);
    log.acceptApplying(index, bytes, allowUnstable);
    // One more committed entry shows whether anything would be handed out.
    log.unstable.stableTo({ index: 6, term: 1 });
    storage.append(entries(5, 1, 1));
    log.commitTo(6);
    expect(log.hasNextCommitted(allowUnstable)).toBe(!isPaused);
  });

  test.each<[number, number, boolean]>([
    [4, 4, true],
    [4, 5, true],
    [4, 6, false],
    [5, 5, true],
    [5, 6, false],
    [5, 500, false],
  ])('of 105 bytes handed out, finishing up to %i with %i bytes leaves it paused: %s', (...row) => {
    const [index, bytes, isPaused] = row;
    const storage = new MemoryStorage();
    storage.applySnapshot(EMPTY_AT_3);
    storage.append(entries(4, 1, 1, 1));
    const log = new RaftLog(storage, 100);
    log.commitTo(5);
    log.acceptApplying(5, 105, true);
    log.appliedTo(index, bytes);
    expect([log.applied, log.applying]).toEqual([index, 5]);
    log.commitTo(6);
    expect(log.hasNextCommitted(true)).toBe(!isPaused);
  });

  test('applying past the commit index, or going back, is a mistake', () => {
    const log = makeMidway(4, 5, true);
    expect(() => log.appliedTo(3, 0)).toThrow(InvariantError);
    expect(() => log.appliedTo(6, 0)).toThrow(InvariantError);
    expect(() => log.acceptApplying(6, 0, true)).toThrow(InvariantError);
  });
});

describe('a log whose head is compacted away', () => {
  // Entry i has term i: stable up to 15, unstable up to 20.
  function makeLong(): { log: RaftLog; storage: MemoryStorage } {
    const storage = new MemoryStorage();
    storage.append(Array.from({ length: 15 }, (_, at) => entries(at + 1, at + 1)[0]!));
    const log = new RaftLog(storage, NO_LIMIT);
    log.append(Array.from({ length: 5 }, (_, at) => entries(at + 16, at + 16)[0]!));
    log.commitTo(20);
    log.appliedTo(20, 0);
    return { log, storage };
  }

  test('works on as before for what is left', () => {
    const { log, storage } = makeLong();
    storage.compact(10);
    expect([log.firstIndex, log.lastIndex]).toEqual([11, 20]);
    for (let index = 10; index <= 20; index++) {
      expect(log.mustTerm(index)).toBe(index);
      expect(log.matches({ index, term: index })).toBe(true);
    }
    expect(log.unstable.nextEntries().map(({ index }) => index)).toEqual([16, 17, 18, 19, 20]);
    log.append(entries(21, 21));
    expect(indexesOf(log.entriesFrom(21, NO_LIMIT))).toEqual([21]);
    expect(log.entriesFrom(10, NO_LIMIT)).toBe('compacted');
  });

  test.each<[number[], (number | string)[]]>([
    [
      [3, 7, 14],
      [17, 13, 6],
    ],
    [
      [5, 4],
      [15, 'compacted'],
    ],
    [
      [5, 5],
      [15, 'compacted'],
    ],
  ])('compacting at %j leaves %j entries', (indexes, left) => {
    const { log, storage } = makeLong();
    const counts = indexes.map((index) =>
      storage.compact(index) === 'compacted' ? 'compacted' : log.lastIndex - log.firstIndex + 1,
    );
    expect(counts).toEqual(left);
  });

  test('cannot be compacted past what is stored', () => {
    const { storage } = makeLong();
    expect(() => storage.compact(16)).toThrow(InvariantError);
  });

  test.each<[number, number, string]>([
    [9, 11, 'compacted'],
    [10, 12, 'compacted'],
    [11, 11, '0 entries'],
    [15, 17, '2 entries'],
    [20, 21, '1 entries'],
    [21, 21, '0 entries'],
    [20, 22, 'mistake'],
    [22, 22, 'mistake'],
    [15, 14, 'mistake'],
  ])('[%i, %i) gives %s', (lo, hi, expected) => {
    const { log, storage } = makeLong();
    storage.compact(10);
    if (expected === 'mistake') {
      expect(() => log.slice(lo, hi, NO_LIMIT)).toThrow(InvariantError);
      return;
    }
    const slice = log.slice(lo, hi, NO_LIMIT);
    expect(typeof slice === 'string' ? slice : `${slice.length} entries`).toBe(expected);
  });

  // Every entry takes 9 bytes; 15 is the last stable one.
  test.each<[number, number, number, number[]]>([
    [11, 21, 0, [11]],
    [11, 21, 8, [11]],
    [11, 21, 9, [11]],
    [11, 21, 17, [11]],
    [11, 21, 18, [11, 12]],
    [15, 21, 0, [15]],
    [15, 21, 9, [15]],
    [15, 21, 10, [15]],
    [15, 21, 18, [15, 16]],
    [14, 17, 26, [14, 15]],
    [14, 17, 27, [14, 15, 16]],
    [16, 21, 0, [16]],
    [16, 21, 18, [16, 17]],
    [18, 21, 8, [18]],
    [11, 14, 1000, [11, 12, 13]],
    [14, 18, 1000, [14, 15, 16, 17]],
    [17, 21, 1000, [17, 18, 19, 20]],
  ])('[%i, %i) within %i bytes is %j', (lo, hi, bytes, expected) => {
    const { log, storage } = makeLong();
    storage.compact(10);
    expect(indexesOf(log.slice(lo, hi, bytes))).toEqual(expected);
  });

  test.each([1, 9, 18, 40, NO_LIMIT])(
    'a search in pages of %i bytes sees every entry once',
    (page) => {
      const storage = new MemoryStorage();
      storage.append(entries(1, ...Array.from({ length: 8 }, () => 1)));
      const log = new RaftLog(storage, page);
      log.append(entries(9, ...Array.from({ length: 8 }, () => 1)));
      for (let lo = 1; lo <= 17; lo++) {
        for (let hi = lo; hi <= 17; hi++) {
          const seen: number[] = [];
          log.some(lo, hi, ({ index }) => {
            seen.push(index);
            return false;
          });
          expect(seen).toEqual(Array.from({ length: hi - lo }, (_, at) => lo + at));
        }
      }
    },
  );

  test.each<[number, number | string]>([
    [9, 'compacted'],
    [10, 10],
    [15, 15],
    [16, 16],
    [20, 20],
    [21, 'unavailable'],
  ])('the term of entry %i is %s', (index, expected) => {
    const { log, storage } = makeLong();
    storage.compact(10);
    expect(log.term(index)).toBe(expected);
  });

  test.each<[number, number, number]>([
    // Asked: index and term. The log starts after entry 10 of term 3: 3 3 3 4 4 4 from 10 to 15.
    [30, 3, 30],
    [14, 9, 14],
    [14, 4, 14],
    [14, 3, 12],
    [14, 2, 9],
    [11, 5, 11],
    [10, 5, 10],
    [10, 3, 10],
    [10, 2, 9],
    [9, 2, 9],
    [4, 2, 4],
    [0, 0, 0],
  ])('the logs may agree before index %i, term %i at %i', (index, term, expected) => {
    const storage = new MemoryStorage();
    storage.applySnapshot({
      data: undefined,
      metadata: { ...EMPTY_AT_3.metadata, index: 10, term: 3 },
    });
    const log = new RaftLog(storage, NO_LIMIT);
    log.append(entries(11, 3, 3, 4, 4, 4));
    const found = log.findConflictByTerm({ index, term });
    const known = log.term(expected);
    expect(found).toEqual({ index: expected, term: typeof known === 'number' ? known : 0 });
  });
});

describe('a log with a snapshot that waits to be installed', () => {
  test.each<[number, number | string]>([
    [100, 'compacted'],
    [101, 'compacted'],
    [104, 'compacted'],
    [105, 7],
    [106, 'unavailable'],
  ])('knows of entry %i only: %s', (index, expected) => {
    const storage = new MemoryStorage();
    storage.applySnapshot({ data: undefined, metadata: { ...EMPTY_AT_3.metadata, index: 100 } });
    const log = new RaftLog(storage, NO_LIMIT);
    log.restore({ data: undefined, metadata: { ...EMPTY_AT_3.metadata, index: 105, term: 7 } });
    expect(log.term(index)).toBe(expected);
    expect([log.firstIndex, log.lastIndex, log.committed]).toEqual([106, 105, 105]);
  });

  test('hands out no entry that is stored from before it', () => {
    const storage = new MemoryStorage();
    storage.append(entries(1, 1, 1, 1));
    const log = new RaftLog(storage, NO_LIMIT);
    log.restore({ data: undefined, metadata: { ...EMPTY_AT_3.metadata, index: 5, term: 2 } });
    expect(log.slice(2, 4, NO_LIMIT)).toBe('compacted');
    expect(log.slice(2, 2, NO_LIMIT)).toBe('compacted');
    expect(log.entriesFrom(2, NO_LIMIT)).toBe('compacted');
  });

  test('starts empty after a stored one', () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(EMPTY_AT_3);
    const log = new RaftLog(storage, NO_LIMIT);
    expect([log.firstIndex, log.lastIndex, log.committed, log.applied]).toEqual([4, 3, 3, 3]);
    expect(log.lastEntryId).toEqual({ index: 3, term: 1 });
    expect(log.entriesFrom(4, NO_LIMIT)).toEqual([]);
    expect(log.snapshot()).toBe(EMPTY_AT_3);
  });
});

test.each<[number, number, boolean]>([
  [2, 4, true],
  [3, 4, true],
  [9, 4, true],
  [2, 2, false],
  [9, 2, false],
  [2, 3, false],
  [3, 3, true],
  [4, 3, true],
])('against terms 1, 2, 3 a log ending at %i with term %i is up to date: %s', (...row) => {
  const [index, term, expected] = row;
  expect(makeLog([1, 2, 3], 1).isUpToDate({ index, term })).toBe(expected);
});

test.each<[number[], number, number[], number]>([
  [[], 2, [1, 2], 3],
  [[2], 3, [1, 2, 2], 3],
  [[2], 1, [2], 1],
  [[3, 3], 2, [1, 3, 3], 2],
])('appending terms %j at %i to 1, 2 gives %j, unstable from %i', (terms, from, all, offset) => {
  const log = makeLog([1, 2], 2);
  log.append(entries(from, ...terms));
  const found = log.entriesFrom(1, NO_LIMIT);
  expect(typeof found === 'string' ? found : found.map(({ term }) => term)).toEqual(all);
  expect(log.unstable.offset).toBe(offset);
});

test('appending over committed entries is a mistake', () => {
  const log = makeLog([1, 1, 1], 3);
  log.commitTo(2);
  expect(() => log.append(entries(2, 2))).toThrow(InvariantError);
});
