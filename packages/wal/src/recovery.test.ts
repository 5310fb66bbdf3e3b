import { crc32c } from '@themisdb/base';
import type { SimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import {
  encodeFrame,
  encodeSegmentHeader,
  frameType,
  headerBlockBytes,
  segmentName,
  tryDecodeSegmentHeader,
  viewOf,
} from './format.ts';
import { collect, folder, onNode, open, record, records, segmentFiles } from './testing/fixture.ts';

const path = (number: number): string => `${folder}/${segmentName(number)}`;
const corrupt = (number: number, offset: number): object => ({
  code: 'LOG_CORRUPT',
  kind: 'corruption',
  details: { file: path(number), offset },
});

// Frames of records of 20 bytes are 64 bytes long, the last 4 being padding.
const paddingBytes = 4;
const nth = (n: number): number => headerBlockBytes + n * 64;

/** Three batches of two records each, then the process dies. */
async function threeBatches(env: SimEnv): Promise<void> {
  const wal = await open(env);
  for (const first of [1, 3, 5]) await wal.append(records(1, first, first + 1));
  env.kill();
}

describe('the end of the log', () => {
  test(
    'whole batches survive the death of the process without a loss',
    onNode(async (env) => {
      await threeBatches(env);
      const wal = await open(env);
      expect(wal.stats().tornBytes).toBe(0);
      expect(await collect(wal, 1)).toEqual(records(1, 1, 6));
    }),
  );

  test.each([
    ['the last record', nth(5), 5],
    ['the first record of the last batch', nth(4), 4],
  ])('damage in %s is a torn tail: cut off and told', async (_what, offset, kept) => {
    await onNode(async (env) => {
      await threeBatches(env);
      env.disk.flipBit(path(1), offset + 50, 2);
      const wal = await open(env);
      expect(wal.stats().tornBytes).toBe(nth(6) - paddingBytes - nth(kept));
      expect(await collect(wal, 1)).toEqual(records(1, 1, kept));
      expect(env.log.lines).toMatchObject([
        { level: 'warn', fields: { file: path(1), offset: nth(kept) } },
      ]);
      await wal.append([record(1, kept + 1, 2)]);
      await wal.close();
      const again = await open(env);
      expect(again.stats().tornBytes).toBe(0);
      expect(await collect(again, 1)).toEqual([...records(1, 1, kept), record(1, kept + 1, 2)]);
    })();
  });

  test(
    'what was cut off stays off, also when the records written over it fit its frames exactly',
    onNode(async (env) => {
      await threeBatches(env);
      env.disk.flipBit(path(1), nth(4) + 50, 2);
      const wal = await open(env);
      await wal.append([record(1, 5, 2)]);
      env.crash();
      const again = await open(env);
      expect(await collect(again, 1)).toEqual([...records(1, 1, 4), record(1, 5, 2)]);
    }),
  );

  test.each([0, 1, 2, 3])('damage in record %i, before the last batch, is refused', async (n) => {
    await onNode(async (env) => {
      await threeBatches(env);
      env.disk.flipBit(path(1), nth(n) + 50, 2);
      const before = env.disk.peek(path(1));
      await expect(open(env)).rejects.toMatchObject(corrupt(1, nth(n)));
      // Nothing is cut or repaired.
      expect(env.disk.peek(path(1))).toEqual(before);
    })();
  });

  test.each([0, 5])('after an orderly close damage in record %i is refused', async (n) => {
    await onNode(async (env) => {
      const wal = await open(env);
      for (const first of [1, 3, 5]) await wal.append(records(1, first, first + 1));
      await wal.close();
      env.disk.flipBit(path(1), nth(n) + 50, 2);
      await expect(open(env)).rejects.toMatchObject(corrupt(1, nth(n)));
    })();
  });

  test(
    'sectors lost from an older batch are damage although the rest of the file is zero',
    onNode(async (env) => {
      await threeBatches(env);
      const bytes = env.disk.peek(path(1));
      env.disk.plant(path(1), bytes.fill(0, nth(0), nth(2)));
      await expect(open(env)).rejects.toMatchObject(corrupt(1, nth(0)));
    }),
  );

  test(
    'an intact frame that belongs to no batch there is not taken for a record',
    onNode(async (env) => {
      await threeBatches(env);
      const bytes = env.disk.peek(path(1));
      const { salt } = tryDecodeSegmentHeader(bytes)!;
      const stale = { ...record(1, 7), type: frameType.record };
      const place = { salt, fileOffset: nth(6), batchStart: nth(2) };
      encodeFrame(bytes, viewOf(bytes), nth(6), stale, place);
      env.disk.plant(path(1), bytes);
      const wal = await open(env);
      expect(wal.stats().tornBytes).toBe(64 - paddingBytes);
      expect(await collect(wal, 1)).toEqual(records(1, 1, 6));
    }),
  );

  test(
    'a cut tail leaves room: the next records go into the same segment',
    onNode(async (env) => {
      await threeBatches(env);
      env.disk.flipBit(path(1), nth(5) + 50, 2);
      const wal = await open(env);
      await wal.append([record(1, 6)]);
      expect(wal.stats().segments).toBe(1);
    }),
  );
});

/** Several segments, closed. Records of 2,000 bytes: five to a segment. */
async function severalSegments(env: SimEnv): Promise<void> {
  const wal = await open(env);
  for (const one of records(1, 1, 20, 2_000)) await wal.append([one]);
  expect(wal.stats().segments).toBeGreaterThanOrEqual(4);
  await wal.close();
}

describe('older segments', () => {
  test(
    'damage in them is refused, wherever it is',
    onNode(async (env) => {
      await severalSegments(env);
      const saved = env.disk.peek(path(2));
      for (const offset of [0, 20, headerBlockBytes + 60, headerBlockBytes + 9_000]) {
        env.disk.flipBit(path(2), offset, 1);
        await expect(open(env), `offset ${offset}`).rejects.toMatchObject({
          code: 'LOG_CORRUPT',
          details: { file: path(2) },
        });
        env.disk.plant(path(2), saved);
      }
      await (await open(env)).close();
    }),
  );

  test(
    'a lost end is noticed, although what is left is in order',
    onNode(async (env) => {
      await severalSegments(env);
      const bytes = env.disk.peek(path(2));
      const frames = 48 + 2_040;
      const end = headerBlockBytes + 40 + 4 * (frames - 48);
      env.disk.plant(path(2), bytes.fill(0, end));
      await expect(open(env)).rejects.toMatchObject(corrupt(2, end));
    }),
  );

  test(
    'damage in the last batch of a segment counts as damage once the next was begun',
    onNode(async (env) => {
      const wal = await open(env);
      for (const one of records(1, 1, 6, 2_000)) await wal.append([one]);
      env.kill();
      const end = env.disk.peek(path(1)).findLastIndex((byte) => byte !== 0);
      env.disk.flipBit(path(1), end - 100, 0);
      // Also when the batch the next segment was begun with is torn itself.
      env.disk.flipBit(path(2), headerBlockBytes + 30, 0);
      await expect(open(env)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        details: { file: path(1) },
      });
    }),
  );

  test(
    'a missing file is noticed',
    onNode(async (env) => {
      await severalSegments(env);
      await env.disk.remove(path(2));
      await expect(open(env)).rejects.toMatchObject(corrupt(2, 0));
    }),
  );

  test(
    'a file under another number is refused',
    onNode(async (env) => {
      await severalSegments(env);
      env.disk.plant(path(2), env.disk.peek(path(3)));
      await expect(open(env)).rejects.toMatchObject(corrupt(2, 0));
    }),
  );
});

describe('segments that were never used', () => {
  test.each([
    ['an empty file', new Uint8Array(0)],
    ['a file of zeros', new Uint8Array(16_384)],
    ['a header alone', encodeSegmentHeader({ number: 2, salt: 1, storeId: new Uint8Array(16) })],
  ])('%s at the end is removed', async (_what, bytes) => {
    await onNode(async (env) => {
      await threeBatches(env);
      env.disk.plant(path(2), bytes);
      const wal = await open(env);
      expect(segmentFiles(env)).toEqual([path(1)]);
      expect(await collect(wal, 1)).toEqual(records(1, 1, 6));
    })();
  });

  test(
    'frames without a header are damage',
    onNode(async (env) => {
      await threeBatches(env);
      const bytes = env.disk.peek(path(1)).fill(0, 0, headerBlockBytes);
      env.disk.plant(path(1), bytes);
      await expect(open(env)).rejects.toMatchObject(corrupt(1, 0));
    }),
  );
});

test(
  'a newer format is refused by its number',
  onNode(async (env) => {
    await threeBatches(env);
    const bytes = env.disk.peek(path(1));
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 2);
    view.setUint32(12, crc32c(bytes, 16, 48, 2));
    env.disk.plant(path(1), bytes);
    await expect(open(env)).rejects.toMatchObject({
      code: 'FORMAT_UNKNOWN',
      kind: 'unsupported',
      details: { file: path(1), version: 2, supported: 1 },
    });
  }),
);

test(
  'a record that rots while the log is open is refused by replay, with its place',
  onNode(async (env) => {
    const wal = await open(env);
    await wal.append(records(1, 1, 5));
    for (const offset of [nth(2) + 3, nth(2) + 45]) {
      env.disk.flipBit(path(1), offset, 0);
      await expect(collect(wal, 1)).rejects.toMatchObject(corrupt(1, nth(2)));
      expect(await collect(wal, 1, 4)).toEqual(records(1, 4, 5));
      env.disk.flipBit(path(1), offset, 0);
    }
    expect(await collect(wal, 1)).toEqual(records(1, 1, 5));
  }),
);
