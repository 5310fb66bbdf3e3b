import { InvariantError } from '@themisdb/base';
import { expect, test } from 'vitest';
import { EMPTY_SNAPSHOT, MemoryStorage } from './memory-storage.ts';
import { type Entry, NO_LIMIT } from './types.ts';

const entries = (from: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => ({ index: from + at, term, type: undefined, data: undefined }));

function makeStorage(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.append(entries(1, 1, 1, 2, 2));
  return storage;
}

test('a fresh storage is empty and knows the entry before the first', () => {
  const storage = new MemoryStorage();
  expect([storage.firstIndex(), storage.lastIndex(), storage.term(0)]).toEqual([1, 0, 0]);
  expect(storage.entries(1, 1, NO_LIMIT)).toBe('unavailable');
  expect(storage.snapshot()).toBe(EMPTY_SNAPSHOT);
});

test('an append replaces from its first index on', () => {
  const storage = makeStorage();
  storage.append(entries(3, 3));
  expect([storage.lastIndex(), storage.term(3), storage.term(4)]).toEqual([3, 3, 'unavailable']);
  expect(() => storage.append(entries(5, 3))).toThrow(InvariantError);
});

test('an append that overlaps what is compacted brings the rest', () => {
  const storage = makeStorage();
  expect(storage.compact(2)).toBe('ok');
  storage.append(entries(1, 1));
  storage.append(entries(2, 1, 2, 2, 2));
  expect([storage.firstIndex(), storage.lastIndex()]).toEqual([3, 5]);
});

test('a read never changes with later appends', () => {
  const storage = makeStorage();
  const before = storage.entries(3, 5, NO_LIMIT);
  storage.append(entries(3, 9, 9));
  expect(before).toEqual(entries(3, 2, 2));
});

test('compacting keeps the term of the last dropped entry', () => {
  const storage = makeStorage();
  storage.compact(3);
  expect([2, 3, 4].map((index) => storage.term(index))).toEqual(['compacted', 2, 2]);
  expect(storage.entries(3, 5, NO_LIMIT)).toBe('compacted');
  expect(storage.compact(3)).toBe('compacted');
  expect(() => storage.compact(9)).toThrow(InvariantError);
});

test('a snapshot is made of an entry that is there, and only forwards', () => {
  const storage = makeStorage();
  const made = storage.createSnapshot(3, undefined, Uint8Array.of(1));
  expect(made).toMatchObject({ metadata: { index: 3, term: 2 } });
  expect(storage.createSnapshot(3, undefined, Uint8Array.of(1))).toBe('out-of-date');
  expect(storage.applySnapshot({ ...EMPTY_SNAPSHOT })).toBe('out-of-date');
});

test('an installed snapshot replaces the log', () => {
  const storage = makeStorage();
  const metadata = { ...EMPTY_SNAPSHOT.metadata, index: 9, term: 4 };
  expect(storage.applySnapshot({ data: undefined, metadata })).toBe('ok');
  expect([storage.firstIndex(), storage.lastIndex(), storage.term(9)]).toEqual([10, 9, 4]);
});

/** Entries 4, 5, 6 of terms 4, 5, 6 after a snapshot at 3. */
function makeAfter3(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.applySnapshot({
    data: undefined,
    metadata: { ...EMPTY_SNAPSHOT.metadata, index: 3, term: 3 },
  });
  storage.append(entries(4, 4, 5, 6));
  return storage;
}

const termsOf = (storage: MemoryStorage): number[] => {
  const all = storage.entries(storage.firstIndex(), storage.lastIndex() + 1, NO_LIMIT);
  return typeof all === 'string' ? [] : all.map(({ term }) => term);
};

test.each<[number, number | string]>([
  [2, 'compacted'],
  [3, 3],
  [4, 4],
  [6, 6],
  [7, 'unavailable'],
])('the term of entry %i is %s', (index, expected) => {
  expect(makeAfter3().term(index)).toBe(expected);
});

// Each of these entries takes 4 bytes.
test.each<[number, number, number, number[] | string]>([
  [2, 6, NO_LIMIT, 'compacted'],
  [3, 4, NO_LIMIT, 'compacted'],
  [4, 5, NO_LIMIT, [4]],
  [4, 7, NO_LIMIT, [4, 5, 6]],
  [4, 7, 0, [4]],
  [4, 7, 8, [4, 5]],
  [4, 7, 10, [4, 5]],
  [4, 7, 11, [4, 5]],
  [4, 7, 12, [4, 5, 6]],
])('entries [%i, %i) within %d bytes are %j', (lo, hi, bytes, expected) => {
  const found = makeAfter3().entries(lo, hi, bytes);
  expect(typeof found === 'string' ? found : found.map(({ index }) => index)).toEqual(expected);
});

test('entries past the end are a mistake of who asks', () => {
  expect(() => makeAfter3().entries(4, 8, NO_LIMIT)).toThrow(InvariantError);
});

test.each<[number, number[], number[]]>([
  [1, [1, 2], [4, 5, 6]],
  [4, [4, 5, 6], [4, 5, 6]],
  [4, [4, 7, 7], [4, 7, 7]],
  [4, [4, 5, 6, 6], [4, 5, 6, 6]],
  [3, [3, 4, 6], [4, 6]],
  [5, [6], [4, 6]],
  [7, [6], [4, 5, 6, 6]],
])('appending from %i terms %j to 4, 5, 6 gives %j', (from, terms, expected) => {
  const storage = makeAfter3();
  storage.append(entries(from, ...terms));
  expect(termsOf(storage)).toEqual(expected);
});

test.each<[number, string, number, number]>([
  [2, 'compacted', 4, 3],
  [3, 'compacted', 4, 3],
  [4, 'ok', 5, 2],
  [6, 'ok', 7, 0],
])('compacting at %i is %s: starts at %i with %i entries', (index, outcome, first, count) => {
  const storage = makeAfter3();
  expect(storage.compact(index)).toBe(outcome);
  expect([storage.firstIndex(), storage.lastIndex() - first + 1]).toEqual([first, count]);
});

test('a snapshot carries data, term and membership, and does not shorten the log', () => {
  const storage = makeAfter3();
  const confState = { ...EMPTY_SNAPSHOT.metadata.confState, voters: [1, 2, 3] };
  const data = Uint8Array.of(1, 2, 3);
  const snapshot = storage.createSnapshot(5, confState, data);
  expect(snapshot).toEqual({ data, metadata: { index: 5, term: 5, confState } });
  expect([storage.snapshot(), storage.firstIndex()]).toEqual([snapshot, 4]);
  expect(storage.initialState().confState).toEqual(confState);
  expect(() => storage.createSnapshot(9, undefined, data)).toThrow(InvariantError);
});

test('a snapshot at 0 brings the first membership and may come again', () => {
  const storage = new MemoryStorage();
  const confState = { ...EMPTY_SNAPSHOT.metadata.confState, voters: [1] };
  const first = { data: undefined, metadata: { index: 0, term: 0, confState } };
  expect([storage.applySnapshot(first), storage.applySnapshot(first)]).toEqual(['ok', 'ok']);
  expect(storage.initialState().confState.voters).toEqual([1]);
});
