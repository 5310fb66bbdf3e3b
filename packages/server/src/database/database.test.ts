import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@themisdb/base';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { open } from './open.ts';
import type { Collection, Database } from './types.ts';

let database: Database;
let users: Collection;
beforeAll(async () => {
  database = await open('unused', { engine: 'memory', log: silentLog });
  users = await database.createCollection({ name: 'users' });
});
afterAll(() => database.close());
beforeEach(() => users.truncate());

describe('entities', () => {
  test('are inserted, put, patched, replaced and deleted', async () => {
    const made = await users.insert({ name: 'Ada', born: new Date(0), none: undefined });
    expect(made).toMatchObject({ name: 'Ada', born: '1970-01-01T00:00:00.000Z' });
    expect(Object.keys(made)).not.toContain('none');
    const key = made['_key'] as string;
    expect(await users.get(key)).toEqual(made);
    expect(await users.patch(key, { age: 36 })).toMatchObject({ name: 'Ada', age: 36 });
    const put = await users.put(key, { n: 1 });
    expect(put['name']).toBeUndefined();
    await expect(users.put(key, { n: 2 }, { ifRev: made['_rev'] as string })).rejects.toMatchObject(
      {
        code: 'PRECONDITION_FAILED',
      },
    );
    expect(await users.put(key, { n: 2 }, { ifRev: put['_rev'] as string })).toMatchObject({
      n: 2,
    });
    expect(await users.delete(key)).toMatchObject({ n: 2 });
    expect(await users.get(key)).toBeUndefined();
    await expect(users.delete(key)).rejects.toMatchObject({ code: 'ENTITY_NOT_FOUND' });
    await expect(users.replace(key, {})).rejects.toMatchObject({ code: 'ENTITY_NOT_FOUND' });
  });

  test('many at once', async () => {
    await users.put('a', { n: 0 });
    const results = await users.insertMany([{ _key: 'a' }, { _key: 'b' }, { _key: '' }]);
    expect(
      results.map((r) => ('error' in r ? (r.error as { code: string }).code : r['_key'])),
    ).toEqual(['KEY_EXISTS', 'b', 'INVALID_KEY']);
    const found = await users.getMany(['b', 'none', 'a']);
    expect(found.map((document) => document?.['_key'])).toEqual(['b', undefined, 'a']);
    expect(await users.count()).toBe(2);
  });

  test.each([
    [{ f: () => 1 }, 'document.f is a function'],
    [{ a: [{ b: NaN }] }, 'document.a[0].b is not a finite number'],
    [{ m: new Map() }, 'document.m is an object of a class'],
    [{ s: '\ud800' }, 'document.s is a string with a lone surrogate'],
    [{ b: 1n }, 'document.b is a bigint'],
    [[], 'document is not an object'],
  ])('what is no JSON is refused: %s', async (document, message) => {
    await expect(users.insert(document as never)).rejects.toMatchObject({
      code: 'INVALID_FIELD',
      message: expect.stringContaining(message),
    });
  });

  test('a value that holds itself is refused', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    await expect(users.insert(loop)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('unknown collections and keys', async () => {
    await expect(database.collection('usres').get('a')).rejects.toMatchObject({
      code: 'COLLECTION_NOT_FOUND',
      message: expect.stringContaining('did you mean users?'),
    });
    await expect(users.get('')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(users.get('k'.repeat(255))).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(await users.get('ü'.repeat(127))).toBeUndefined();
  });
});

describe('queries', () => {
  test('as a text, as what the aql tag makes, row by row, all, first', async () => {
    await database.query('FOR i IN 1..2500 INSERT { i } INTO users').all();
    const rows: number[] = [];
    for await (const row of database.query<number>('FOR u IN users SORT u.i RETURN u.i')) {
      rows.push(row);
    }
    expect(rows).toHaveLength(2500);
    expect(rows[2499]).toBe(2500);
    const tagged = {
      query: 'FOR u IN @@p0 FILTER u.i == @p1 RETURN u.i',
      params: { '@p0': 'users', p1: 7 },
    };
    expect(await database.query(tagged).all()).toEqual([7]);
    expect(await database.query('FOR u IN users RETURN 1', {}, { batchSize: 2 }).first()).toBe(1);
    expect(await database.query('FOR u IN users FILTER false RETURN 1').first()).toBeUndefined();
    expect(database.explain('FOR u IN users RETURN u').planText).toContain('users');
  });

  test('errors come where the result is read', async () => {
    const wrong = database.query('RETURN UPER(1)');
    await new Promise((resolve) => setImmediate(resolve));
    await expect(wrong.all()).rejects.toMatchObject({ code: 'AQL_UNKNOWN_FUNCTION' });
    await wrong.close();
  });

  test('leaving a loop early gives the snapshot back', async () => {
    for await (const row of database.query('FOR i IN 1..100000 RETURN i', {}, { batchSize: 10 })) {
      if (row === 25) break;
    }
    const run = await database.query('FOR i IN 1..100000 RETURN i').run();
    expect(run.state).toBe('running');
    await run.close();
    expect(run.state).not.toBe('running');
  });
});

describe('transactions', () => {
  test('commit as one, and roll back on any error', async () => {
    const result = await database.transaction(async (tx) => {
      await tx.collection('users').put('a', { n: 1 });
      await tx.query('INSERT { _key: "b", n: 2 } INTO users').all();
      expect(await users.get('a')).toBeUndefined();
      return tx.collection('users').count();
    });
    expect(result).toBe(2);
    const boom = new Error('boom');
    const failed = database.transaction(async (tx) => {
      await tx.collection('users').delete('a');
      throw boom;
    });
    await expect(failed).rejects.toBe(boom);
    expect(await users.count()).toBe(2);
  });

  test('run again on a conflict: no update is lost', async () => {
    await users.put('counter', { n: 0 });
    const add = (): Promise<unknown> =>
      database.transaction(
        async (tx) => {
          const { n } = (await tx.collection('users').get('counter')) as { n: number };
          await tx.collection('users').patch('counter', { n: n + 1 });
        },
        { attemptsMax: 100 },
      );
    await Promise.all(Array.from({ length: 10 }, add));
    expect(await users.get('counter')).toMatchObject({ n: 10 });
  });

  test('give up after as many attempts as asked', async () => {
    await users.put('hot', { n: 0 });
    let runs = 0;
    const failed = database.transaction(
      async (tx) => {
        runs++;
        await tx.collection('users').get('hot');
        await users.patch('hot', { n: runs });
        await tx.collection('users').patch('hot', { mine: true });
      },
      { attemptsMax: 3 },
    );
    await expect(failed).rejects.toMatchObject({ code: 'WRITE_CONFLICT', retryable: true });
    expect(runs).toBe(3);
  });
});

describe('changes', () => {
  test('come in order, also those that happen later, and end with the signal', async () => {
    const end = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const change of database.changes({ after: 'now', signal: end.signal })) {
        seen.push(`${change.operation} ${String(change.document?.['_key'])}`);
        if (seen.length === 3) end.abort();
      }
    })();
    await users.put('x', {});
    await users.put('x', { n: 1 });
    await users.delete('x');
    await reading;
    expect(seen).toEqual(['insert x', 'update x', 'remove undefined']);
  });
});

describe('namespaces', () => {
  test('see only their own', async () => {
    const other = database.inNamespace('other');
    expect(other.collections()).toEqual([]);
    await other.createCollection({ name: 'users' });
    await other.collection('users').put('a', { mine: true });
    expect(await users.get('a')).toBeUndefined();
    expect(() => database.inNamespace('not a name')).toThrow(/namespace name/);
  });
});

describe('on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-open-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('what was acknowledged is there after the next open; two may not open it', async () => {
    const first = await open(folder, { log: silentLog });
    const films = await first.createCollection({ name: 'films' });
    await films.createIndex({ type: 'persistent', fields: ['year'] });
    await films.put('alien', { year: 1979 });
    await expect(open(folder, { log: silentLog })).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    await first.close();
    await expect(films.get('alien')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(() => first.collection('films').info()).toThrow(/closed/);

    const second = await open(folder, { log: silentLog });
    expect(await second.collection('films').get('alien')).toMatchObject({ year: 1979 });
    const query = 'FOR f IN films FILTER f.year == 1979 RETURN f._key';
    expect(await second.query(query).all()).toEqual(['alien']);
    await second.collection('films').dropIndex(second.collection('films').info().indexes[0]!.id);
    await second.checkpoint();
    await second.close();
    await second.close();
  });
});
