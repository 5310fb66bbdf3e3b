import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKvContract, type KvFixture } from '@themisdb/testing/kv-contract';
import { describe } from 'vitest';
import { openRocksDB } from './rocksdb-engine.ts';

// Without a cache, with one that never suffices, and as people run it.
describe.each([0, 4_000, undefined])('%s bytes of cache', (cacheBytes) => {
  runKvContract('RocksDB', () => makeFixture(cacheBytes));
});

async function makeFixture(cacheBytes: number | undefined): Promise<KvFixture> {
  const path = await mkdtemp(join(tmpdir(), 'themis-kv-'));
  const options = cacheBytes === undefined ? { path } : { path, cacheBytes };
  let engine = await openRocksDB(options);
  return {
    engine,
    async reopen() {
      await engine.close();
      engine = await openRocksDB(options);
      return engine;
    },
    async dispose() {
      await engine.close();
      await rm(path, { recursive: true });
    },
  };
}
