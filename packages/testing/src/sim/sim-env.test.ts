import { describe, expect, test } from 'vitest';
import { makeSimEnv, SimScheduler, type SimEnv } from './index.ts';

describe('virtual time', () => {
  test('timers fire in the order of their time, ties in the order of their making', async () => {
    const env = makeSimEnv(1);
    const seen: string[] = [];
    const note = (name: string, delayMs: number) =>
      env.timers.after(delayMs, () => seen.push(`${name}@${env.clock.monotonicMs()}`));
    note('c', 20);
    note('a', 10);
    note('b', 10);
    note('gone', 5).cancel();
    await env.run(() => env.timers.sleep(3_600_000));
    expect(seen).toEqual(['a@10', 'b@10', 'c@20']);
    expect(env.clock.monotonicMs()).toBe(3_600_000);
  });

  test('every microtask runs before the next event, however long the chain', async () => {
    const env = makeSimEnv(1);
    let hops = 0;
    env.timers.after(2, () => expect(hops).toBe(5_000));
    await env.run(async () => {
      await env.timers.sleep(1);
      while (hops < 5_000) await Promise.resolve(hops++);
      await env.timers.sleep(10);
    });
    expect(hops).toBe(5_000);
  });

  test('a task that can never settle is a deadlock', async () => {
    const env = makeSimEnv(1);
    env.timers.after(7, () => {});
    const forever = env.run(() => new Promise<void>(() => {}));
    await expect(forever).rejects.toThrow(/deadlock.* at 7 ms after 1 events/);
  });

  test('a task that never ends meets its limits', async () => {
    const spin = async (env: SimEnv): Promise<void> => {
      for (;;) await env.timers.yield();
    };
    const env = makeSimEnv(1);
    await expect(env.run(() => spin(env), { eventsMax: 100 })).rejects.toThrow('limit of events');
    const other = makeSimEnv(1);
    await expect(other.run(() => spin(other), { virtualMsMax: 1 })).rejects.toThrow('virtual time');
  });

  test('errors of tasks and of timers come out of run', async () => {
    const env = makeSimEnv(1);
    await expect(env.run(() => Promise.reject(new Error('task')))).rejects.toThrow('task');
    await expect(
      env.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    env.timers.after(1, () => {
      throw new Error('timer');
    });
    await expect(env.run(() => env.timers.sleep(5))).rejects.toThrow('timer');
  });

  test('an aborted sleep rejects with the reason, at the moment of the abort', async () => {
    const env = makeSimEnv(1);
    await env.run(async () => {
      const controller = new AbortController();
      env.timers.after(3, () => controller.abort(new Error('enough')));
      await expect(env.timers.sleep(100, controller.signal)).rejects.toThrow('enough');
      expect(env.clock.monotonicMs()).toBe(3);
      await expect(env.timers.sleep(100, controller.signal)).rejects.toThrow('enough');
    });
  });

  test('the wall clock jumps and drifts; the monotonic one only drifts', async () => {
    const env = makeSimEnv(1, { epochMs: 1_000 });
    env.clock.jump(-500);
    await env.run(() => env.timers.sleep(10));
    env.clock.drift(2);
    await env.run(() => env.timers.sleep(10));
    expect(env.clock.nowMs()).toBe(530);
    expect(env.clock.monotonicMs()).toBe(30);
  });

  test('a crash silences the timers of the node, not those of its neighbour', async () => {
    const scheduler = new SimScheduler();
    const [a, b] = [makeSimEnv(1, { scheduler }), makeSimEnv(2, { scheduler })];
    const seen: string[] = [];
    a.timers.after(5, () => seen.push('a'));
    b.timers.after(5, () => seen.push('b'));
    a.crash();
    await b.run(() => b.timers.sleep(10));
    expect(seen).toEqual(['b']);
  });
});

describe('same seed, same history', () => {
  async function workload(env: SimEnv): Promise<void> {
    const actor = async (name: string): Promise<void> => {
      const file = await env.disk.open(name, { create: true });
      for (let i = 0; i < 20; i++) {
        await env.timers.sleep(env.random.float());
        await file.write(i * 8, env.random.bytes(8));
        if (env.random.u32() % 3 === 0) await file.datasync();
      }
      env.log.write('info', `${name} is done`);
    };
    await env.run(() => Promise.all(['a', 'b', 'c'].map(actor)));
    env.crash();
    await env.run(() => env.disk.list(''));
  }

  async function history(seed: number): Promise<string> {
    const env = makeSimEnv(seed);
    await workload(env);
    return `${env.traceHash()} ${JSON.stringify(env.disk.files())}`;
  }

  test('over 30 seeds', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const first = await history(seed);
      expect(await history(seed), `seed ${seed}`).toBe(first);
      hashes.add(first);
    }
    expect(hashes.size).toBe(30);
  });
});
