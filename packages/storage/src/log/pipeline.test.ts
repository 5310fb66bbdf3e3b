import { expect, test } from 'vitest';
import { makeMemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import {
  allOf,
  doc,
  idOf,
  longTime,
  openTestStore,
  withStore,
  write,
} from '../testing/test-store.ts';
import { failingEngine } from '../testing/failing-engine.ts';
import { openHeld } from '../testing/held-log.ts';
import { verify } from '../verify.ts';

test('commits of one turn share one append, and one engine batch', () =>
  withStore(1, async ({ store, wal, engine }) => {
    const c = await store.createCollection('default', { name: 'c' });
    const before = { ...wal.stats(), ...engine.stats() };
    await Promise.all(
      Array.from({ length: 64 }, (_, n) => write(store, (t) => t.insert(c, doc({ n })))),
    );
    const after = { ...wal.stats(), ...engine.stats() };
    expect(after.records - before.records).toBe(64);
    expect(after.syncs - before.syncs).toBeLessThanOrEqual(2);
    expect(after.batches - before.batches).toBeLessThanOrEqual(2);
  }));

test('commits that wait for a sync go with the next one', () =>
  withStore(2, async ({ store, wal, env }) => {
    const c = await store.createCollection('default', { name: 'c' });
    const { syncs } = wal.stats();
    const writer = async (n: number): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await env.timers.sleep(env.prng.float() * 0.05);
        await write(store, (t) => t.insert(c, doc({ n, i })));
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, n) => writer(n)));
    expect(wal.stats().syncs - syncs).toBeLessThan((32 * 20) / 5);
  }));

test('an engine without space makes commits wait that are in the log, and refuses others', async () => {
  const env = makeSimEnv(3);
  const { engine, fail } = failingEngine();
  await env.run(async () => {
    const { store } = await openTestStore(env, engine);
    const c = await store.createCollection('default', { name: 'c' });
    fail('DISK_FULL');
    const stuck = write(store, (t) => t.insert(c, doc({ _key: 'stuck' })));
    await env.timers.sleep(500);
    await expect(write(store, (t) => t.insert(c, doc({ _key: 'no' })))).rejects.toMatchObject({
      code: 'DISK_FULL',
    });
    const t = store.begin({ readOnly: true });
    expect(await allOf(t.scan(c))).toEqual([]);
    t.rollback();
    fail(undefined);
    await stuck;
    await write(store, (u) => u.insert(c, doc({ _key: 'yes' })));
    const u = store.begin();
    const keys = (await allOf(u.scan(c))).map((record) => record.document()['_key']).sort();
    expect(keys).toEqual(['stuck', 'yes']);
    u.rollback();
    expect((await verify(store)).faults).toEqual([]);
  });
});

test('an engine that fails stops the store; the log has what was acknowledged, and more', async () => {
  const env = makeSimEnv(4);
  const { engine, fail } = failingEngine();
  await env.run(async () => {
    const { store, wal } = await openTestStore(env, engine);
    const c = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(c, doc({ _key: 'a' })));
    const open = store.begin();
    const late = store.begin();
    await late.insert(c, doc({ _key: 'c' }));
    fail('DISK_IO');
    const failed = { code: 'STORE_FAILED' };
    // It is in the log: that it comes back must not be a surprise.
    await expect(write(store, (t) => t.insert(c, doc({ _key: 'b' })))).rejects.toMatchObject({
      code: 'UNKNOWN_OUTCOME',
    });
    await expect(late.commit()).rejects.toMatchObject(failed);
    expect(() => store.begin()).toThrow(expect.objectContaining(failed));
    await expect(open.get(c, idOf(c, 'a'))).rejects.toMatchObject(failed);
    await expect(store.createCollection('default', { name: 'd' })).rejects.toMatchObject(failed);
    await expect(store.checkpoint()).rejects.toMatchObject(failed);
    await expect(store.readChanges({ after: { index: 0, n: 0 }, limit: 1 })).rejects.toMatchObject(
      failed,
    );
    await wal.close();
    fail(undefined);
    const again = await openTestStore(env, engine);
    const t = again.store.begin();
    expect(await t.get(c, idOf(c, 'a'))).toBeDefined();
    expect(await t.get(c, idOf(c, 'b'))).toBeDefined();
    expect(await t.get(c, idOf(c, 'c'))).toBeUndefined();
    t.rollback();
    expect((await verify(again.store)).faults).toEqual([]);
  });
});

test('a failure outside leaves the outcome of what is in the log open, and refuses what is not', async () => {
  const env = makeSimEnv(10);
  await env.run(async () => {
    const { store, machine, log } = await openHeld({ env, engine: makeMemoryEngine() });
    const c = await store.createCollection('default', { name: 'c' });
    log.isHeld = true;
    const codeOf = (commit: Promise<void>): Promise<string> =>
      commit.then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    const proposed = codeOf(write(store, (t) => t.insert(c, doc({ n: 1 }))));
    await env.timers.sleep(10);
    expect(log.held.length).toBe(1);
    // Not even its turn has come.
    log.reserve = () => new Promise(() => {});
    const waiting = codeOf(write(store, (t) => t.insert(c, doc({ n: 2 }))));
    await env.timers.sleep(10);
    machine.fail(new Error('planted'));
    expect(await proposed).toBe('UNKNOWN_OUTCOME');
    expect(await waiting).toBe('STORE_FAILED');
    expect(log.held.length).toBe(1);
  });
});

test('an entry that cannot be read leaves no commit beside it without an end', async () => {
  const env = makeSimEnv(11);
  await env.run(async () => {
    const { store, machine, log } = await openHeld({ env, engine: makeMemoryEngine() });
    const c = await store.createCollection('default', { name: 'c' });
    log.isHeld = true;
    const commit = write(store, (t) => t.insert(c, doc({ n: 1 })));
    const ended = expect(commit).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' });
    await env.timers.sleep(10);
    const [own] = log.held;
    const strange = { index: own!.index + 1, term: own!.term, data: Uint8Array.of(99) };
    await expect(machine.apply([own!, strange])).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await ended;
    expect(log.failure).toMatchObject({ code: 'FORMAT_UNKNOWN' });
  });
});

test('checkpoints cut the log: when asked, by bytes, by time', async () => {
  const env = makeSimEnv(5);
  await env.run(async () => {
    const options = { checkpointBytes: 30_000, checkpointMs: 60_000 };
    const { store, wal, engine } = await openTestStore(env, undefined, options);
    const c = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(c, doc({ n: 1 })));
    await store.checkpoint();
    expect(wal.bounds(1)).toBeUndefined();
    expect(store.stats().flushedIndex).toBe(2);
    await write(store, (t) => t.insert(c, doc({ s: 'x'.repeat(40_000) })));
    await env.timers.sleep(10);
    expect(store.stats().flushedIndex).toBe(3);
    await write(store, (t) => t.insert(c, doc({ n: 2 })));
    await env.timers.sleep(59_000);
    expect(store.stats().flushedIndex).toBe(3);
    await env.timers.sleep(2_000);
    expect(store.stats().flushedIndex).toBe(4);
    await store.close();
    await wal.close();
    const again = await openTestStore(env, engine);
    expect(again.store.stats().appliedIndex).toBe(4);
    await write(again.store, (t) => t.insert(c, doc({ n: 3 })));
    expect(again.store.stats().appliedIndex).toBe(5);
  }, longTime);
});

test('timestamps rise over a restart, even when the wall clock was set back', async () => {
  const env = makeSimEnv(6);
  await env.run(async () => {
    const first = await openTestStore(env);
    const c = await first.store.createCollection('default', { name: 'c' });
    await write(first.store, (t) => t.insert(c, doc({ n: 1 })));
    const { lastCommit } = first.store;
    await first.store.close();
    await first.wal.close();
    const past = makeSimEnv(7, { scheduler: env.scheduler, epochMs: 0 });
    const backwards = { ...env, clock: past.clock };
    const again = await openTestStore(backwards, first.engine);
    expect(again.store.lastCommit).toBe(lastCommit);
    await write(again.store, (t) => t.insert(c, doc({ n: 2 })));
    expect(again.store.lastCommit > lastCommit).toBe(true);
  });
});

test('closing lets commits under way end, and takes no more', async () => {
  const env = makeSimEnv(8);
  await env.run(async () => {
    const { store, engine } = await openTestStore(env);
    const c = await store.createCollection('default', { name: 'c' });
    const under = write(store, (t) => t.insert(c, doc({ n: 1 })));
    const late = store.begin();
    await late.insert(c, doc({ n: 2 }));
    const build = store.createIndex(c, { type: 'persistent', fields: ['n'] });
    const outcome = build.then(
      () => 'built',
      (error: { code: string }) => error.code,
    );
    await env.timers.sleep(0);
    const closing = store.close();
    await under;
    await expect(late.commit()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(() => store.begin()).toThrow(expect.objectContaining({ code: 'SHUTTING_DOWN' }));
    await closing;
    expect(['built', 'SHUTTING_DOWN']).toContain(await outcome);
    expect(engine.stats().snapshotsOpen).toBe(0);
  });
});

test('statistics survive a restart, with and without a checkpoint', async () => {
  const env = makeSimEnv(9);
  await env.run(async () => {
    const first = await openTestStore(env);
    const made = await first.store.createCollection('default', { name: 'c' });
    const index = await first.store.createIndex(made, { type: 'persistent', fields: ['n'] });
    const c = first.store.catalog().byId(made.id)!;
    const rows = (count: number): ReturnType<typeof doc>[] =>
      Array.from({ length: count }, (_, n) => doc({ n: n % 10 }));
    await write(first.store, (t) => t.insertMany(c, rows(500)));
    await first.store.checkpoint();
    await write(first.store, (t) => t.insertMany(c, rows(300)));
    const before = first.store.indexStatistics(index);
    expect(before.entries).toBe(800);
    expect(before.selectivity).toBeGreaterThan(0.01);
    expect(before.selectivity).toBeLessThan(0.016);
    await first.wal.close();
    const engine = (first.engine as ReturnType<typeof makeMemoryEngine>).crash(env.prng);
    const again = await openTestStore(env, engine);
    const after = again.store.indexStatistics(index);
    expect(after.entries).toBeGreaterThanOrEqual(500);
    expect(after.entries).toBeLessThanOrEqual(800);
    expect(again.store.approximateCount(c)).toBe(800);
  });
});
