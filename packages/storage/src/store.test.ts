import { expect, test } from 'vitest';
import type { MemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import { allOf, doc, idOf, openTestStore, plain, withStore, write } from './testing/test-store.ts';

test('an entity is written, read, changed, removed', async () => {
  await withStore(1, async ({ store }) => {
    const users = await store.createCollection('default', { name: 'users' });
    await write(store, (t) => t.insert(users, doc({ _key: 'a', name: 'Ada', tags: [1, 2] })));
    const read = store.begin();
    const record = await read.get(users, idOf(users, 'a'));
    expect(plain(record)).toEqual({ _key: 'a', name: 'Ada', tags: [1, 2] });
    expect(record!.document()['_id']).toBe('users/a');
    expect(record!.version).toBe(store.lastCommit);
    expect(await read.count(users)).toBe(1);
    await write(store, (t) => t.update(users, idOf(users, 'a'), doc({ name: 'Eva' })));
    await write(store, (t) => t.insert(users, doc({ name: 'Bob' })));
    expect(plain(await read.get(users, idOf(users, 'a')))).toMatchObject({ name: 'Ada' });
    expect(await read.count(users)).toBe(1);
    await read.commit();
    const next = store.begin();
    expect(plain(await next.get(users, idOf(users, 'a')))).toMatchObject({ name: 'Eva' });
    expect((await allOf(next.scan(users))).length).toBe(2);
    await next.remove(users, idOf(users, 'a'));
    expect(await next.get(users, idOf(users, 'a'))).toBeUndefined();
    expect(await next.count(users)).toBe(1);
    await next.commit();
    const last = store.begin();
    expect((await allOf(last.scan(users))).map((each) => each.document()['name'])).toEqual(['Bob']);
    last.rollback();
  });
});

test('indexes answer ranges, follow updates and refuse duplicates', async () => {
  await withStore(2, async ({ store }) => {
    let users = await store.createCollection('default', { name: 'users' });
    await write(store, (t) =>
      t.insertMany(users, [
        doc({ _key: 'a', mail: 'a@x', age: 30 }),
        doc({ _key: 'b', mail: 'b@x', age: 40 }),
      ]),
    );
    const byMail = await store.createIndex(users, {
      type: 'persistent',
      fields: ['mail'],
      unique: true,
      storedValues: ['age'],
    });
    const byAge = await store.createIndex(users, { type: 'persistent', fields: ['age'] });
    users = store.catalog().find('default', 'users')!;
    expect(users.indexes.map(({ state }) => state)).toEqual(['ready', 'ready']);
    const t = store.begin();
    const found = await allOf(t.scanIndex(users, byMail, { equal: ['b@x'] }));
    expect(found.map(({ uuid, values, stored }) => [uuid, values, stored])).toEqual([
      [idOf(users, 'b'), ['b@x'], [40]],
    ]);
    await expect(t.insert(users, doc({ mail: 'a@x' }))).rejects.toMatchObject({
      code: 'UNIQUE_VIOLATION',
    });
    await t.update(users, idOf(users, 'a'), doc({ age: 50, mail: 'c@x' }));
    await t.insert(users, doc({ _key: 'd', mail: 'a@x', age: 45 }));
    const ages = (lower: number): Promise<unknown[]> =>
      allOf(
        t.scanIndex(users, byAge, { equal: [], lower: { value: lower, inclusive: false } }),
      ).then((entries) => entries.map(({ values }) => values[0]));
    expect(await ages(40)).toEqual([45, 50]);
    await t.commit();
    const u = store.begin();
    const mails = await allOf(u.scanIndex(users, byMail, { equal: [] }, { reverse: true }));
    expect(mails.map(({ values }) => values[0])).toEqual(['c@x', 'b@x', 'a@x']);
    u.rollback();
  });
});

test('the state survives a power cut after the commit', async () => {
  const env = makeSimEnv(3);
  const first = await env.run(async () => {
    const test = await openTestStore(env);
    const users = await test.store.createCollection('default', { name: 'users' });
    await write(test.store, (t) => t.insert(users, doc({ _key: 'a', n: 1 })));
    return test;
  });
  env.crash();
  const engine = (first.engine as MemoryEngine).crash(env.prng);
  await env.run(async () => {
    const { store } = await openTestStore(env, engine);
    const users = store.catalog().find('default', 'users')!;
    const t = store.begin();
    expect(plain(await t.get(users, idOf(users, 'a')))).toEqual({ _key: 'a', n: 1 });
    expect(await t.count(users)).toBe(1);
    t.rollback();
  });
});

test('two writers of one entity: the first committer wins', async () => {
  await withStore(4, async ({ store }) => {
    const users = await store.createCollection('default', { name: 'users' });
    await write(store, (t) => t.insert(users, doc({ _key: 'a', n: 0 })));
    const [one, two] = [store.begin(), store.begin()];
    await one.update(users, idOf(users, 'a'), doc({ n: 1 }));
    await two.update(users, idOf(users, 'a'), doc({ n: 2 }));
    const results = await Promise.allSettled([one.commit(), two.commit()]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'WRITE_CONFLICT' });
    const t = store.begin();
    expect(plain(await t.get(users, idOf(users, 'a')))).toMatchObject({ n: 1 });
    t.rollback();
  });
});
