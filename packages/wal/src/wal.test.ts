import { describe, expect, test } from 'vitest';
import {
  collect,
  folder,
  onNode,
  open,
  record,
  records,
  segmentFiles,
  settle,
} from './testing/fixture.ts';

describe('append and replay', () => {
  test(
    'records come back in order, group by group, also after reopening',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([record(1, 1), record(2, 7), record(1, 2)]);
      await wal.append([record(2, 8)]);
      const check = async (log: typeof wal): Promise<void> => {
        expect(log.groups()).toEqual([1, 2]);
        expect(log.bounds(1)).toEqual({ first: 1, last: 2 });
        expect(log.bounds(2)).toEqual({ first: 7, last: 8 });
        expect(log.bounds(3)).toBeUndefined();
        expect(await collect(log, 1)).toEqual(records(1, 1, 2));
        expect(await collect(log, 2, 8)).toEqual([record(2, 8)]);
        expect(await collect(log, 2, 9)).toEqual([]);
        expect(await collect(log, 3)).toEqual([]);
      };
      await check(wal);
      await wal.close();
      const again = await open(env);
      await check(again);
      expect(again.stats()).toMatchObject({ tornBytes: 0, records: 0 });
      await again.append([record(1, 3)]);
      expect(await collect(again, 1)).toEqual(records(1, 1, 3));
    }),
  );

  test(
    'every field keeps its value at the ends of its range',
    onNode(async (env) => {
      const wal = await open(env);
      const far = {
        group: 0xffff_ffff,
        index: Number.MAX_SAFE_INTEGER,
        term: Number.MAX_SAFE_INTEGER,
        kind: 255,
        payload: new Uint8Array(0),
      };
      const near = { group: 0, index: 1, term: 0, kind: 0, payload: Uint8Array.of(0, 0, 0) };
      await wal.append([far, near]);
      await wal.close();
      const again = await open(env);
      expect(await collect(again, far.group)).toEqual([far]);
      expect(await collect(again, 0)).toEqual([near]);
    }),
  );

  test(
    'an index already used cuts the later records of its group only',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([...records(1, 1, 5), ...records(2, 1, 5)]);
      await wal.append([record(1, 3, 2), record(1, 4, 2)]);
      const wanted = [record(1, 1), record(1, 2), record(1, 3, 2), record(1, 4, 2)];
      expect(await collect(wal, 1)).toEqual(wanted);
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual(wanted);
      expect(await collect(again, 2)).toEqual(records(2, 1, 5));
    }),
  );

  test(
    'a gap or a step behind what is kept is an error of the caller',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 5, 9));
      await expect(wal.append([record(1, 11)])).rejects.toThrow(
        'append to group 1 at 11, not from 5 to 10',
      );
      await expect(wal.append([record(1, 4)])).rejects.toThrow('not from 5 to 10');
      await expect(wal.append([record(1, 0)])).rejects.toThrow('index 0');
      await expect(wal.append([{ ...record(1, 10), kind: 256 }])).rejects.toThrow('kind 256');
      await expect(wal.append([{ ...record(1, 10), group: -1 }])).rejects.toThrow('group -1');
      await expect(wal.append([{ ...record(1, 10), term: 0.5 }])).rejects.toThrow('term 0.5');
      await wal.append([record(1, 10)]);
      expect(wal.bounds(1)).toEqual({ first: 5, last: 10 });
    }),
  );

  test(
    'bounds and replay show what is acknowledged, not what waits',
    onNode(async (env) => {
      const wal = await open(env);
      const waiting = wal.append([record(1, 1)]);
      expect(wal.bounds(1)).toBeUndefined();
      expect(wal.stats()).toMatchObject({ waitingAppends: 1, waitingBytes: 64, records: 0 });
      await waiting;
      expect(wal.bounds(1)).toEqual({ first: 1, last: 1 });
      expect(wal.stats()).toMatchObject({ waitingAppends: 0, waitingBytes: 0, records: 1 });
    }),
  );

  test(
    'replay meets records that are appended meanwhile, and leaves out those truncated meanwhile',
    onNode(async (env) => {
      const wal = await open(env);
      // Records of 9,000 bytes: one to a segment, so one to a batch.
      for (const one of records(1, 1, 4, 9_000)) await wal.append([one]);
      const seen: number[] = [];
      for await (const batch of wal.replay(1)) {
        seen.push(...batch.map(({ index }) => index));
        if (seen.length === 1) {
          await wal.append([record(1, 5, 1, 9_000)]);
          await wal.truncateBefore(1, 3);
        }
      }
      expect(seen).toEqual([1, 3, 4, 5]);
    }),
  );

  test(
    'an append of nothing waits for those before it',
    onNode(async (env) => {
      const wal = await open(env);
      const order: string[] = [];
      void wal.append([record(1, 1)]).then(() => order.push('record'));
      await wal.append([]).then(() => order.push('nothing'));
      expect(order).toEqual(['record', 'nothing']);
    }),
  );
});

describe('group commit', () => {
  test(
    'all appends of a turn share one write and one sync',
    onNode(async (env) => {
      const wal = await open(env);
      await Promise.all(Array.from({ length: 50 }, (_, i) => wal.append([record(i, 1)])));
      expect(wal.stats()).toMatchObject({ syncs: 1, appends: 50, records: 50 });
    }),
  );

  test(
    'what arrives while a sync runs shares the next',
    onNode(async (env) => {
      const wal = await open(env);
      const first = wal.append([record(1, 1)]);
      await env.timers.sleep(0.05);
      const rest: Promise<void>[] = [];
      for (let i = 2; i <= 30; i++) {
        rest.push(wal.append([record(1, i)]));
        await env.timers.sleep(0.0001);
      }
      await Promise.all([first, ...rest]);
      expect(wal.stats().syncs).toBe(2);
      expect(await collect(wal, 1)).toEqual(records(1, 1, 30));
    }),
  );

  test(
    'one write is under way at a time, and never before the sync of the one before',
    onNode(async (env) => {
      const wal = await open(env);
      for (let i = 1; i <= 40; i++) {
        void wal.append([record(1, i)]);
        await env.timers.sleep(0.05);
      }
      await wal.close();
      const log = env.trace.tail().filter((line) => / (write|datasync) log/.test(line));
      const kinds = log.map((line) => line.split(' ')[1]);
      expect(kinds.length).toBeGreaterThan(10);
      kinds.forEach((kind, i) => expect(kind).toBe(i % 2 === 0 ? 'write' : 'datasync'));
    }),
  );
});

describe('limits', () => {
  test(
    'a record larger than a segment gets one of its own',
    onNode(async (env) => {
      const wal = await open(env);
      const large = record(1, 1, 1, 200_000);
      await wal.append([large, record(1, 2)]);
      await wal.append([record(1, 3)]);
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual([large, record(1, 2), record(1, 3)]);
    }),
  );

  test(
    'a payload of more than 64 MiB is refused',
    onNode(async (env) => {
      const wal = await open(env);
      const tooLarge = { ...record(1, 1), payload: new Uint8Array(64 * 1024 * 1024 + 1) };
      await expect(wal.append([tooLarge])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      await wal.append([record(1, 1)]);
    }),
  );

  test(
    'an append of more than 256 MiB is refused',
    onNode(async (env) => {
      const wal = await open(env);
      const payload = new Uint8Array(60 * 1024 * 1024);
      const many = records(1, 1, 5).map((one) => ({ ...one, payload }));
      await expect(wal.append(many)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      await wal.append([record(1, 1)]);
    }),
  );
});

describe('segments', () => {
  test(
    'the log goes on in new files, which double up to their size',
    onNode(async (env) => {
      const wal = await open(env, { firstSegmentBytes: 8_192, segmentBytes: 32_768 });
      for (let i = 1; i <= 100; i++) await wal.append([record(1, i, 1, 1_000)]);
      await settle(env);
      const sizes = env.disk.files().map(({ size }) => size);
      expect(sizes.slice(0, 5)).toEqual([8_192, 16_384, 32_768, 32_768, 32_768]);
      expect(wal.stats().segments).toBeGreaterThan(4);
      await wal.close();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual(records(1, 1, 100, 1_000));
    }),
  );

  test(
    'closing leaves no spare file behind, and reopening goes on in the last one',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append(records(1, 1, 10, 1_000));
      await settle(env);
      expect(segmentFiles(env)).toEqual([
        'log/segment-0000000001.wal',
        'log/segment-0000000002.wal',
      ]);
      await wal.close();
      expect(segmentFiles(env)).toEqual(['log/segment-0000000001.wal']);
      const again = await open(env);
      await again.append([record(1, 11)]);
      expect(again.stats().segments).toBe(1);
    }),
  );

  test(
    'a closed log refuses every call',
    onNode(async (env) => {
      const wal = await open(env);
      await wal.append([record(1, 1)]);
      await wal.close();
      await expect(wal.append([])).rejects.toThrow('closed');
      await expect(wal.truncateBefore(1, 1)).rejects.toThrow('closed');
      await expect(collect(wal, 1)).rejects.toThrow('closed');
      await expect(wal.close()).rejects.toThrow('closed');
    }),
  );

  test(
    'close waits for what is under way',
    onNode(async (env) => {
      const wal = await open(env);
      let acknowledged = false;
      void wal.append([record(1, 1)]).then(() => (acknowledged = true));
      await wal.close();
      expect(acknowledged).toBe(true);
    }),
  );

  test(
    'a log of another store is refused',
    onNode(async (env) => {
      const [mine, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
      const wal = await open(env, { storeId: mine });
      await wal.append([record(1, 1)]);
      await wal.close();
      await expect(open(env, { storeId: other })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await (await open(env, { storeId: mine })).close();
      await (await open(env)).close();
    }),
  );

  test(
    'files of others in the folder are left alone',
    onNode(async (env) => {
      env.disk.plant(`${folder}/notes.txt`, Uint8Array.of(1));
      env.disk.plant(`${folder}/segment-1.wal`, Uint8Array.of(1));
      const wal = await open(env);
      await wal.append([record(1, 1)]);
      await wal.close();
      await (await open(env)).close();
      expect(segmentFiles(env)).toContain(`${folder}/notes.txt`);
      expect(segmentFiles(env)).toContain(`${folder}/segment-1.wal`);
    }),
  );
});
