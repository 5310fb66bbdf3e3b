import { describe, expect, test } from 'vitest';
import { hasCode, type ValueObject } from '@themisdb/base';
import { tryUuid, uuidOfKey, type Uuid } from '@themisdb/protocol';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { CollectionRules, RulesFactory } from '../contract/store.ts';
import type { Transaction } from '../contract/transaction.ts';
import type { OpenStoreOptions } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { allOf, doc, idOf, plain, withStore, write } from '../testing/test-store.ts';
import { formatTimestamp } from '../timestamp.ts';
import { verify } from '../verify.ts';
import { runTransaction } from './run.ts';

interface Place {
  readonly store: ShardStore;
  readonly c: CollectionInfo;
  readonly t: Transaction;
}

function inTransaction(
  body: (place: Place) => Promise<void>,
  options: Partial<OpenStoreOptions> = {},
): Promise<void> {
  return withStore(
    11,
    async ({ store }) => {
      const c = await store.createCollection('default', { name: 'c' });
      const t = store.begin();
      await body({ store, c, t });
      t.rollback();
      expect(store.stats().transactionsOpen).toBe(0);
      expect((await verify(store)).faults).toEqual([]);
    },
    options,
  );
}

describe('keys and system attributes', () => {
  test('a key is made when absent, and is a UUID', () =>
    inTransaction(async ({ t, c }) => {
      const { key, uuid } = await t.insert(c, doc({ n: 1 }));
      expect(tryUuid(key)).toBe(uuid);
    }));

  test('a key that is a UUID is its uuid, whatever its case; others have a computed one', () =>
    inTransaction(async ({ t, c }) => {
      const key = 'A50E8400-E29B-41D4-A716-446655440000';
      const one = await t.insert(c, doc({ _key: key }));
      expect([one.key, one.uuid]).toEqual([key, key.toLowerCase()]);
      await expect(t.insert(c, doc({ _key: key.toLowerCase() }))).rejects.toMatchObject({
        code: 'KEY_EXISTS',
      });
      const two = await t.insert(c, doc({ _key: 'users:123' }));
      expect(two.uuid).toBe(uuidOfKey(c.uuidNamespace, 'users:123'));
    }));

  test.each([[''], [1], [null], ['x'.repeat(255)], ['ä'.repeat(128)], [[]]])(
    'the key %j is refused',
    (key) =>
      inTransaction(async ({ t, c }) => {
        await expect(t.insert(c, doc({ _key: key }))).rejects.toMatchObject({
          code: 'INVALID_KEY',
        });
        expect(t.writes).toBe(0);
      }),
  );

  test('254 bytes are allowed', () =>
    inTransaction(async ({ t, c }) => {
      await t.insert(c, doc({ _key: 'ä'.repeat(127) }));
      await t.insert(c, doc({ _key: '/ any string\u0000 will do' }));
    }));

  test('derived attributes are ignored on the way in and shown on the way out', () =>
    inTransaction(async ({ t, c }) => {
      const given = doc({ _key: 'a', _id: 'x/y', _rev: 'zzz', _urn: 'urn:x', n: 1 });
      const { uuid } = await t.insert(c, given);
      await t.update(c, uuid, doc({ _key: 'other', _rev: 'abc', n: 2 }));
      await t.replace(c, uuid, doc({ _key: 'another', n: 3 }));
      const record = (await t.get(c, uuid))!;
      expect(record.document()).toMatchObject({
        _key: 'a',
        _id: 'c/a',
        _urn: `urn:themis:document:default:c:${uuid}`,
        n: 3,
      });
      expect(Object.keys(record.document())).toEqual(['_key', '_id', '_rev', '_urn', 'n']);
      expect(record.read({ steps: ['_id'] })).toBe('c/a');
      expect(record.read({ steps: ['_rev'] })).toBe(formatTimestamp(t.provisionalVersion));
      expect(record.read({ steps: ['_rev', 'x'] })).toBe(null);
    }));

  test('versions are provisional until the commit, and final afterwards', () =>
    withStore(1, async ({ store }) => {
      const c = await store.createCollection('default', { name: 'c' });
      const t = store.begin();
      const { after, uuid } = await t.insert(c, doc({ n: 1 }));
      expect(after!.document()['_rev']).toBe(formatTimestamp(t.provisionalVersion));
      const at = await t.commit();
      expect(after!.version).toBe(at);
      expect(after!.document()['_rev']).toBe(formatTimestamp(at));
      const u = store.begin();
      expect((await u.get(c, uuid))!.version).toBe(at);
      expect(u.provisionalVersion).not.toBe(t.provisionalVersion);
      u.rollback();
    }));

  test('awkward attribute names are ordinary', () =>
    inTransaction(async ({ t, c }) => {
      const given = JSON.parse('{"_key":"a","__proto__":1,"constructor":2,"0":3}') as object;
      const { uuid } = await t.insert(c, given as ValueObject);
      const document = (await t.get(c, uuid))!.document();
      expect(Object.getOwnPropertyNames(document)).toContain('__proto__');
      expect([document['__proto__'], document['constructor'], document['0']]).toEqual([1, 2, 3]);
    }));
});

describe('edges', () => {
  const ends = doc({ _from: 'users/a', _to: 'users/b/with/slashes' });

  test('need both ends, and have an index on each', () =>
    withStore(1, async ({ store }) => {
      const e = await store.createCollection('default', { name: 'e', type: 'edge' });
      expect(e.indexes.map(({ name, state }) => [name, state])).toEqual([
        ['edge_from', 'ready'],
        ['edge_to', 'ready'],
      ]);
      await write(store, (t) => t.insert(e, ends));
      const t = store.begin();
      const found = await allOf(t.scanIndex(e, e.indexes[1]!, { equal: ['users/b/with/slashes'] }));
      expect(found.length).toBe(1);
      const bad: unknown[] = [
        undefined,
        null,
        1,
        '',
        'users',
        'users/',
        '/a',
        '9x/a',
        `u/${'x'.repeat(255)}`,
      ];
      for (const _from of bad) {
        const given = _from === undefined ? { _to: 'u/a' } : { _from, _to: 'u/a' };
        await expect(t.insert(e, doc(given))).rejects.toMatchObject({ code: 'INVALID_EDGE' });
      }
      const [uuid] = found.map((entry) => entry.uuid) as [Uuid];
      await expect(t.replace(e, uuid, doc({ n: 1 }))).rejects.toMatchObject({
        code: 'INVALID_EDGE',
      });
      await t.update(e, uuid, doc({ _to: 'users/c' }));
      expect((await t.get(e, uuid))!.document()).toMatchObject({
        _from: 'users/a',
        _to: 'users/c',
      });
      t.rollback();
      await expect(store.dropIndex(e, e.indexes[0]!)).rejects.toMatchObject({
        code: 'INVALID_INDEX',
      });
    }));
});

describe('update and replace', () => {
  const before = { _key: 'a', n: 1, o: { x: 1, y: { z: 1 } }, list: [1] };
  test.each([
    [{ n: 2 }, {}, { ...before, n: 2 }],
    [{ n: null }, {}, { ...before, n: null }],
    [{ n: null }, { removeNulls: true }, { _key: 'a', o: before.o, list: [1] }],
    [{ o: { y: { w: 2 } } }, {}, { ...before, o: { x: 1, y: { z: 1, w: 2 } } }],
    [{ o: { y: { w: 2 } } }, { mergeObjects: false }, { ...before, o: { y: { w: 2 } } }],
    [
      { o: { x: null, new: { a: null, b: 1 } } },
      { removeNulls: true },
      { ...before, o: { y: { z: 1 }, new: { b: 1 } } },
    ],
    [{ list: [2, null] }, { removeNulls: true }, { ...before, list: [2, null] }],
    [{ list: { a: 1 } }, {}, { ...before, list: { a: 1 } }],
  ])('the patch %j with %j', (patch, options, expected) =>
    inTransaction(async ({ t, c }) => {
      const { uuid } = await t.insert(c, doc(before));
      const result = await t.update(c, uuid, doc(patch), options);
      expect(plain(result.after)).toEqual(expected);
      expect(plain(result.before)).toEqual(before);
      expect(plain(await t.get(c, uuid))).toEqual(expected);
    }),
  );

  test('a version demanded must be the current one', () =>
    withStore(2, async ({ store }) => {
      const c = await store.createCollection('default', { name: 'c' });
      await write(store, (t) => t.insert(c, doc({ _key: 'a', n: 1 })));
      const version = store.lastCommit;
      await write(store, (t) => t.update(c, idOf(c, 'a'), doc({ n: 2 }), { ifVersion: version }));
      const t = store.begin();
      const wrong = { ifVersion: version };
      for (const attempt of [
        () => t.update(c, idOf(c, 'a'), doc({ n: 3 }), wrong),
        () => t.replace(c, idOf(c, 'a'), doc({ n: 3 }), wrong),
        () => t.remove(c, idOf(c, 'a'), wrong),
      ])
        await expect(attempt()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
      expect(t.writes).toBe(0);
      await t.remove(c, idOf(c, 'a'), { ifVersion: store.lastCommit });
      await t.commit();
    }));

  test('a record just read need not be read again, but is validated', () =>
    withStore(3, async ({ store, engine }) => {
      const c = await store.createCollection('default', { name: 'c' });
      await write(store, (t) => t.insert(c, doc({ _key: 'a', n: 1 })));
      const t = store.begin();
      const [record] = await allOf(t.scan(c));
      const { gets } = engine.stats();
      await t.update(c, record!.uuid, doc({ n: 2 }), { current: record });
      expect(engine.stats().gets).toBe(gets);
      await t.update(c, record!.uuid, doc({ m: 3 }), { current: record });
      expect(plain(await t.get(c, record!.uuid))).toEqual({ _key: 'a', n: 2, m: 3 });
      await write(store, (u) => u.update(c, record!.uuid, doc({ n: 9 })));
      await expect(t.commit()).rejects.toMatchObject({ code: 'WRITE_CONFLICT' });
    }));
});

describe('limits', () => {
  test('documents', () =>
    inTransaction(
      async ({ t, c }) => {
        const refused = { code: 'LIMIT_EXCEEDED' };
        await expect(t.insert(c, doc({ s: 'x'.repeat(1000) }))).rejects.toMatchObject(refused);
        await expect(t.insert(c, doc({ a: [[[[1]]]] }))).rejects.toMatchObject(refused);
        await expect(t.insert(c, doc({ a: 1, b: 2, c: 3, d: 4 }))).rejects.toMatchObject(refused);
        await t.insert(c, doc({ a: [[1]], b: 'x'.repeat(900) }));
      },
      { limits: { documentBytesMax: 1000, depthMax: 4, attributesMax: 4 } },
    ));

  test('writes and bytes of a transaction', () =>
    inTransaction(
      async ({ t, c }) => {
        for (let n = 0; n < 3; n++) await t.insert(c, doc({ n }));
        await expect(t.insert(c, doc({ n: 3 }))).rejects.toMatchObject({
          code: 'TRANSACTION_TOO_LARGE',
        });
        expect(await t.count(c)).toBe(3);
      },
      { limits: { transactionWritesMax: 3 } },
    ));

  test('a transaction of several log records', () =>
    withStore(4, async ({ store }) => {
      const c = await store.createCollection('default', { name: 'c' });
      const t = store.begin();
      for (let n = 0; n < 3; n++)
        await t.insert(c, doc({ _key: `${n}`, s: 'x'.repeat(15_000_000) }));
      await t.commit();
      expect(store.stats().appliedIndex).toBe(3);
      await write(store, (u) => u.insert(c, doc({ _key: 'next' })));
      const u = store.begin();
      expect(await u.count(c)).toBe(4);
      u.rollback();
    }));
});

test('insertMany gives results and errors in input order, and keeps what was good', () =>
  withStore(5, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await store.createIndex(made, {
      type: 'persistent',
      fields: ['u'],
      unique: true,
      sparse: true,
    });
    const c = store.catalog().byId(made.id)!;
    await write(store, (t) => t.insert(c, doc({ _key: 'a', u: 1 })));
    const t = store.begin();
    const results = await t.insertMany(c, [
      doc({ _key: 'b', u: 2 }),
      doc({ _key: 'a' }),
      doc({ _key: 'b' }),
      doc({ _key: '' }),
      doc({ _key: 'c', u: 1 }),
      doc({ _key: 'd', u: 2 }),
      doc({ _key: 'e', u: 3 }),
    ]);
    const codes = results.map((r) => ('error' in r ? (r.error as { code: string }).code : r.key));
    expect(codes).toEqual([
      'b',
      'KEY_EXISTS',
      'KEY_EXISTS',
      'INVALID_KEY',
      'UNIQUE_VIOLATION',
      'UNIQUE_VIOLATION',
      'e',
    ]);
    await t.commit();
    const u = store.begin();
    expect((await allOf(u.scan(c))).map((r) => r.document()['_key']).sort()).toEqual([
      'a',
      'b',
      'e',
    ]);
    u.rollback();
    expect((await verify(store)).faults).toEqual([]);
  }));

test('a loop that writes what it scans ends, and sees only what was there', () =>
  withStore(6, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const index = await store.createIndex(made, { type: 'persistent', fields: ['n'] });
    const c = store.catalog().byId(made.id)!;
    await write(store, (t) =>
      t.insertMany(
        c,
        [1, 2, 3].map((n) => doc({ _key: `${n}`, n })),
      ),
    );
    const t = store.begin();
    let seen = 0;
    for await (const batch of t.scanIndex(c, index, { equal: [] }, { batchRows: 1 })) {
      for (const { uuid, values } of batch) {
        seen++;
        await t.update(c, uuid, doc({ n: (values[0] as number) + 10 }));
        await t.insert(c, doc({ n: 100 + seen }));
      }
    }
    expect(seen).toBe(3);
    expect(
      (await allOf(t.scanIndex(c, index, { equal: [] }))).map(({ values }) => values[0]),
    ).toEqual([11, 12, 13, 101, 102, 103]);
    await t.commit();
    expect((await verify(store)).faults).toEqual([]);
  }));

describe('rules', () => {
  /** Parents and children by `parent`: removal cascades; names must be strings; stamps are filled in. */
  const rules: RulesFactory = (collection, catalog): CollectionRules | undefined =>
    collection.name !== 'tree'
      ? undefined
      : {
          prepare(document, { operation }) {
            if (document['name'] === 13) throw new Error('unlucky');
            return { ...document, operation };
          },
          async afterWrite(transaction, { operation, before }) {
            if (operation !== 'remove') return;
            const key = before!.read({ steps: ['_key'] });
            const index = catalog.byId(collection.id)!.indexes[0]!;
            const children = await allOf(
              transaction.scanIndex(collection, index, { equal: [key] }),
            );
            for (const { uuid } of children) await transaction.remove(collection, uuid);
            if (key === 'stubborn') throw new Error('stays');
          },
        };

  async function tree(store: ShardStore): Promise<CollectionInfo> {
    const made = await store.createCollection('default', { name: 'tree' });
    await store.createIndex(made, { type: 'persistent', fields: ['parent'] });
    const c = store.catalog().byId(made.id)!;
    await write(store, (t) =>
      t.insertMany(c, [
        doc({ _key: 'root' }),
        doc({ _key: 'stubborn', parent: 'root' }),
        doc({ _key: 'leaf', parent: 'stubborn' }),
        doc({ _key: 'branch' }),
        doc({ _key: 'twig', parent: 'branch' }),
      ]),
    );
    return c;
  }

  test('prepare completes and refuses; a cascade happens in the transaction', () =>
    withStore(
      7,
      async ({ store }) => {
        const c = await tree(store);
        const t = store.begin();
        await expect(t.insert(c, doc({ name: 13 }))).rejects.toThrow('unlucky');
        const results = await t.insertMany(c, [doc({ name: 13 }), doc({ _key: 'ok' })]);
        expect(results.map((r) => 'error' in r)).toEqual([true, false]);
        expect((await t.get(c, idOf(c, 'ok')))!.document()['operation']).toBe('insert');
        await t.remove(c, idOf(c, 'branch'));
        expect(await t.get(c, idOf(c, 'twig'))).toBeUndefined();
        await t.commit();
        expect((await verify(store)).faults).toEqual([]);
      },
      { rules },
    ));

  test('a write whose rules fail leaves the transaction as it was, cascade included', () =>
    withStore(
      8,
      async ({ store }) => {
        const c = await tree(store);
        const t = store.begin();
        await expect(t.remove(c, idOf(c, 'root'))).rejects.toThrow('stays');
        expect(await t.count(c)).toBe(5);
        await t.insert(c, doc({ _key: 'mine', parent: 'root' }));
        const writes = t.writes;
        await expect(t.remove(c, idOf(c, 'root'))).rejects.toThrow('stays');
        expect(t.writes).toBe(writes);
        expect(await t.count(c)).toBe(6);
        expect((await allOf(t.scan(c))).length).toBe(6);
        const index = c.indexes[0]!;
        expect((await allOf(t.scanIndex(c, index, { equal: ['root'] }))).length).toBe(2);
        await t.commit();
        expect((await verify(store)).faults).toEqual([]);
        const u = store.begin();
        expect(await u.count(c)).toBe(6);
        u.rollback();
      },
      { rules },
    ));
});

describe('state of a transaction', () => {
  test('after its end every call is refused, but rollback', () =>
    inTransaction(async ({ store, c }) => {
      for (const end of ['commit', 'rollback'] as const) {
        const t = store.begin();
        await t[end]();
        const ended = expect.objectContaining({ code: 'TRANSACTION_ENDED' }) as Error;
        await expect(t.get(c, idOf(c, 'a'))).rejects.toEqual(ended);
        await expect(t.insert(c, doc({}))).rejects.toEqual(ended);
        await expect(t.commit()).rejects.toEqual(ended);
        expect(() => t.scan(c)).toThrow(ended);
        t.rollback();
        expect(t.state).toBe(end === 'commit' ? 'committed' : 'rolled-back');
      }
    }));

  test('a read-only one refuses writes', () =>
    inTransaction(async ({ store, c }) => {
      const t = store.begin({ readOnly: true });
      await expect(t.insert(c, doc({}))).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      t.rollback();
    }));

  test('runTransaction runs again on conflict, and not on other errors', () =>
    withStore(9, async ({ store, env }) => {
      const c = await store.createCollection('default', { name: 'c' });
      await write(store, (t) => t.insert(c, doc({ _key: 'n', n: 0 })));
      const increment = (): Promise<number> =>
        runTransaction(store, { env, attemptsMax: 50 }, async (t) => {
          const n = (await t.get(c, idOf(c, 'n')))!.document()['n'] as number;
          await env.timers.sleep(1);
          await t.update(c, idOf(c, 'n'), doc({ n: n + 1 }));
          return n;
        });
      await Promise.all(Array.from({ length: 10 }, increment));
      const t = store.begin();
      expect((await t.get(c, idOf(c, 'n')))!.document()['n']).toBe(10);
      t.rollback();
      expect(store.stats().conflicts).toBeGreaterThan(0);
      let runs = 0;
      const failing = runTransaction(store, { env }, async () => {
        runs++;
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(runs).toBe(1);
      const hopeless = runTransaction(store, { env, attemptsMax: 3 }, async (u) => {
        await u.update(c, idOf(c, 'n'), doc({ n: 1 }));
        await write(store, (v) => v.update(c, idOf(c, 'n'), doc({ n: 2 })));
      });
      expect(hasCode(await hopeless.catch((e: unknown) => e), 'WRITE_CONFLICT')).toBe(true);
      expect(store.stats().transactionsOpen).toBe(0);
    }));
});

test('an index on _key, and one that stores it, know keys that were made', () =>
  withStore(10, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const byKey = await store.createIndex(made, { type: 'persistent', fields: ['_key'] });
    const byN = await store.createIndex(made, {
      type: 'persistent',
      fields: ['n'],
      storedValues: ['_key'],
    });
    const c = store.catalog().byId(made.id)!;
    const t = store.begin();
    const { key } = await t.insert(c, doc({ n: 1 }));
    await t.commit();
    const u = store.begin();
    expect((await allOf(u.scanIndex(c, byKey, { equal: [key] }))).length).toBe(1);
    expect((await allOf(u.scanIndex(c, byN, { equal: [1] })))[0]!.stored).toEqual([key]);
    u.rollback();
    expect((await verify(store)).faults).toEqual([]);
  }));
