import { expect, test } from 'vitest';
import { encodeTuple } from '@themisdb/kv';
import { concatBytes } from '@themisdb/base';
import { defineIndex } from '../catalog/definition.ts';
import { IndexStatisticsBook } from './statistics.ts';

const index = defineIndex(1, { type: 'persistent', fields: ['a'] }, 1);
const unique = defineIndex(1, { type: 'persistent', fields: ['a'], unique: true }, 2);
const keyOf = (value: number): Uint8Array =>
  concatBytes(new Uint8Array(9), encodeTuple([value]), new Uint8Array(24));

test.each([1, 10, 500, 20_000])('%i distinct values among 20,000 entries', (distinct) => {
  const book = new IndexStatisticsBook();
  for (let i = 0; i < 20_000; i++) book.note(1, keyOf(i % distinct), false, 1);
  const { entries, selectivity } = book.of(index);
  expect(entries).toBe(20_000);
  expect(selectivity).toBeGreaterThan((distinct / 20_000) * 0.88);
  expect(selectivity).toBeLessThan((distinct / 20_000) * 1.12);
});

test('removals lower the number of entries; a unique index has selectivity 1', () => {
  const book = new IndexStatisticsBook();
  for (let i = 0; i < 10; i++) book.note(2, keyOf(i), true, 1);
  for (let i = 0; i < 4; i++) book.note(2, keyOf(i), true, -1);
  expect(book.of(unique)).toEqual({ entries: 6, selectivity: 1 });
  book.drop(2);
  expect(book.of(unique).entries).toBe(0);
});

test('saved and loaded; damage is ignored', () => {
  const book = new IndexStatisticsBook();
  for (let i = 0; i < 1000; i++) book.note(1, keyOf(i % 30), false, 1);
  const saved = book.save(1);
  const loaded = new IndexStatisticsBook();
  loaded.load(1, saved);
  expect(loaded.of(index)).toEqual(book.of(index));
  saved[100]! ^= 1;
  const fresh = new IndexStatisticsBook();
  fresh.load(1, saved);
  expect(fresh.of(index).entries).toBe(0);
});
