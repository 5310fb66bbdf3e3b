import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import { openRocksDB } from '@themisdb/kv-rocksdb';
import { makeNodeEnv } from '@themisdb/server/env';
import { spawnSource } from '@themisdb/testing/spawn-source';
import { openWal } from '@themisdb/wal';
import { openStore } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { CrashWorkload, type WorkloadEvent } from '../testing/crash-workload.ts';
import { killOptions } from '../testing/kill-options.ts';

// Strategy: a process on RocksDB and the real disk is killed (SIGKILL) after a random number of lines,
// again and again on the same data; after each kill the store is opened here and checked.
// More rounds with THEMIS_KILLS=200, say.
const rounds = Number(process.env['THEMIS_KILLS'] ?? 2);

test(
  `${rounds} kills under load lose nothing acknowledged`,
  { timeout: rounds * 30_000 },
  async () => {
    const dataRoot = await mkdtemp(join(tmpdir(), 'themis-kill-'));
    try {
      const prng = new Prng(rounds);
      const workload = new CrashWorkload(prng, killOptions.groups);
      for (let round = 0; round < rounds; round++) {
        await killAfter(dataRoot, round, prng.between(1, 3000), workload);
        await check(dataRoot, workload);
      }
      expect(workload.acknowledged).toBeGreaterThan(rounds);
    } finally {
      await rm(dataRoot, { recursive: true });
    }
  },
);

async function killAfter(
  dataRoot: string,
  seed: number,
  lines: number,
  workload: CrashWorkload,
): Promise<void> {
  const child = new URL('../testing/kill-child.ts', import.meta.url);
  const running = spawnSource(child, [dataRoot, String(seed)]);
  const exited = new Promise((resolve) => running.once('exit', resolve));
  let seen = 0;
  for await (const line of createInterface(running.stdout)) {
    const [event, group, n] = line.split(' ');
    workload.learn(event as WorkloadEvent, Number(group), Number(n));
    if (++seen === lines) running.kill('SIGKILL');
  }
  await exited;
  expect(seen).toBeGreaterThanOrEqual(lines);
}

async function check(dataRoot: string, workload: CrashWorkload): Promise<void> {
  const env = makeNodeEnv({ dataRoot });
  const engine = await openRocksDB({ path: join(dataRoot, 'db') });
  const wal = await openWal(env, killOptions.wal);
  const store = (await openStore({ env, engine, wal, ...killOptions.store })) as ShardStore;
  await workload.check(store);
  await store.close();
  await wal.close();
  await engine.close();
}
