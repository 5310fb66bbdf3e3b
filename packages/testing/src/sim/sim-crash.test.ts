import type { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { makeSimEnv, type SimEnv } from './index.ts';

const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

/** What a crash left of `change`, made on a durable file of `before`, for many seeds. */
async function outcomes(change: (env: SimEnv) => Promise<unknown>, before: number[] = []) {
  const seen: (readonly number[] | undefined)[] = [];
  for (const seed of seeds) {
    const env = makeSimEnv(seed);
    env.disk.plant('d/f', Uint8Array.from(before));
    await env.run(() => change(env));
    env.crash();
    const isThere = env.disk.files().some(({ path }) => path === 'd/f');
    seen.push(isThere ? [...env.disk.peek('d/f')] : undefined);
  }
  return seen;
}

const text = (value: unknown): string => JSON.stringify(value);

async function writeSectors(env: SimEnv): Promise<void> {
  const file = await env.disk.open('d/f', {});
  for (let i = 0; i < 4; i++) await file.write(i * 512, new Uint8Array(512).fill(i + 1));
}

const kept = (content: readonly number[] | undefined): string =>
  [0, 1, 2, 3].map((i) => (content?.[i * 512] === i + 1 ? 'x' : '.')).join('');

describe('SimDisk at a crash', () => {
  test('keeps what a completed sync covered', async () => {
    const seen = await outcomes(async (env) => {
      const file = await env.disk.open('d/f', {});
      await file.write(0, Uint8Array.of(1, 2, 3));
      await file.truncate(2);
      await file.datasync();
      void file.write(0, Uint8Array.of(1, 2));
    });
    expect(new Set(seen.map(text))).toEqual(new Set(['[1,2]']));
  });

  test('loses unsynced sectors in any combination, never a part of one', async () => {
    const seen = await outcomes(writeSectors);
    const patterns = new Set(seen.map(kept));
    expect(patterns).toContain('....');
    expect(patterns).toContain('xxxx');
    expect(patterns.size).toBeGreaterThan(6);
    for (const content of seen) {
      for (let i = 0; i < 4; i++) {
        const sector = new Set(content?.slice(i * 512, (i + 1) * 512));
        expect(sector.size).toBeLessThanOrEqual(1);
      }
    }
  });

  test('tears one write that crosses sectors', async () => {
    const seen = await outcomes(
      async (env) => {
        const file = await env.disk.open('d/f', {});
        await file.write(500, new Uint8Array(30).fill(7));
      },
      Array.from({ length: 1024 }, () => 0),
    );
    const forms = new Set(seen.map((content) => text([content?.[511], content?.[512]])));
    expect(forms).toEqual(new Set(['[0,0]', '[7,0]', '[0,7]', '[7,7]']));
  });

  test('a write or sync under way never settles, and may have happened or not', async () => {
    let settled = 0;
    const seen = await outcomes(async (env) => {
      const file = await env.disk.open('d/f', {});
      const count = (): void => void settled++;
      void file.write(0, Uint8Array.of(9)).then(count, count);
      void file.datasync().then(count, count);
    });
    expect(settled).toBe(0);
    expect(new Set(seen.map(text))).toEqual(new Set(['[]', '[9]', '[0]']));
  });

  test('after a failed sync the bytes stay doubtful, although the next sync succeeds', async () => {
    const seen = await outcomes(async (env) => {
      const file = await env.disk.open('d/f', {});
      await file.write(0, Uint8Array.of(9));
      env.disk.fail({ operation: 'datasync' });
      await expect(file.datasync()).rejects.toMatchObject({ code: 'DISK_IO' });
      await file.datasync();
    });
    expect(new Set(seen.map(text))).toContain('[]');
    expect(new Set(seen.map(text))).toContain('[9]');
  });

  test('new, renamed and removed names last only once their folder is synced', async () => {
    const steps = async (env: SimEnv, sync: boolean): Promise<void> => {
      const file = await env.disk.open('d/new', { create: true });
      await file.datasync();
      await env.disk.remove('d/f');
      await env.disk.rename('d/new', 'd/g');
      if (sync) await env.disk.syncDirectory('d');
    };
    const names = async (sync: boolean): Promise<Set<string>> => {
      const seen = new Set<string>();
      for (const seed of seeds) {
        const env = makeSimEnv(seed);
        env.disk.plant('d/f', new Uint8Array(0));
        await env.run(() => steps(env, sync));
        env.crash();
        seen.add(text(env.disk.files().map(({ path }) => path)));
      }
      return seen;
    };
    expect(await names(true)).toEqual(new Set(['["d/g"]']));
    const unsynced = await names(false);
    for (const form of [['d/f'], ['d/g'], ['d/f', 'd/new'], ['d/new']]) {
      expect(unsynced).toContain(text(form));
    }
  });

  test('a folder that vanishes takes its files along', async () => {
    const env = makeSimEnv(3);
    await env.run(async () => {
      await env.disk.makeDirectory('a/b');
      const file = await env.disk.open('a/b/f', { create: true });
      await file.datasync();
      await env.disk.syncDirectory('a/b');
      await env.disk.syncDirectory('a');
    });
    const none = { chance: () => false, pick: (odds: number[]) => odds[0] } as unknown as Prng;
    env.disk.crash(none);
    expect(env.disk.files()).toEqual([]);
    expect(await env.run(() => env.disk.list(''))).toEqual([]);
  });

  test('a killed process leaves what it wrote, as unsafe as it was', async () => {
    const after = async (cut: boolean): Promise<Set<string>> => {
      const seen = new Set<string>();
      for (const seed of seeds) {
        const env = makeSimEnv(seed);
        env.disk.plant('f', new Uint8Array(0));
        await env.run(async () => (await env.disk.open('f', {})).write(0, Uint8Array.of(1)));
        env.kill();
        if (cut) env.crash();
        seen.add(text([...env.disk.peek('f')]));
      }
      return seen;
    };
    expect(await after(false)).toEqual(new Set(['[1]']));
    expect(await after(true)).toContain('[]');
  });

  test('handles from before are dead', async () => {
    const env = makeSimEnv(1);
    const file = await env.run(() => env.disk.open('f', { create: true }));
    env.crash();
    await expect(env.run(() => file.size())).rejects.toThrow('opened before a crash');
  });
});

describe('SimDisk faults', () => {
  test('a disk that is full takes what fits, then refuses until there is space', async () => {
    const env = makeSimEnv(1, { disk: { capacityBytes: 10 } });
    await env.run(async () => {
      const file = await env.disk.open('f', { create: true });
      await file.write(0, new Uint8Array(8).fill(1));
      const full = { code: 'DISK_FULL', kind: 'exhausted' };
      await expect(file.write(8, new Uint8Array(8).fill(2))).rejects.toMatchObject(full);
      expect([...(await file.read(8, 8))]).toEqual([2, 2]);
      await expect(file.allocate(11)).rejects.toMatchObject(full);
      await file.write(0, new Uint8Array(10).fill(3));
      env.disk.setCapacity(20);
      await file.write(8, new Uint8Array(8).fill(4));
      expect(env.disk.usedBytes()).toBe(16);
    });
  });

  test('the nth operation on a path fails, once', async () => {
    const env = makeSimEnv(1);
    env.disk.fail({ operation: 'write', nth: 2, path: 'a' });
    await env.run(async () => {
      const [a, b] = [
        await env.disk.open('a', { create: true }),
        await env.disk.open('b', { create: true }),
      ];
      await a.write(0, Uint8Array.of(1));
      await b.write(0, Uint8Array.of(1));
      await expect(a.write(0, Uint8Array.of(2))).rejects.toMatchObject({ code: 'DISK_IO' });
      await a.write(0, Uint8Array.of(3));
    });
    expect([...env.disk.peek('a')]).toEqual([3]);
  });

  test('a flipped bit shows at once and stays', async () => {
    const env = makeSimEnv(1);
    env.disk.plant('f', Uint8Array.of(0, 0));
    env.disk.flipBit('f', 1, 3);
    expect([...env.disk.peek('f')]).toEqual([0, 8]);
    env.crash();
    expect([...env.disk.peek('f')]).toEqual([0, 8]);
  });

  test('a slow disk takes virtual time only', async () => {
    const env = makeSimEnv(1);
    env.disk.slowDown(1_000_000);
    await env.run(() => env.disk.makeDirectory('d'));
    expect(env.clock.monotonicMs()).toBeGreaterThan(10_000);
  });
});
