import { expect, test } from 'vitest';
import { makeMemoryEngine, type KvEngine } from '@themisdb/kv';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { openMachine } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { failingEngine } from '../testing/failing-engine.ts';
import { openHeld } from '../testing/held-log.ts';
import { doc, idOf, openTestStore, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
}

/** Whether it comes to an end. */
function soon(env: SimEnv, call: Promise<unknown>): Promise<string> {
  return Promise.race([codeOf(call), env.timers.sleep(60_000).then(() => 'hangs')]);
}

/** Every write takes its time from when `slow` is called. */
function slowEngine(env: SimEnv): { readonly engine: KvEngine; slow(): void } {
  const engine = makeMemoryEngine();
  const write = engine.write.bind(engine);
  let delayMs = 0;
  engine.write = async (batch) => {
    if (delayMs > 0) await env.timers.sleep(delayMs);
    await write(batch);
  };
  return { engine, slow: () => void (delayMs = 50) };
}

test('a store whose engine has no space closes; what its log has is there at the next start', async () => {
  const env = makeSimEnv(1);
  const { engine, fail } = failingEngine();
  await env.run(async () => {
    const { store, wal } = await openTestStore(env, engine);
    const c = await store.createCollection('default', { name: 'c' });
    fail('DISK_FULL');
    const stuck = codeOf(write(store, (t) => t.insert(c, doc({ _key: 'stuck' }))));
    await env.timers.sleep(500);
    expect(await soon(env, store.close())).toBe('done');
    expect(await stuck).toBe('UNKNOWN_OUTCOME');
    await wal.close();
    expect(env.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    fail(undefined);
    const again = await openTestStore(env, engine);
    const t = again.store.begin();
    expect(await t.get(c, idOf(c, 'stuck'))).toBeDefined();
    t.rollback();
    expect((await verify(again.store)).faults).toEqual([]);
  });
});

test('a store that gives up lets go of all that waits behind', async () => {
  const env = makeSimEnv(2);
  const { engine, fail } = failingEngine();
  await env.run(async () => {
    const { store, machine, log } = await openHeld({ env, engine });
    const c = await store.createCollection('default', { name: 'c' });
    log.isHeld = true;
    const insert = (n: number): Promise<string> =>
      codeOf(write(store, (t) => t.insert(c, doc({ n }))));
    const applying = insert(1);
    await env.timers.sleep(10);
    const [first] = log.held.splice(0);
    const proposed = insert(2);
    await env.timers.sleep(10);
    let makeRoom: () => void = () => {};
    log.reserve = () => new Promise((resolve) => (makeRoom = resolve));
    const waiting = insert(3);
    await env.timers.sleep(10);
    fail('DISK_FULL');
    const applied = codeOf(machine.apply([first!]));
    const closed = soon(env, store.close());
    expect(await applied).toBe('SHUTTING_DOWN');
    makeRoom();
    expect(await closed).toBe('done');
    expect(await applying).toBe('UNKNOWN_OUTCOME');
    expect(await proposed).toBe('UNKNOWN_OUTCOME');
    expect(await waiting).toBe('SHUTTING_DOWN');
    // With a gap in front nothing more may be applied, space or not.
    fail(undefined);
    expect(await codeOf(machine.apply(log.held))).toBe('SHUTTING_DOWN');
    expect(machine.applied.index).toBe(first!.index - 1);
  });
});

test('a follower without space for what it is given closes', async () => {
  const env = makeSimEnv(3);
  const { engine, fail } = failingEngine();
  await env.run(async () => {
    const leader = await openHeld({ env, engine: makeMemoryEngine() });
    const { store, machine } = await openMachine({ env, engine });
    leader.log.isHeld = true;
    void leader.store.createCollection('default', { name: 'c' });
    await env.timers.sleep(10);
    fail('DISK_FULL');
    const applied = soon(env, machine.apply(leader.log.held));
    await env.timers.sleep(500);
    expect(await soon(env, store.close())).toBe('done');
    expect(await applied).toBe('SHUTTING_DOWN');
    expect(machine.applied.index).toBe(0);
  });
});

test('closing waits for the commits that are being applied', async () => {
  const env = makeSimEnv(4);
  const { engine, slow } = slowEngine(env);
  await env.run(async () => {
    const { store } = await openTestStore(env, engine);
    const c = await store.createCollection('default', { name: 'c' });
    slow();
    const ends: string[] = [];
    const commit = write(store, (t) => t.insert(c, doc({ n: 1 }))).then(() => ends.push('commit'));
    await env.timers.sleep(20);
    await store.close().then(() => ends.push('close'));
    await commit;
    expect(ends).toEqual(['commit', 'close']);
  });
});

test('what a log gives while its store closes is applied', async () => {
  const env = makeSimEnv(5);
  const { engine, slow } = slowEngine(env);
  await env.run(async () => {
    const leader = await openHeld({ env, engine: makeMemoryEngine() });
    const { store, machine } = await openMachine({ env, engine });
    leader.log.isHeld = true;
    void leader.store.createCollection('default', { name: 'c' });
    await env.timers.sleep(10);
    slow();
    const applied = machine.apply(leader.log.held);
    await store.close();
    await applied;
    expect(machine.applied.index).toBe(1);
    const { index } = machine.applied;
    await machine.apply([{ index: index + 1, term: 2, data: undefined }]);
    expect(engine.stats().snapshotsOpen).toBe(0);
    const again = (await openMachine({ env, engine })).store as ShardStore;
    expect(again.catalog().find('default', 'c')).toBeDefined();
  });
});
