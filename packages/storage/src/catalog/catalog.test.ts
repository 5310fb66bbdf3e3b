import { describe, expect, test } from 'vitest';
import type { MemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import type { CollectionSpec } from '../contract/catalog.ts';
import { allOf, doc, openTestStore, withStore, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

test('collections are found by namespace, name and id; ids are not used again', () =>
  withStore(1, async ({ store }) => {
    const a = await store.createCollection('default', { name: 'a' });
    const b = await store.createCollection('tenant', { name: 'a', model: 'graph', type: 'edge' });
    const catalog = store.catalog();
    expect(catalog.find('default', 'a')).toBe(a);
    expect(catalog.find('tenant', 'a')).toBe(b);
    expect(catalog.byId(b.id)).toBe(b);
    expect(catalog.namespaces()).toEqual(['default', 'tenant']);
    expect(catalog.collections('tenant')).toEqual([b]);
    await expect(store.createCollection('default', { name: 'a' })).rejects.toMatchObject({
      code: 'COLLECTION_EXISTS',
    });
    await store.dropCollection(a);
    expect(store.catalog().find('default', 'a')).toBeUndefined();
    expect(catalog.find('default', 'a')).toBe(a);
    const again = await store.createCollection('default', { name: 'a' });
    expect(again.id).toBeGreaterThan(b.id);
    await expect(store.dropCollection(a)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    await expect(store.truncateCollection(a)).rejects.toMatchObject({
      code: 'COLLECTION_NOT_FOUND',
    });
    const t = store.begin();
    await expect(t.insert(a, doc({}))).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    t.rollback();
  }));

const columns = [{ name: 'a', type: 'int' }] as const;

test.each<[string, Partial<CollectionSpec>, string]>([
  ['a bad name', { name: '9' }, 'INVALID_NAME'],
  ['an unknown model', { model: 'blob' as 'graph' }, 'INVALID_FIELD'],
  ['an unknown type', { type: 'x' as 'edge' }, 'INVALID_FIELD'],
  ['relational without columns', { model: 'relational' }, 'INVALID_FIELD'],
  ['columns without relational', { columns }, 'INVALID_FIELD'],
  ['a column twice', { model: 'relational', columns: [...columns, ...columns] }, 'INVALID_FIELD'],
])('%s is refused', (_, spec, code) =>
  withStore(2, async ({ store }) => {
    await expect(store.createCollection('default', { name: 'c', ...spec })).rejects.toMatchObject({
      code,
    });
    expect(store.catalog().collections('default')).toEqual([]);
    expect(store.stats().appliedIndex).toBe(0);
  }),
);

describe('relational declarations', () => {
  const spec: CollectionSpec = {
    name: 'orders',
    model: 'relational',
    columns: [
      { name: 'number', type: 'int', unique: true },
      { name: 'customer', type: 'string' },
    ],
    foreignKeys: [{ column: 'customer', references: { collection: 'customers' } }],
  };

  test('unique columns and foreign keys get their indexes, also later ones', () =>
    withStore(3, async ({ store }) => {
      const made = await store.createCollection('default', spec);
      const brief = (): unknown =>
        store
          .catalog()
          .byId(made.id)!
          .indexes.map(({ name, unique, state }) => [name, unique, state]);
      const first = [
        ['unique_number', true, 'ready'],
        ['foreign_customer', false, 'ready'],
      ];
      expect(brief()).toEqual(first);
      await write(store, (t) =>
        t.insertMany(
          made,
          [1, 2].map((number) => doc({ number, code: number })),
        ),
      );
      const altered = await store.alterCollection(made, {
        columns: [...spec.columns!, { name: 'code', type: 'int', unique: true }],
        foreignKeys: spec.foreignKeys,
      });
      expect(altered.schemaVersion).toBeGreaterThan(made.schemaVersion);
      expect(brief()).toEqual([...first, ['unique_code', true, 'ready']]);
      expect((await verify(store)).faults).toEqual([]);
    }));
});

test('a change of one part of the declaration keeps the others', () =>
  withStore(4, async ({ store }) => {
    const schema = { rule: doc({ type: 'object' }), level: 'strict' } as const;
    const made = await store.createCollection('default', { name: 'c', schema });
    const foreignKeys = [{ column: 'x', references: { collection: 'y' } }];
    const next = await store.alterCollection(made, { foreignKeys });
    expect([next.schema, next.foreignKeys]).toEqual([schema, foreignKeys]);
  }));

test('truncation empties a collection for those who begin later', () =>
  withStore(5, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await store.createIndex(made, { type: 'persistent', fields: ['n'] });
    const c = store.catalog().byId(made.id)!;
    await write(store, (t) =>
      t.insertMany(
        c,
        [1, 2, 3].map((n) => doc({ n })),
      ),
    );
    const before = store.begin();
    await store.truncateCollection(c);
    expect([await before.count(c), (await allOf(before.scan(c))).length]).toEqual([3, 3]);
    before.rollback();
    const after = store.begin();
    const { indexes } = after.catalog.byId(c.id)!;
    expect(await after.count(c)).toBe(0);
    expect(await allOf(after.scan(c))).toEqual([]);
    expect(await allOf(after.scanIndex(c, indexes[0]!, { equal: [] }))).toEqual([]);
    after.rollback();
    expect(store.approximateCount(c)).toBe(0);
    await write(store, (t) => t.insert(c, doc({ n: 4 })));
    expect((await verify(store)).faults).toEqual([]);
  }));

test('the catalog survives a crash whole', async () => {
  const env = makeSimEnv(6);
  const first = await env.run(async () => {
    const opened = await openTestStore(env);
    const { store } = opened;
    await store.createCollection('default', {
      name: 'r',
      model: 'relational',
      columns: [{ name: 'a', type: 'int', notNull: true, default: doc({ x: [1] }) }],
      schema: { rule: doc({ type: 'object' }), level: 'moderate', message: 'no' },
    });
    const e = await store.createCollection('tenant', { name: 'e', type: 'edge' });
    await store.createIndex(e, {
      type: 'persistent',
      fields: ['a.b', 'c[*].d'],
      sparse: true,
      storedValues: ['x'],
      deduplicate: false,
      name: 'mine',
    });
    const gone = await store.createCollection('default', { name: 'gone' });
    await store.dropCollection(gone);
    return opened;
  });
  const before = first.store.catalog();
  env.crash();
  await env.run(async () => {
    const engine = (first.engine as MemoryEngine).crash(env.prng);
    const { store } = await openTestStore(env, engine);
    const after = store.catalog();
    for (const namespace of ['default', 'tenant']) {
      const asText = (value: unknown): string => JSON.stringify(value);
      expect(asText(after.collections(namespace))).toBe(asText(before.collections(namespace)));
    }
    const next = await store.createCollection('default', { name: 'next' });
    expect(next.id).toBe(4);
  });
});
