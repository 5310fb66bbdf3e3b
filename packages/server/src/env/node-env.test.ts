import { themisError } from '@themisdb/protocol';
import { describe, expect, test } from 'vitest';
import { nodeClock } from './node-clock.ts';
import { makeJsonLog } from './node-log.ts';
import { nodeRandom } from './node-random.ts';
import { nodeTimers } from './node-timers.ts';

describe('timers', () => {
  test('fire in order, never too early, and not when cancelled', async () => {
    const start = nodeClock.monotonicMs();
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => nodeTimers.after(20, resolve));
    nodeTimers.after(10, () => seen.push('b'));
    nodeTimers.after(1, () => seen.push('a'));
    nodeTimers.after(1, () => seen.push('never')).cancel();
    nodeTimers.after(2 ** 33, () => seen.push('in a hundred days')).cancel();
    // Something must keep the process alive: the timers of the Env do not.
    const alive = setInterval(() => {}, 1_000);
    await done;
    clearInterval(alive);
    expect(nodeClock.monotonicMs() - start).toBeGreaterThanOrEqual(20);
    expect(seen).toEqual(['a', 'b']);
  });

  test('a delay longer than setTimeout can hold does not fire at once', async () => {
    let fired = false;
    const timer = nodeTimers.after(2 ** 32, () => (fired = true));
    for (let i = 0; i < 5; i++) await nodeTimers.yield();
    await new Promise((resolve) => setTimeout(resolve, 5));
    timer.cancel();
    expect(fired).toBe(false);
  });

  test('sleep rejects with the reason of the abort, before or during it', async () => {
    const controller = new AbortController();
    const sleeping = nodeTimers.sleep(100_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(nodeTimers.sleep(0, controller.signal)).rejects.toThrow('enough');
  });

  test('yield lets pending input and output have its turn', async () => {
    let turns = 0;
    setImmediate(() => turns++);
    await nodeTimers.yield();
    expect(turns).toBe(1);
  });
});

test('random numbers fill their ranges and do not repeat', () => {
  const drawn = Array.from({ length: 5_000 }, () => nodeRandom.u32());
  expect(drawn.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)).toBe(true);
  expect(new Set(drawn).size).toBeGreaterThan(4_990);
  const floats = Array.from({ length: 5_000 }, () => nodeRandom.float());
  expect(floats.every((f) => f >= 0 && f < 1)).toBe(true);
  expect(Math.abs(floats.reduce((a, b) => a + b) / 5_000 - 0.5)).toBeLessThan(0.05);
  expect(nodeRandom.bytes(32)).toHaveLength(32);
  expect(nodeRandom.bytes(32)).not.toEqual(nodeRandom.bytes(32));
  expect(nodeRandom.bytes(0)).toHaveLength(0);
});

describe('the log', () => {
  function lines(level?: 'warn'): { log: ReturnType<typeof makeJsonLog>; out: string[] } {
    const out: string[] = [];
    const write = (line: string): void => void out.push(line);
    return { log: makeJsonLog(level === undefined ? { write } : { write, level }), out };
  }

  test('is one JSON object a line, from its level up', () => {
    const { log, out } = lines('warn');
    log.write('info', 'dropped');
    log.write('error', 'kept', { count: 3n, level: 'not this' });
    expect(out).toHaveLength(1);
    expect(out[0]!.endsWith('\n')).toBe(true);
    const line = JSON.parse(out[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'error', message: 'kept', count: '3' });
    expect(Date.parse(String(line['time']))).toBeGreaterThan(0);
  });

  test('shows errors with code and cause', () => {
    const { log, out } = lines();
    const cause = new Error('EIO');
    log.write('warn', 'x', { error: themisError('DISK_IO', { message: 'no', cause }) });
    expect(JSON.parse(out[0]!)).toMatchObject({
      error: { code: 'DISK_IO', message: 'no', cause: { message: 'EIO' } },
    });
  });
});
