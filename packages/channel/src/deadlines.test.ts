import { Prng } from '@themisdb/base';
import { makeSimEnv } from '@themisdb/testing';
import { expect, test } from 'vitest';
import { Deadlines } from './deadlines.ts';

test('each fires once, at its time or a little later, unless it was removed', async () => {
  const env = makeSimEnv(1);
  const prng = new Prng(7);
  const deadlines = new Deadlines(env);
  const late: number[] = [];
  let [wanted, removedFired] = [0, 0];
  const add = (): void => {
    const delayMs = prng.float() * prng.pick([1, 50, 2_000]);
    const dueMs = env.clock.monotonicMs() + delayMs;
    const isKept = prng.chance(0.5);
    const item = {
      expire: () => (isKept ? late.push(env.clock.monotonicMs() - dueMs) : removedFired++),
    };
    const step = deadlines.add(delayMs, item);
    if (isKept) wanted++;
    else deadlines.remove(step, item);
  };
  await env.run(async () => {
    for (let i = 0; i < 1_000; i++) {
      add();
      if (prng.chance(0.3)) await env.timers.sleep(prng.float() * 10);
    }
    await env.timers.sleep(3_000);
  });
  expect([late.length, removedFired]).toEqual([wanted, 0]);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...late)).toBeLessThanOrEqual(8);
});

test('one set while others fire counts too, and none fires after clear', async () => {
  const env = makeSimEnv(1);
  const deadlines = new Deadlines(env);
  const seen: string[] = [];
  const again = { expire: () => seen.push('again') };
  deadlines.add(10, { expire: () => void deadlines.add(10, again) });
  await env.run(() => env.timers.sleep(40));
  expect(seen).toEqual(['again']);
  deadlines.add(10, again);
  deadlines.clear();
  await env.run(() => env.timers.sleep(40));
  expect(seen).toEqual(['again']);
});

test('many deadlines take few timers', async () => {
  const env = makeSimEnv(1);
  const deadlines = new Deadlines(env);
  let fired = 0;
  for (let i = 0; i < 10_000; i++) deadlines.add(100 + (i % 3), { expire: () => fired++ });
  await env.run(() => env.timers.sleep(200));
  expect(fired).toBe(10_000);
  expect(env.scheduler.events).toBeLessThan(10);
});
