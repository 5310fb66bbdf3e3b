import { describe, expect, test } from 'vitest';
import { objectFrom, type Value, type ValueObject } from '@themisdb/base';
import { makeMemoryEngine } from '@themisdb/kv';
import { uuidOfKey } from '@themisdb/protocol';
import { loadTokenHash } from '@themisdb/sharding';
import {
  openStore,
  type CollectionInfo,
  type CollectionSpec,
  type Store,
  type Transaction,
} from '@themisdb/storage';
import { makeSimEnv } from '@themisdb/testing';
import { openWal } from '@themisdb/wal';
import { checkCollectionSpec } from './check-spec.ts';
import { collectionRules } from './collection-rules.ts';

await loadTokenHash();

function doc(attributes: Readonly<Record<string, Value>>): ValueObject {
  return objectFrom(attributes);
}

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const wal = await openWal(env, { directory: 'wal' });
    const store = await openStore({ env, engine: makeMemoryEngine(), wal, rules: collectionRules });
    await body(store);
    await store.close();
    await wal.close();
  });
}

async function make(store: Store, spec: CollectionSpec): Promise<CollectionInfo> {
  checkCollectionSpec('default', spec, store.catalog());
  return store.createCollection('default', spec);
}

async function write<R>(store: Store, body: (t: Transaction) => Promise<R>): Promise<R> {
  const transaction = store.begin();
  try {
    const result = await body(transaction);
    await transaction.commit();
    return result;
  } finally {
    transaction.rollback();
  }
}

async function read(store: Store, collection: CollectionInfo, key: string): Promise<unknown> {
  const transaction = store.begin({ readOnly: true });
  const record = await transaction.get(collection, uuidOfKey(collection.uuidNamespace, key));
  transaction.rollback();
  if (record === undefined) return undefined;
  const { _id, _rev, _urn, ...rest } = record.document();
  return { ...rest };
}

const rejects = (promise: Promise<unknown>, code: string, message: RegExp): Promise<void> =>
  expect(promise).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });

describe('declared columns', () => {
  const people: CollectionSpec = {
    name: 'people',
    model: 'relational',
    columns: [
      { name: 'name', type: 'string', notNull: true },
      { name: 'age', type: 'int', default: 18 },
      { name: 'mail', type: 'string', unique: true },
      { name: 'born', type: 'date' },
    ],
  };

  test('fill defaults, keep every column, refuse what does not fit', async () => {
    await withStore(async (store) => {
      const table = await make(store, people);
      await write(store, (t) => t.insert(table, doc({ _key: 'a', name: 'Ada' })));
      expect(await read(store, table, 'a')).toEqual({
        _key: 'a',
        name: 'Ada',
        age: 18,
        mail: null,
        born: null,
      });
      const insert = (row: Readonly<Record<string, Value>>): Promise<unknown> =>
        write(store, (t) => t.insert(table, doc(row)));
      await rejects(insert({ age: 1 }), 'SCHEMA_VIOLATION', /column name .* must not be null/);
      await rejects(
        insert({ name: 'B', age: 1.5 }),
        'SCHEMA_VIOLATION',
        /column age .*whole number/,
      );
      await rejects(insert({ name: 'B', age: '7' }), 'SCHEMA_VIOLATION', /column age/);
      await rejects(insert({ name: 'B', born: '2023-02-30' }), 'SCHEMA_VIOLATION', /column born/);
      await rejects(insert({ name: 'B', nmae: 'x' }), 'SCHEMA_VIOLATION', /did you mean "name"/);
      await insert({ name: 'B', mail: 'b@x' });
      await rejects(insert({ name: 'C', mail: 'b@x' }), 'UNIQUE_VIOLATION', /./);
    });
  });
});

test('schema levels judge inserts and updates as they say', async () => {
  await withStore(async (store) => {
    const rule = doc({ required: ['a'], properties: doc({ a: doc({ type: 'number' }) }) });
    const loose = await make(store, { name: 'loose' });
    await write(store, (t) => t.insert(loose, doc({ _key: 'old', a: 'text' })));
    const update = (c: CollectionInfo, a: Value): Promise<unknown> =>
      write(store, (t) => t.update(c, uuidOfKey(c.uuidNamespace, 'old'), doc({ a })));
    const insert = (c: CollectionInfo, a: Value): Promise<unknown> =>
      write(store, (t) => t.insert(c, doc({ a })));

    const fresh = await store.alterCollection(loose, { schema: { rule, level: 'new' } });
    await rejects(insert(fresh, 'x'), 'SCHEMA_VIOLATION', /at \/a: must be number/);
    await insert(fresh, 1);
    await update(fresh, 'still text');

    const moderate = await store.alterCollection(fresh, { schema: { rule, level: 'moderate' } });
    await update(moderate, 'invalid before, so left alone');
    await update(moderate, 5);
    await rejects(update(moderate, 'was valid'), 'SCHEMA_VIOLATION', /at \/a/);

    const strict = await store.alterCollection(moderate, {
      schema: { rule, level: 'strict', message: 'numbers only' },
    });
    await rejects(update(strict, 'x'), 'SCHEMA_VIOLATION', /numbers only/);
  });
});

describe('foreign keys', () => {
  const teams: CollectionSpec = {
    name: 'teams',
    model: 'relational',
    columns: [{ name: 'code', type: 'string', unique: true }],
  };
  const members = (
    onDelete: 'restrict' | 'cascade' | 'set null',
    column?: string,
  ): CollectionSpec => ({
    name: 'members',
    model: 'relational',
    columns: [{ name: 'team', type: 'string' }],
    foreignKeys: [{ column: 'team', references: { collection: 'teams', column }, onDelete }],
  });

  async function setUp(
    store: Store,
    onDelete: 'restrict' | 'cascade' | 'set null',
    column?: string,
  ): Promise<[CollectionInfo, CollectionInfo]> {
    const team = await make(store, teams);
    const member = await make(store, members(onDelete, column));
    await write(store, (t) => t.insert(team, doc({ _key: 'red', code: 'R' })));
    await write(store, (t) =>
      t.insert(member, doc({ _key: 'm', team: column === undefined ? 'red' : 'R' })),
    );
    await write(store, (t) => t.insert(member, doc({ _key: 'free', team: null })));
    return [team, member];
  }

  const removeTeam = (store: Store, team: CollectionInfo): Promise<unknown> =>
    write(store, (t) => t.remove(team, uuidOfKey(team.uuidNamespace, 'red')));

  test('restrict: nothing points to nothing, nothing referenced goes', async () => {
    await withStore(async (store) => {
      const [team, member] = await setUp(store, 'restrict');
      await rejects(
        write(store, (t) => t.insert(member, doc({ team: 'blue' }))),
        'FOREIGN_KEY_VIOLATION',
        /members\.team → teams\._key/,
      );
      await rejects(removeTeam(store, team), 'FOREIGN_KEY_VIOLATION', /still refer/);
      expect(await read(store, team, 'red')).toBeDefined();
      await write(store, (t) => t.remove(member, uuidOfKey(member.uuidNamespace, 'm')));
      await removeTeam(store, team);
      expect(await read(store, team, 'red')).toBeUndefined();
    });
  });

  test('cascade removes, set null forgets', async () => {
    await withStore(async (store) => {
      const [team, member] = await setUp(store, 'cascade');
      await removeTeam(store, team);
      expect(await read(store, member, 'm')).toBeUndefined();
      expect(await read(store, member, 'free')).toBeDefined();
    });
    await withStore(async (store) => {
      const [team, member] = await setUp(store, 'set null');
      await removeTeam(store, team);
      expect(await read(store, member, 'm')).toEqual({ _key: 'm', team: null });
    });
  });

  test('a unique column can be referred to, and not changed under those who refer', async () => {
    await withStore(async (store) => {
      const [team] = await setUp(store, 'restrict', 'code');
      const change = write(store, (t) =>
        t.update(team, uuidOfKey(team.uuidNamespace, 'red'), doc({ code: 'X' })),
      );
      await rejects(change, 'FOREIGN_KEY_VIOLATION', /still refer/);
    });
  });

  test('a row added while its target is removed: one of the two fails', async () => {
    await withStore(async (store) => {
      const [team, member] = await setUp(store, 'restrict');
      await write(store, (t) => t.remove(member, uuidOfKey(member.uuidNamespace, 'm')));
      const [a, b] = [store.begin(), store.begin()];
      await a.insert(member, doc({ _key: 'late', team: 'red' }));
      await b.remove(team, uuidOfKey(team.uuidNamespace, 'red'));
      const ends = await Promise.allSettled([a.commit(), b.commit()]);
      expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
      const orphan =
        (await read(store, member, 'late')) !== undefined &&
        (await read(store, team, 'red')) === undefined;
      expect(orphan).toBe(false);
    });
  });
});

test.each<[string, CollectionSpec, string, RegExp]>([
  ['a bad name', { name: '9' }, 'INVALID_NAME', /letter or _/],
  ['a model not served', { name: 'v', model: 'vector' }, 'NOT_IMPLEMENTED', /not served/],
  ['no columns', { name: 'r', model: 'relational' }, 'INVALID_FIELD', /at least one column/],
  [
    'columns of a document',
    { name: 'd', columns: [{ name: 'a', type: 'int' }] },
    'INVALID_FIELD',
    /relational/,
  ],
  [
    'an unknown type',
    { name: 'r', model: 'relational', columns: [{ name: 'a', type: 'integr' as 'int' }] },
    'INVALID_FIELD',
    /unknown type/,
  ],
  [
    'a default of another type',
    { name: 'r', model: 'relational', columns: [{ name: 'a', type: 'int', default: 'x' }] },
    'INVALID_FIELD',
    /default of column a/,
  ],
  [
    'a column twice',
    {
      name: 'r',
      model: 'relational',
      columns: [
        { name: 'a', type: 'int' },
        { name: 'a', type: 'int' },
      ],
    },
    'INVALID_FIELD',
    /twice/,
  ],
  [
    'a key to nowhere',
    {
      name: 'r',
      model: 'relational',
      columns: [{ name: 'a', type: 'string' }],
      foreignKeys: [{ column: 'a', references: { collection: 'none' } }],
    },
    'INVALID_FIELD',
    /does not exist/,
  ],
  [
    'a key to a column that repeats',
    {
      name: 'r',
      model: 'relational',
      columns: [{ name: 'a', type: 'string' }],
      foreignKeys: [{ column: 'a', references: { collection: 'r', column: 'a' } }],
    },
    'INVALID_FIELD',
    /unique/,
  ],
  [
    'a schema that is none',
    { name: 'd', schema: { rule: doc({ typ: 'x' }), level: 'strict' } },
    'INVALID_SCHEMA',
    /did you mean "type"/,
  ],
])('a declaration with %s is refused', async (_, spec, code, message) => {
  await withStore((store) => rejects(make(store, spec), code, message));
});
