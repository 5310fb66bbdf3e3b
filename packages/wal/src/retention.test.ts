import { describe, expect, test } from 'vitest';
import { collect, onNode, open, record, records, segmentFiles, settle } from './testing/fixture.ts';

describe('truncation', () => {
  test(
    'records below the index are gone, at once and after reopening',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([...records(1, 1, 9), ...records(2, 1, 3)]);
      await wal.truncateBefore(1, 6);
      expect(wal.bounds(1)).toEqual({ first: 6, last: 9 });
      expect(await collect(wal, 1, 2)).toEqual(records(1, 6, 9));
      await wal.truncateBefore(1, 4);
      expect(wal.bounds(1)).toEqual({ first: 6, last: 9 });
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual(records(1, 6, 9));
      expect(await collect(again, 2)).toEqual(records(2, 1, 3));
    }),
  );

  test(
    'a group truncated past its end starts anew at any index: a snapshot was installed',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 1, 9));
      void wal.truncateBefore(1, 1_001);
      await wal.append(records(1, 1_001, 1_003));
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual(records(1, 1_001, 1_003));
      await again.truncateBefore(1, 5_000);
      expect(again.bounds(1)).toBeUndefined();
      expect(again.groups()).toEqual([]);
      await again.append([record(1, 2)]);
      expect(again.bounds(1)).toEqual({ first: 2, last: 2 });
    }),
  );

  test(
    'segments nobody needs are removed, oldest first',
    onNode(async (env) => {
      const wal = await open(env);
      for (let i = 1; i <= 60; i++) await wal.append([record(1, i, 1, 1_000)]);
      const before = wal.stats();
      await wal.truncateBefore(1, 50);
      await settle(env);
      const after = wal.stats();
      expect(before.segments).toBeGreaterThanOrEqual(5);
      expect(after.segments).toBeLessThanOrEqual(2);
      expect(segmentFiles(env)).not.toContain('log/segment-0000000001.wal');
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual(records(1, 50, 60, 1_000));
    }),
  );

  test(
    'a few records that hold an old segment are written anew at the end',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(7, 1, 3, 100));
      for (let i = 1; i <= 200; i++) {
        await wal.append([record(1, i, 1, 1_000)]);
        if (i % 10 === 0) await wal.truncateBefore(1, i - 5);
      }
      await settle(env);
      expect(wal.stats().carriedRecords).toBeGreaterThanOrEqual(3);
      expect(wal.stats().segments).toBeLessThanOrEqual(4);
      expect(await collect(wal, 7)).toEqual(records(7, 1, 3, 100));
      await wal.append([record(7, 4, 1, 100)]);
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 7)).toEqual(records(7, 1, 4, 100));
      expect(await collect(again, 1)).toEqual(records(1, 195, 200, 1_000));
    }),
  );

  test(
    'moved records cost no more than what they freed',
    onNode(async (env) => {
      const wal = await open(env);
      let appended = 0;
      for (let i = 1; i <= 400; i++) {
        const one = record(i % 5, Math.ceil(i / 5), 1, 500);
        appended += one.payload.length + 44;
        await wal.append([one]);
        // Group 0 keeps all, the others a little.
        if (i % 20 === 0) {
          for (let group = 1; group < 5; group++)
            await wal.truncateBefore(group, Math.ceil(i / 5) - 1);
        }
      }
      await settle(env);
      const { writtenBytes, bytes, liveBytes } = wal.stats();
      expect(writtenBytes).toBeLessThan(2.2 * appended);
      expect(bytes).toBeLessThan(2 * liveBytes + 3 * 16_384);
      expect(await collect(wal, 0)).toEqual(
        Array.from({ length: 80 }, (_, i) => record(0, i + 1, 1, 500)),
      );
    }),
  );

  test(
    'a removal that fails is tried again at the next truncation',
    onNode(async (env) => {
      const wal = await open(env);
      for (let i = 1; i <= 60; i++) await wal.append([record(1, i, 1, 1_000)]);
      await settle(env);
      env.disk.fail({ operation: 'remove' });
      await wal.truncateBefore(1, 50);
      await settle(env);
      expect(env.log.lines.map(({ message }) => message)).toContain(
        'an old log segment could not be removed',
      );
      await wal.truncateBefore(1, 51);
      await settle(env);
      expect(wal.stats().segments).toBeLessThanOrEqual(2);
    }),
  );
});
