import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng, utf8Encode } from '@themisdb/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRocksDB } from './rocksdb-engine.ts';

let path: string;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'themis-kv-'));
});

afterEach(async () => {
  await rm(path, { recursive: true });
});

test('a flipped byte in a data block is DATA_CORRUPT, never a wrong value', async () => {
  const prng = new Prng(1);
  const keys = Array.from({ length: 2_000 }, (_, i) => utf8Encode(`k${i}`));
  const first = await openRocksDB({ path });
  await first.write(keys.map((key) => ({ type: 'put', key, value: prng.bytes(100) })));
  await first.flush();
  await first.close();
  const name = (await readdir(path)).find((each) => each.endsWith('.sst'))!;
  const file = await readFile(join(path, name));
  file[10_000]! ^= 1;
  await writeFile(join(path, name), file);

  const engine = await openRocksDB({ path });
  const scan = async (): Promise<void> => {
    for await (const _ of engine.scan({}, { batchEntries: 100 }));
  };
  for (let round = 0; round < 2; round++) {
    await expect(scan()).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  }
  await expect(engine.multiGet(keys)).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  // Damage in one place leaves the rest readable, also for those who ask in the same turn.
  const each = await Promise.allSettled(keys.map((key) => engine.get(key)));
  const failed = each.filter((result) => result.status === 'rejected');
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(200);
  for (const { reason } of failed) expect(reason).toMatchObject({ code: 'DATA_CORRUPT' });
  await engine.close();
});

test('a folder that cannot be made is DISK_IO', async () => {
  const options = { path: join(path, 'a', 'b', 'c') };
  await writeFile(join(path, 'a'), 'a file');
  await expect(openRocksDB(options)).rejects.toMatchObject({ code: 'DISK_IO' });
});
