import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { utf8Decode, utf8Encode } from '@themisdb/base';
import type { KvEngine } from '@themisdb/kv';
import { spawnSource, type SourceProcess } from '@themisdb/testing/spawn-source';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRocksDB } from './rocksdb-engine.ts';

let path: string;
let child: SourceProcess;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'themis-kv-'));
  child = spawnSource(new URL('./testdata/crash-writer.ts', import.meta.url), [path]);
});

afterEach(async () => {
  child.kill('SIGKILL');
  await rm(path, { recursive: true });
});

/** Waits until the child reported `count` writes; gives the greatest number it reported. */
async function untilWritten(count: number): Promise<number> {
  let greatest = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    greatest = Math.max(greatest, Number(line));
    if (--count <= 0) return greatest;
  }
  throw new Error('the writing process ended early');
}

async function kill(): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The number of the last batch, having checked that all batches up to it are there, wholly. */
async function lastOfPrefix(engine: KvEngine): Promise<number> {
  const count = Number(utf8Decode((await engine.get(utf8Encode('count')))!));
  const names = Array.from({ length: count + 10 }, (_, i) => [`${i + 1}:a`, `${i + 1}:b`]);
  const values = await engine.multiGet(names.flat().map(utf8Encode));
  const missing = values.findIndex((value) => value === undefined);
  expect(missing).toBe(2 * count);
  expect(values.slice(missing).every((value) => value === undefined)).toBe(true);
  return count;
}

test('after kill -9 the batches come back as a prefix, none in part', async () => {
  const reported = await untilWritten(2_000);
  await kill();
  const engine = await openRocksDB({ path });
  // The kernel outlived the process: what was written before the kill is there, synced or not.
  expect(await lastOfPrefix(engine)).toBeGreaterThanOrEqual(reported);
  await engine.close();
});

test('another process holds the lock until it dies', async () => {
  await untilWritten(60);
  await expect(openRocksDB({ path })).rejects.toMatchObject({ code: 'DATA_LOCKED' });
  await kill();
  const engine = await openRocksDB({ path });
  expect(await lastOfPrefix(engine)).toBeGreaterThanOrEqual(50);
  await engine.close();
});
