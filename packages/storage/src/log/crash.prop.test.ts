import { expect, test } from 'vitest';
import type { MemoryEngine } from '@themisdb/kv';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { CrashWorkload } from '../testing/crash-workload.ts';
import { openTestStore, type TestStore } from '../testing/test-store.ts';

// Strategy: workers write in simulated time on the simulated disk and the memory engine; power is cut
// at a random moment, several times per seed; the store is opened again and checked
// (`CrashWorkload.check` lists the invariants).
const rounds = 5;
// More with THEMIS_SEEDS=200, say.
const seeds = Number(process.env['THEMIS_SEEDS'] ?? 8);

async function crashAndReopen(env: SimEnv, last: TestStore): Promise<TestStore> {
  env.crash();
  const engine = (last.engine as MemoryEngine).crash(env.prng);
  return env.run(() => openTestStore(env, engine, { checkpointBytes: 20_000 }));
}

test.each(Array.from({ length: seeds }, (_, i) => i + 1))(
  'power cuts lose nothing acknowledged and leave nothing half-done, seed %i',
  async (seed) => {
    const env = makeSimEnv(seed);
    const workload = new CrashWorkload(env.prng.fork(), 6);
    let test = await env.run(async () => {
      const opened = await openTestStore(env, undefined, { checkpointBytes: 20_000 });
      await workload.prepare(opened.store);
      return opened;
    });
    for (let round = 0; round < rounds; round++) {
      await env.run(async () => {
        for (const worker of workload.start(test.store, env)) worker.catch(fail);
        await env.timers.sleep(5 + env.prng.float() * 60);
      });
      test = await crashAndReopen(env, test);
      await env.run(() => workload.check(test.store));
    }
    expect(workload.acknowledged).toBeGreaterThan(rounds);
  },
);

test.each([1, 2, 3, 4, 5, 6])(
  'a full disk refuses writes, keeps reads, and passes; refused writes never come back, seed %i',
  async (seed) => {
    const env = makeSimEnv(seed);
    const workload = new CrashWorkload(env.prng.fork(), 4);
    let test = await env.run(async () => {
      const opened = await openTestStore(env);
      await workload.prepare(opened.store);
      return opened;
    });
    await env.run(async () => {
      for (const worker of workload.start(test.store, env)) worker.catch(fail);
      await env.timers.sleep(20);
      env.disk.setCapacity(env.disk.usedBytes() + 600);
      await env.timers.sleep(60);
      expect(workload.refused).toBeGreaterThan(0);
      await workload.checkWhileFull(test.store);
      const before = workload.acknowledged;
      env.disk.setCapacity(Number.POSITIVE_INFINITY);
      await env.timers.sleep(60);
      expect(workload.acknowledged).toBeGreaterThan(before);
    });
    test = await crashAndReopen(env, test);
    await env.run(() => workload.check(test.store));
  },
);

test.each([1, 2, 3, 4, 5, 6])('a failed sync stops the store for good, seed %i', async (seed) => {
  const env = makeSimEnv(seed);
  const workload = new CrashWorkload(env.prng.fork(), 4);
  let test = await env.run(async () => {
    const opened = await openTestStore(env);
    await workload.prepare(opened.store);
    return opened;
  });
  await env.run(async () => {
    const workers = workload.start(test.store, env);
    env.disk.fail({ operation: 'datasync', nth: 5 + seed });
    await Promise.all(workers);
    expect(() => test.store.begin()).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
  });
  test = await crashAndReopen(env, test);
  await env.run(() => workload.check(test.store));
});

function fail(error: unknown): void {
  throw error;
}
