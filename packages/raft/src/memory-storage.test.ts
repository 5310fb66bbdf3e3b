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
