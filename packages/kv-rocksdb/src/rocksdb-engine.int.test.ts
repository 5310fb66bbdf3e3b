import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKvContract } from '@themisdb/testing/kv-contract';
import { openRocksDB } from './rocksdb-engine.ts';

runKvContract('RocksDB', async () => {
  const path = await mkdtemp(join(tmpdir(), 'themis-kv-'));
  let engine = await openRocksDB({ path });
  return {
    engine,
    async reopen() {
      await engine.close();
      engine = await openRocksDB({ path });
      return engine;
    },
    async dispose() {
      await engine.close();
      await rm(path, { recursive: true });
    },
  };
});
