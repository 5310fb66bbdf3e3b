import { expect, test } from 'vitest';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { Timestamp } from '../contract/transaction.ts';
import type { ShardStore } from '../store.ts';
import { timestampOfMs } from '../timestamp.ts';
import {
  allOf,
  doc,
  idOf,
  longTime,
  openTestStore,
  plain,
  withStore,
  write,
} from '../testing/test-store.ts';
import { rangeOf, space } from '../keys.ts';
import { makeSimEnv } from '@themisdb/testing';
import type { MemoryEngine } from '@themisdb/kv';

type State = Record<string, unknown>;

async function stateAt(
  store: ShardStore,
  collection: CollectionInfo,
  asOf: Timestamp,
): Promise<State> {
  const t = store.begin({ asOf });
  const rows = await allOf(t.scan(collection, { batchRows: 2 }));
  const byScan = Object.fromEntries(rows.map((row) => [row.document()['_key'], plain(row)]));
  const keys = ['a', 'b', 'c', 'd'];
  const got = await t.getMany(
    collection,
    keys.map((key) => idOf(collection, key)),
  );
  const byKey = Object.fromEntries(
    keys.flatMap((key, i) => (got[i] === undefined ? [] : [[key, plain(got[i])]])),
  );
  expect(byKey).toEqual(byScan);
  expect(await t.count(collection)).toBe(rows.length);
  expect(t.readOnly).toBe(true);
  t.rollback();
  return byScan;
}

async function present(store: ShardStore, collection: CollectionInfo): Promise<State> {
  const t = store.begin({ readOnly: true });
  const rows = await allOf(t.scan(collection));
  t.rollback();
  return Object.fromEntries(rows.map((row) => [row.document()['_key'] as string, plain(row)]));
}

/** Random changes of four entities; what the state was after each. */
async function changeAtRandom(
  store: ShardStore,
  collection: CollectionInfo,
  prng: { pick<T>(items: readonly T[]): T; chance(p: number): boolean },
  steps: number,
): Promise<{ at: Timestamp; state: State }[]> {
  const moments: { at: Timestamp; state: State }[] = [];
  for (let i = 0; i < steps; i++) {
    await write(store, async (t) => {
      for (const key of ['a', 'b', 'c', 'd']) {
        if (prng.chance(0.5)) continue;
        const uuid = idOf(collection, key);
        if ((await t.get(collection, uuid)) === undefined)
          await t.insert(collection, doc({ _key: key, i }));
        else if (prng.chance(0.4)) await t.remove(collection, uuid);
        else await t.update(collection, uuid, doc({ i }));
      }
    });
    moments.push({ at: store.lastCommit, state: await present(store, collection) });
  }
  return moments;
}

test.each([1, 2, 3, 4])('every past state can be read, seed %i', async (seed) => {
  await withStore(seed, async ({ store, env }) => {
    const collection = await store.createCollection('default', { name: 'c' });
    const start = store.lastCommit;
    const moments = await changeAtRandom(store, collection, env.prng, 40);
    expect(await stateAt(store, collection, start)).toEqual({});
    for (const [i, { at, state }] of moments.entries()) {
      expect(await stateAt(store, collection, at)).toEqual(state);
      const next = moments[i + 1];
      if (next !== undefined && next.at > at + 1n)
        expect(await stateAt(store, collection, next.at - 1n)).toEqual(state);
    }
  });
});

test.each([1, 2, 3, 4])(
  'history past its retention goes, the rest stays, seed %i',
  async (seed) => {
    const hour = 3_600_000;
    await withStore(seed, async ({ store, env, engine }) => {
      const collection = await store.createCollection('default', { name: 'c' });
      const early = await changeAtRandom(store, collection, env.prng, 20);
      await env.timers.sleep(20 * hour);
      const late = await changeAtRandom(store, collection, env.prng, 20);
      await env.timers.sleep(10 * hour);
      await store.checkpoint();
      const horizon = timestampOfMs(env.clock.nowMs() - 24 * hour);
      expect(late[0]!.at > horizon && early[19]!.at < horizon).toBe(true);
      expect(() => store.begin({ asOf: early[18]!.at })).toThrow(
        expect.objectContaining({ code: 'SNAPSHOT_TOO_OLD' }),
      );
      for (const { at, state } of [early[19]!, ...late])
        expect(await stateAt(store, collection, at)).toEqual(state);
      await env.timers.sleep(30 * hour);
      await store.checkpoint();
      const { keys } = store.context;
      expect(await allOf(engine.scan(rangeOf(keys.whole(space.history))))).toEqual([]);
      expect(await allOf(engine.scan(rangeOf(keys.whole(space.change))))).toEqual([]);
      expect(await stateAt(store, collection, store.lastCommit)).toEqual(late[19]!.state);
    });
  },
);

test('the start of history survives a restart', async () => {
  const env = makeSimEnv(1);
  const first = await env.run(async () => {
    const opened = await openTestStore(env);
    const collection = await opened.store.createCollection('default', { name: 'c' });
    await changeAtRandom(opened.store, collection, env.prng, 5);
    await env.timers.sleep(2 * 86_400_000);
    await opened.store.checkpoint();
    return opened;
  }, longTime);
  env.crash();
  await env.run(async () => {
    const { store } = await openTestStore(env, (first.engine as MemoryEngine).crash(env.prng));
    expect(() => store.begin({ asOf: 1n })).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_TOO_OLD' }),
    );
  });
});

test('the future and what a truncation took cannot be read', async () => {
  await withStore(5, async ({ store }) => {
    const collection = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(collection, doc({ _key: 'a' })));
    const before = store.lastCommit;
    expect(() => store.begin({ asOf: before + timestampOfMs(1000) })).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_IN_FUTURE' }),
    );
    await store.truncateCollection(collection);
    const t = store.begin({ asOf: before });
    await expect(t.get(collection, idOf(collection, 'a'))).rejects.toMatchObject({
      code: 'SNAPSHOT_TOO_OLD',
    });
    t.rollback();
    expect(await stateAt(store, collection, store.lastCommit)).toEqual({});
  });
});

test('a moment between the last commit and now stays what it was', async () => {
  await withStore(6, async ({ store, env }) => {
    const collection = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(collection, doc({ _key: 'a', n: 1 })));
    await env.timers.sleep(1000);
    const moment = timestampOfMs(env.clock.nowMs());
    expect(await stateAt(store, collection, moment)).toEqual({ a: { _key: 'a', n: 1 } });
    await write(store, (t) => t.update(collection, idOf(collection, 'a'), doc({ n: 2 })));
    expect(await stateAt(store, collection, moment)).toEqual({ a: { _key: 'a', n: 1 } });
  });
});
