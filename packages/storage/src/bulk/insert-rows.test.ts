import { describe, expect, test } from 'vitest';
import { hasCode, utf8Encode } from '@themisdb/base';
import type { MemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import type { CollectionInfo, IndexSpec } from '../contract/catalog.ts';
import type { EncodedRows } from '../contract/transaction.ts';
import type { ShardStore } from '../store.ts';
import { makeWorld, randomDocument } from '../testing/model.ts';
import { allOf, doc, idOf, openTestStore, plain, withStore, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

const specs: readonly IndexSpec[] = [
  { type: 'persistent', fields: ['a'] },
  { type: 'persistent', fields: ['b', 'a'] },
  { type: 'persistent', fields: ['a', 'b'], sparse: true },
  { type: 'persistent', fields: ['tags[*]', 'b'] },
  { type: 'persistent', fields: ['n.deep'], storedValues: ['b'] },
  { type: 'persistent', fields: ['n.other'] },
  { type: 'persistent', fields: ['_key'] },
];

async function makeCollection(store: ShardStore, name = 'c'): Promise<CollectionInfo> {
  const made = await store.createCollection('default', { name });
  for (const spec of specs) await store.createIndex(made, spec);
  return store.catalog().byId(made.id)!;
}

function encode(store: ShardStore, c: CollectionInfo, documents: readonly unknown[]): EncodedRows {
  const encoder = store.rowEncoder(c)!;
  for (const document of documents) {
    const bytes = utf8Encode(JSON.stringify(document));
    expect(encoder.tryAddJson(bytes, 0, bytes.length)).toBe(true);
  }
  return encoder.take();
}

async function load(store: ShardStore, c: CollectionInfo, documents: readonly unknown[]) {
  const t = store.begin({ isolation: 'snapshot' });
  const refused = await t.insertRows(encode(store, c, documents));
  await t.commit();
  return refused.map((each) => (each === undefined ? 'ok' : (each.error as { code: string }).code));
}

async function contentOf(store: ShardStore, c: CollectionInfo): Promise<unknown> {
  const t = store.begin({ readOnly: true });
  const records = (await allOf(t.scan(c))).map(plain);
  const entries = [];
  for (const index of store.catalog().byId(c.id)!.indexes)
    for (const { values, stored } of await allOf(t.scanIndex(c, index, { equal: [] })))
      entries.push([index.fields.join(), values, stored]);
  const count = await t.count(c);
  t.rollback();
  const byKey = (a: unknown, b: unknown): number =>
    JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return { records: records.sort(byKey), entries: entries.sort(byKey), count };
}

test.each([1, 2, 3, 4])('rows and documents come to the same, seed %i', (seed) =>
  withStore(seed, async ({ store, env }) => {
    const world = makeWorld(env.prng, 80);
    const [byRows, byDocuments] = [await makeCollection(store), await makeCollection(store, 'd')];
    for (let round = 0; round < 6; round++) {
      const documents = Array.from({ length: 25 }, () =>
        randomDocument(world, env.prng.pick(world.keys)),
      );
      const codes = await load(store, byRows, documents);
      const t = store.begin();
      const results = await t.insertMany(byDocuments, documents);
      await t.commit();
      expect(codes).toEqual(
        results.map((each) => ('error' in each ? (each.error as { code: string }).code : 'ok')),
      );
      // So that later rounds meet keys that were there once.
      await write(store, async (u) => {
        for (const c of [byRows, byDocuments])
          if ((await u.get(c, idOf(c, 'k0'))) !== undefined) await u.remove(c, idOf(c, 'k0'));
      });
    }
    expect(await contentOf(store, byRows)).toEqual(await contentOf(store, byDocuments));
    expect((await verify(store)).faults).toEqual([]);
    const changes = (await store.readChanges({ after: { index: 0, n: 0 }, limit: 10_000 })).changes;
    const ofRows = changes.filter(({ collection }) => collection === 'c');
    const ofDocuments = changes.filter(({ collection }) => collection === 'd');
    const keyOf = (document: unknown): unknown => (document as { _key: string } | undefined)?._key;
    const shown = (each: (typeof changes)[number]) => [each.operation, keyOf(each.document)];
    expect(ofRows.map(shown)).toEqual(ofDocuments.map(shown));
    for (const index of store.catalog().byId(byRows.id)!.indexes)
      expect(store.indexStatistics(index).entries).toBeGreaterThan(0);
  }),
);

describe('inside the transaction', () => {
  test('rows can be read, changed and removed before the commit', () =>
    withStore(1, async ({ store }) => {
      const c = await makeCollection(store);
      const t = store.begin();
      await t.insertRows(encode(store, c, [{ _key: 'x', a: 1 }, { _key: 'y', a: 2 }, { a: 3 }]));
      expect(plain(await t.get(c, idOf(c, 'x')))).toEqual({ _key: 'x', a: 1 });
      await t.update(c, idOf(c, 'x'), doc({ a: 5 }));
      await t.remove(c, idOf(c, 'y'));
      expect(await t.count(c)).toBe(2);
      const entries = await allOf(t.scanIndex(c, c.indexes[0]!, { equal: [] }));
      expect(entries.map(({ values }) => values[0])).toEqual([3, 5]);
      await t.commit();
      expect((await verify(store)).faults).toEqual([]);
      expect(await load(store, c, [{ _key: 'x' }, { _key: 'y' }])).toEqual(['KEY_EXISTS', 'ok']);
    }));

  test('rows may follow other writes, and rows', () =>
    withStore(1, async ({ store }) => {
      const c = await makeCollection(store);
      const t = store.begin();
      await t.insert(c, doc({ _key: 'x', a: 1 }));
      const rows = encode(store, c, [{ _key: 'x' }, { _key: 'y' }]);
      expect((await t.insertRows(rows)).map((each) => each === undefined)).toEqual([false, true]);
      expect((await t.insertRows(rows)).map((each) => each === undefined)).toEqual([false, false]);
      await t.commit();
      expect(await load(store, c, [{ _key: 'y' }])).toEqual(['KEY_EXISTS']);
      expect((await verify(store)).faults).toEqual([]);
    }));

  test('an index made after the rows were encoded gets its entries', () =>
    withStore(1, async ({ store }) => {
      const c = await store.createCollection('default', { name: 'c' });
      const rows = encode(store, c, [{ _key: 'x', late: 1, v: 2 }]);
      await store.createIndex(c, { type: 'persistent', fields: ['late'] });
      await store.createIndex(c, { type: 'persistent', fields: ['v'], unique: true });
      const t = store.begin();
      await t.insertRows(rows);
      await t.commit();
      expect((await verify(store)).faults).toEqual([]);
      expect(store.rowEncoder(store.catalog().byId(c.id)!)).toBeUndefined();
    }));
});

describe('beside other transactions', () => {
  const conflictOf = async (commit: Promise<unknown>): Promise<boolean> =>
    commit.then(
      () => false,
      (error: unknown) => hasCode(error, 'WRITE_CONFLICT'),
    );

  test('the first to commit a key wins, both ways', () =>
    withStore(1, async ({ store }) => {
      const c = await makeCollection(store);
      const rows = encode(store, c, [{ _key: 'x' }, { _key: 'y' }]);
      const [t, u, v] = [store.begin({ isolation: 'snapshot' }), store.begin(), store.begin()];
      await t.insertRows(rows);
      await u.insert(c, doc({ _key: 'y' }));
      await v.insert(c, doc({ _key: 'z' }));
      await u.commit();
      expect(await conflictOf(t.commit())).toBe(true);
      expect(await conflictOf(v.commit())).toBe(false);
      const w = store.begin({ isolation: 'snapshot' });
      await load(store, c, [{ _key: 'p' }, { _key: 'q' }]);
      await w.insertRows(encode(store, c, [{ _key: 'q' }]));
      expect(await conflictOf(w.commit())).toBe(true);
    }));

  test('a scan that rows came into conflicts; another collection does not', () =>
    withStore(1, async ({ store }) => {
      const [c, d] = [await makeCollection(store), await makeCollection(store, 'd')];
      const [t, u] = [store.begin(), store.begin()];
      await allOf(t.scanIndex(c, c.indexes[0]!, { equal: [7] }));
      await allOf(u.scan(d));
      await t.insert(d, doc({ a: 1 }));
      await u.insert(d, doc({ a: 2 }));
      await load(store, c, [{ _key: 'x', a: 7 }]);
      expect(await conflictOf(t.commit())).toBe(true);
      expect(await conflictOf(u.commit())).toBe(false);
    }));

  test('a key found absent before rows brought it conflicts', () =>
    withStore(1, async ({ store }) => {
      const c = await makeCollection(store);
      const t = store.begin();
      await t.get(c, idOf(c, 'x'));
      await t.insert(c, doc({ _key: 'other' }));
      await load(store, c, [{ _key: 'x' }, { _key: 'y' }]);
      expect(await conflictOf(t.commit())).toBe(true);
    }));
});

// Strategy: batches of rows in simulated time; power is cut at a random moment, the store is opened
// again. Batches acknowledged are there, the others whole or not at all.
test.each([1, 2, 3, 4, 5, 6, 7, 8])('power cuts leave whole batches, seed %i', async (seed) => {
  const env = makeSimEnv(seed);
  const rowsEach = 20;
  let [attempted, acknowledged] = [0, 0];
  const first = await env.run(async () => {
    const opened = await openTestStore(env, undefined, { checkpointBytes: 20_000 });
    await makeCollection(opened.store);
    return opened;
  });
  await env.run(async () => {
    const { store } = first;
    const c = store.catalog().find('default', 'c')!;
    const work = async (): Promise<void> => {
      for (;;) {
        const n = attempted++;
        await load(
          store,
          c,
          Array.from({ length: rowsEach }, (_, i) => ({ _key: `${n}-${i}`, a: n, b: i })),
        );
        acknowledged = Math.max(acknowledged, n + 1);
      }
    };
    work().catch(() => undefined);
    await env.timers.sleep(2 + env.prng.float() * 40);
  });
  env.crash();
  const engine = (first.engine as MemoryEngine).crash(env.prng);
  const { store } = await env.run(() => openTestStore(env, engine));
  await env.run(async () => {
    expect((await verify(store)).faults).toEqual([]);
    const c = store.catalog().find('default', 'c')!;
    const t = store.begin({ readOnly: true });
    const counts = new Map<number, number>();
    for (const record of await allOf(t.scan(c))) {
      const { a } = record.document() as { a: number };
      counts.set(a, (counts.get(a) ?? 0) + 1);
    }
    t.rollback();
    expect(acknowledged).toBeGreaterThan(0);
    expect(counts.size).toBeGreaterThanOrEqual(acknowledged);
    expect(counts.size).toBeLessThanOrEqual(attempted);
    for (const count of counts.values()) expect(count).toBe(rowsEach);
  });
});
