import { makeSimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import { collect, onNode, open, record, records, settle } from './testing/fixture.ts';

const full = { code: 'DISK_FULL', kind: 'exhausted', retryable: true };
const failed = { code: 'STORE_FAILED' };

describe('a full disk', () => {
  test(
    'fails all that waits, leaves what is there, and takes appends again when there is space',
    onNode(
      async (env) => {
        const wal = await open(env);
        let last = 0;
        const fill = async (): Promise<void> => {
          for (;;) {
            await wal.append([record(1, last + 1, 1, 1_000)]);
            last++;
          }
        };
        await expect(fill()).rejects.toMatchObject(full);
        expect(wal.bounds(1)).toEqual({ first: 1, last });
        const waiting = [record(1, last + 1, 1, 3_000), record(2, 1)].map((one) =>
          wal.append([one]),
        );
        const outcomes = await Promise.allSettled(waiting);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
        expect(await collect(wal, 1)).toEqual(records(1, 1, last, 1_000));
        env.disk.setCapacity(1_000_000);
        await wal.append([record(1, last + 1, 1, 1_000), record(2, 1)]);
        await wal.close();
        const again = await open(env);
        expect(await collect(again, 1)).toEqual(records(1, 1, last + 1, 1_000));
        expect(await collect(again, 2)).toEqual([record(2, 1)]);
      },
      { disk: { capacityBytes: 40_000 } },
    ),
  );

  test(
    'is told by reserve before anything is lost; what was reserved is appended',
    onNode(
      async (env) => {
        const wal = await open(env);
        let last = 0;
        const fill = async (): Promise<void> => {
          for (;;) {
            await wal.reserve(1_040);
            await wal.append([record(1, last + 1, 1, 1_000)]);
            last++;
          }
        };
        await expect(fill()).rejects.toMatchObject(full);
        await expect(wal.reserve(1_040)).rejects.toMatchObject(full);
        expect(wal.reserve(0)).toBeUndefined();
        env.disk.setCapacity(1_000_000);
        await wal.reserve(1_040);
        await wal.append([record(1, last + 1, 1, 1_000)]);
        expect(await collect(wal, 1)).toEqual(records(1, 1, last + 1, 1_000));
        await wal.close();
      },
      { disk: { capacityBytes: 40_000 } },
    ),
  );

  test(
    'reserving more than a segment beside appends and rolls loses nothing',
    onNode(async (env) => {
      const wal = await open(env);
      const appends: Promise<void>[] = [];
      for (let i = 1; i <= 200; i++) {
        if (i % 3 === 0) void wal.reserve(env.prng.below(60_000));
        if (i % 7 === 0) await wal.reserve(env.prng.below(60_000));
        appends.push(wal.append([record(1, i, 1, env.prng.below(3_000))]));
      }
      await Promise.all(appends);
      expect((await collect(wal, 1)).length).toBe(200);
      await wal.close();
      const again = await open(env);
      expect((await collect(again, 1)).length).toBe(200);
      await again.close();
    }),
  );

  test(
    'still takes truncations, which free the space that is lacking',
    onNode(
      async (env) => {
        const wal = await open(env, { segmentBytes: 65_536, firstSegmentBytes: 65_536 });
        let last = 0;
        const fill = async (): Promise<void> => {
          for (;;) {
            await wal.append([record(1, last + 1, 1, 1_000)]);
            last++;
          }
        };
        await expect(fill()).rejects.toMatchObject(full);
        const behind = [wal.append([record(1, last + 1, 1, 9_000)]), wal.truncateBefore(1, last)];
        const outcomes = await Promise.allSettled(behind);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
        await settle(env);
        await wal.append([record(1, last + 1, 1, 9_000)]);
        expect(wal.bounds(1)).toEqual({ first: last, last: last + 1 });
      },
      { disk: { capacityBytes: 140_000 } },
    ),
  );

  test(
    'in the middle of a write leaves nothing of the batch',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 1, 3));
      env.disk.fail({ operation: 'write', code: 'DISK_FULL' });
      await expect(wal.append(records(1, 4, 9))).rejects.toMatchObject(full);
      expect(wal.bounds(1)).toEqual({ first: 1, last: 3 });
      await wal.append([record(1, 4, 2)]);
      await wal.close();
      const again = await open(env);
      expect(again.stats().tornBytes).toBe(0);
      expect(await collect(again, 1)).toEqual([...records(1, 1, 3), record(1, 4, 2)]);
    }),
  );

  test(
    'fails those too who came while it was found out',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([record(1, 1)]);
      env.disk.fail({ operation: 'write', code: 'DISK_FULL' });
      const first = wal.append([record(1, 2)]);
      await env.timers.sleep(0.005);
      const second = wal.append([record(1, 3)]);
      const outcomes = await Promise.allSettled([first, second]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(wal.bounds(1)).toEqual({ first: 1, last: 1 });
      await wal.append([record(1, 2)]);
      expect(await collect(wal, 1)).toEqual(records(1, 1, 2));
    }),
  );

  test('in the middle of a write: the batch that was refused does not come back after a crash', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const env = makeSimEnv(seed);
      await env.run(async () => {
        const wal = await open(env);
        await wal.append(records(1, 1, 3));
        env.disk.fail({ operation: 'write', code: 'DISK_FULL' });
        await expect(wal.append(records(1, 4, 30, 50))).rejects.toMatchObject(full);
        const goesOn = seed % 2 === 0;
        if (goesOn) await wal.append([record(1, 4, 2)]);
        env.crash();
        const again = await open(env);
        const expected = [...records(1, 1, 3), ...(goesOn ? [record(1, 4, 2)] : [])];
        expect(await collect(again, 1), `seed ${seed}`).toEqual(expected);
      });
    }
  });

  test(
    'lets no append jump over one that failed',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([record(1, 1)]);
      env.disk.fail({ operation: 'write', code: 'DISK_FULL' });
      const late: Promise<void>[] = [];
      const broken = wal.append([record(1, 2), record(2, 1)]).catch((error: unknown) => {
        // In the same turn, before anybody else hears of it.
        late.push(wal.append([record(1, 3)]), wal.append([record(2, 2)]));
        throw error;
      });
      await expect(broken).rejects.toMatchObject(full);
      for (const append of late) await expect(append).rejects.toMatchObject(full);
      await wal.append([record(2, 1), record(2, 2), record(1, 2)]);
      expect(wal.bounds(1)).toEqual({ first: 1, last: 2 });
      expect(wal.bounds(2)).toEqual({ first: 1, last: 2 });
    }),
  );

  test(
    'while a torn tail is cut does not keep the log from opening',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 1, 3));
      void wal.append(records(1, 4, 9, 700));
      await env.timers.sleep(0.05);
      env.disk.kill();
      const [{ path, size }] = env.disk.files() as [{ path: string; size: number }];
      env.disk.flipBit(path, 4_096 + 3 * 64 + 100, 0);
      env.disk.setCapacity(size);
      const again = await open(env);
      expect(again.stats().tornBytes).toBeGreaterThan(0);
      await again.append([record(1, 4)]);
      expect(await collect(again, 1)).toEqual(records(1, 1, 4));
    }),
  );
});

describe('a failed sync', () => {
  test(
    'is fatal: what was under way and every later call reject, the cause is told',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([record(1, 1)]);
      env.disk.fail({ operation: 'datasync' });
      const under = wal.append([record(1, 2)]);
      const behind = wal.truncateBefore(1, 1);
      await expect(under).rejects.toMatchObject({ ...failed, cause: { code: 'DISK_IO' } });
      await expect(behind).rejects.toMatchObject(failed);
      await expect(wal.append([record(1, 2)])).rejects.toMatchObject(failed);
      await expect(wal.truncateBefore(1, 1)).rejects.toMatchObject(failed);
      await expect(collect(wal, 1)).rejects.toMatchObject(failed);
      const syncs = env.trace.tail().filter((line) => line.includes(' datasync ')).length;
      await wal.close();
      // Never retried, not even by closing.
      expect(env.trace.tail().filter((line) => line.includes(' datasync ')).length).toBe(syncs);
    }),
  );

  test(
    'is fatal also when it tells of a full disk',
    onNode(async (env) => {
      const wal = await open(env);
      env.disk.fail({ operation: 'datasync', code: 'DISK_FULL' });
      await expect(wal.append([record(1, 1)])).rejects.toMatchObject(failed);
      await expect(wal.append([record(1, 1)])).rejects.toMatchObject(failed);
      await wal.close();
    }),
  );

  test(
    'and so is a write the disk fails, or a half batch that cannot be taken back',
    onNode(async (env) => {
      const wal = await open(env);
      env.disk.fail({ operation: 'write' });
      await expect(wal.append([record(1, 1)])).rejects.toMatchObject(failed);
      await wal.close();
      const again = await open(env);
      env.disk.fail({ operation: 'write', code: 'DISK_FULL' });
      env.disk.fail({ operation: 'truncate' });
      await expect(again.append([record(1, 1)])).rejects.toMatchObject(failed);
      await again.close();
    }),
  );

  test(
    'loses nothing that was acknowledged before it',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 1, 5));
      env.disk.fail({ operation: 'datasync' });
      await expect(wal.append(records(1, 6, 9))).rejects.toMatchObject(failed);
      env.crash();
      const again = await open(env);
      expect((await collect(again, 1)).slice(0, 5)).toEqual(records(1, 1, 5));
    }),
  );

  // Found by the simulator: the kernel takes pages for clean once their sync has failed.
  test.each([1, 2, 3, 4, 5, 6])(
    'and what is found after it, in a process started again, is as durable as it looks (seed %i)',
    (seed) => {
      const env = makeSimEnv(seed);
      return env.run(async () => {
        const wal = await open(env);
        await wal.append(records(1, 1, 5));
        env.disk.fail({ operation: 'datasync' });
        await expect(wal.append(records(1, 6, 40))).rejects.toMatchObject(failed);
        env.kill();
        const again = await open(env);
        const found = await collect(again, 1);
        expect(found.length).toBeGreaterThanOrEqual(5);
        await again.append([record(1, found.length + 1)]);
        env.crash();
        const last = await open(env);
        expect(await collect(last, 1)).toEqual(records(1, 1, found.length + 1));
      });
    },
  );
});
