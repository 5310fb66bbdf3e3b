import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import { uuidFromBytes } from '@themisdb/protocol';
import { KeySpace, space } from '../keys.ts';
import { doc, withStore, write } from '../testing/test-store.ts';
import { KeyFilter, PresenceBook } from './key-filter.ts';

const keys = new KeySpace(1);

test('what was added is known, what was not mostly is not, across all layers', () => {
  const prng = new Prng(1);
  const key = (): Uint8Array =>
    keys.record(1, BigInt(prng.u32()) << 20n, uuidFromBytes(prng.bytes(16)));
  const filter = new KeyFilter();
  const added = Array.from({ length: 200_000 }, key);
  for (const each of added) filter.add(each);
  expect(added.every((each) => filter.mayHave(each))).toBe(true);
  const wrong = Array.from({ length: 20_000 }, key).filter((each) => filter.mayHave(each)).length;
  expect(wrong).toBeLessThan(20_000 * 0.06);
  expect(filter.bytes).toBeLessThan(200_000 * 4);
});

test('a filter that grew too large is given up', () => {
  const prng = new Prng(1);
  const book = new PresenceBook(50_000);
  book.start(space.record, 1);
  const other = keys.record(1, 5n, uuidFromBytes(prng.bytes(16)));
  expect(book.isSurelyAbsent(other)).toBe(true);
  for (let i = 0; i < 40_000; i++)
    book.add(keys.record(1, BigInt(i), uuidFromBytes(prng.bytes(16))));
  expect(book.isSurelyAbsent(other)).toBe(false);
  expect(book.isSurelyAbsent(keys.record(2, 5n, uuidFromBytes(prng.bytes(16))))).toBe(false);
});

test('imports into a new collection look nothing up', () =>
  withStore(1, async ({ store, engine }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await store.createIndex(made, { type: 'persistent', fields: ['u'], unique: true });
    const c = store.catalog().byId(made.id)!;
    const rows = (from: number): ReturnType<typeof doc>[] =>
      Array.from({ length: 100 }, (_, i) => doc({ _key: `k${from + i}`, u: from + i }));
    const { gets } = engine.stats();
    await write(store, (t) => t.insertMany(c, rows(0)));
    await write(store, (t) => t.insertMany(c, rows(100)));
    expect(engine.stats().gets - gets).toBeLessThan(10);
    const t = store.begin();
    const again = await t.insertMany(c, [...rows(150), doc({ _key: 'new', u: 7 })]);
    const codes = again.map((r) => ('error' in r ? (r.error as { code: string }).code : 'ok'));
    expect(codes.slice(0, 50).every((code) => code === 'KEY_EXISTS')).toBe(true);
    expect(codes.slice(50, 100).every((code) => code === 'ok')).toBe(true);
    expect(codes[100]).toBe('UNIQUE_VIOLATION');
    t.rollback();
  }));
