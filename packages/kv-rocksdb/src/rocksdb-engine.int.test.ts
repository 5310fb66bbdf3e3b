import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8Encode, utf8Decode } from '@themisdb/base';
import type { KvEntry } from '@themisdb/kv';
import { expect, test } from 'vitest';
import { openRocksDB } from './rocksdb-engine.ts';

const bytes = utf8Encode;

test('writes, reads, scans and comes back after reopening', async () => {
  const path = await mkdtemp(join(tmpdir(), 'themis-kv-'));
  const engine = await openRocksDB({ path });
  const snapshot = engine.snapshot();
  await engine.write([
    { type: 'put', key: bytes('a'), value: bytes('1') },
    { type: 'put', key: bytes('b'), value: bytes('2') },
    { type: 'put', key: bytes('c'), value: bytes('') },
    { type: 'deleteRange', gte: bytes('a'), lt: bytes('b') },
  ]);
  expect(await engine.multiGet([bytes('a'), bytes('b'), bytes('c')])).toEqual([
    undefined,
    bytes('2'),
    bytes(''),
  ]);
  expect(await engine.get(bytes('b'), { snapshot })).toBeUndefined();
  await expect(openRocksDB({ path })).rejects.toMatchObject({ code: 'DATA_LOCKED' });
  snapshot.release();
  await engine.close();
  await expect(engine.get(bytes('b'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  const again = await openRocksDB({ path });
  const seen: KvEntry[] = [];
  for await (const batch of again.scan({ gte: bytes('a') }, { reverse: true, batchEntries: 1 })) {
    seen.push(...batch);
  }
  expect(seen.map(({ key }) => utf8Decode(key))).toEqual(['c', 'b']);
  await again.close();
  await rm(path, { recursive: true });
});
