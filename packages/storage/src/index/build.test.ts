import { expect, test } from 'vitest';
import type { MemoryEngine } from '@themisdb/kv';
import { hasCode } from '@themisdb/base';
import { makeSimEnv } from '@themisdb/testing';
import type { IndexSpec } from '../contract/catalog.ts';
import { allOf, doc, idOf, openTestStore, withStore, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

const byN: IndexSpec = { type: 'persistent', fields: ['n'] };
const uniqueN: IndexSpec = { ...byN, unique: true };

test('builds over existing data, tells its progress, is idempotent', () =>
  withStore(1, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const documents = Array.from({ length: 2500 }, (_, n) => doc({ n }));
    await write(store, (t) => t.insertMany(made, documents));
    const progress: number[][] = [];
    const index = await store.createIndex(made, uniqueN, (...at) => progress.push(at));
    expect(progress).toEqual([
      [1000, 2500],
      [2000, 2500],
      [2500, 2500],
    ]);
    expect(index.state).toBe('ready');
    expect((await store.createIndex(made, { ...uniqueN, name: 'other' })).id).toBe(index.id);
    expect(store.indexStatistics(index)).toEqual({ entries: 2500, selectivity: 1 });
    expect((await verify(store)).faults).toEqual([]);
    await expect(
      store.createIndex(made, { type: 'persistent', fields: ['m'], name: index.name }),
    ).rejects.toMatchObject({ code: 'INDEX_EXISTS' });
    await store.dropIndex(made, index);
    expect(store.catalog().byId(made.id)!.indexes).toEqual([]);
    await expect(store.dropIndex(made, index)).rejects.toMatchObject({ code: 'INDEX_NOT_FOUND' });
    const again = await store.createIndex(made, uniqueN);
    expect(again.id).toBeGreaterThan(index.id);
  }));

test('equal values stop a unique index, which is gone then', () =>
  withStore(2, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await write(store, (t) =>
      t.insertMany(
        made,
        [1, 2, 1].map((n) => doc({ n })),
      ),
    );
    await expect(store.createIndex(made, uniqueN)).rejects.toMatchObject({
      code: 'UNIQUE_VIOLATION',
    });
    expect(store.catalog().byId(made.id)!.indexes).toEqual([]);
    await write(store, (t) => t.insert(made, doc({ n: 1 })));
  }));

test('two requests for one index share its build', () =>
  withStore(3, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await write(store, (t) =>
      t.insertMany(
        made,
        [1, 2, 3].map((n) => doc({ n })),
      ),
    );
    const [a, b] = await Promise.all([store.createIndex(made, byN), store.createIndex(made, byN)]);
    expect([a.state, b.state, a.id === b.id]).toEqual(['ready', 'ready', true]);
  }));

test('an older transaction cannot read an index that became ready after it began', () =>
  withStore(4, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(made, doc({ n: 1 })));
    const t = store.begin();
    const index = await store.createIndex(made, byN);
    await expect(allOf(t.scanIndex(made, index, { equal: [] }))).rejects.toMatchObject({
      code: 'WRITE_CONFLICT',
    });
    expect(t.catalog.byId(made.id)!.indexes).toEqual([]);
    t.rollback();
  }));

// Writers insert, change and remove while indexes are built under them.
test.each([1, 2, 3, 4, 5, 6, 7, 8])('writers may go on during a build, seed %i', (seed) =>
  withStore(seed, async ({ store, env }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const key = (): string => `k${env.prng.below(300)}`;
    const start = Array.from({ length: 300 }, (_, n) =>
      doc({ _key: `k${n}`, n, tags: [n, n % 7] }),
    );
    await write(store, (t) => t.insertMany(made, start));
    let isOver = false;
    const writer = async (): Promise<void> => {
      while (!isOver) {
        await env.timers.sleep(env.prng.float());
        const t = store.begin();
        try {
          const c = t.catalog.byId(made.id)!;
          for (let i = 0; i < 3; i++) {
            const uuid = idOf(c, key());
            const there = await t.get(c, uuid);
            const n = env.prng.below(100_000);
            if (there === undefined) await t.insert(c, doc({ _key: key(), n, tags: [n] }));
            else if (env.prng.chance(0.3)) await t.remove(c, uuid);
            else await t.update(c, uuid, doc({ n, tags: [n % 7] }));
          }
          await t.commit();
        } catch (error) {
          t.rollback();
          if (!hasCode(error, 'WRITE_CONFLICT', 'KEY_EXISTS', 'UNIQUE_VIOLATION')) throw error;
        }
      }
    };
    const writers = Promise.all([writer(), writer(), writer()]);
    await env.timers.sleep(3);
    const specs: IndexSpec[] = [byN, uniqueN, { type: 'persistent', fields: ['tags[*]'] }];
    const built = await Promise.allSettled(specs.map((spec) => store.createIndex(made, spec)));
    await env.timers.sleep(5);
    isOver = true;
    await writers;
    expect(built[0]!.status).toBe('fulfilled');
    expect(built[2]!.status).toBe('fulfilled');
    expect(
      store
        .catalog()
        .byId(made.id)!
        .indexes.every(({ state }) => state === 'ready'),
    ).toBe(true);
    expect((await verify(store)).faults).toEqual([]);
  }),
);

test.each([1, 2, 3, 4, 5, 6])(
  'a crash during a build leaves no trace of it, seed %i',
  async (seed) => {
    const env = makeSimEnv(seed);
    const first = await env.run(async () => {
      const opened = await openTestStore(env);
      const { store } = opened;
      const made = await store.createCollection('default', { name: 'c' });
      const rows = Array.from({ length: 3000 }, (_, n) => doc({ n }));
      await write(store, (t) => t.insertMany(made, rows));
      store.createIndex(made, byN).catch(() => undefined);
      while (store.catalog().byId(made.id)!.indexes.length === 0) await env.timers.sleep(0.1);
      await env.timers.sleep(env.prng.float() * 0.5);
      return opened;
    });
    env.crash();
    const engine = (first.engine as MemoryEngine).crash(env.prng);
    await env.run(async () => {
      const { store } = await openTestStore(env, engine);
      const c = store.catalog().find('default', 'c')!;
      expect(c.indexes.every(({ state }) => state === 'ready')).toBe(true);
      const range = { gte: store.context.keys.whole(4), lt: store.context.keys.whole(5) };
      const entries = await allOf(engine.scan(range));
      expect(entries.length).toBe(c.indexes.length * 3000);
      await store.createIndex(c, byN);
      expect((await verify(store)).faults).toEqual([]);
    });
  },
);

test('dropping the collection ends a build', () =>
  withStore(9, async ({ store }) => {
    const made = await store.createCollection('default', { name: 'c' });
    const rows = Array.from({ length: 3000 }, (_, n) => doc({ n }));
    await write(store, (t) => t.insertMany(made, rows));
    const build = store.createIndex(made, byN);
    const drop = store.dropCollection(made);
    const [built] = await Promise.allSettled([build, drop]);
    expect(built.status).toBe('rejected');
    expect(store.catalog().collections('default')).toEqual([]);
    const range = { gte: store.context.keys.whole(2), lt: store.context.keys.whole(5) };
    expect(await allOf(store.context.engine.scan(range))).toEqual([]);
  }));
