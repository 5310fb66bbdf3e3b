import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeSimEnv } from '@themisdb/testing';
import { expect, test } from 'vitest';
import { formatVersion } from './format.ts';
import { openWal } from './index.ts';
import { collect, folder, record, records, settle } from './testing/fixture.ts';

// A log written by each format there ever was, as files. They are made once, when a format is
// new, with WRITE_FIXTURE=1, and never again: later versions must read what earlier ones wrote.

const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
const options = { directory: folder, segmentBytes: 8_192 };

async function write(directory: string): Promise<void> {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const wal = await openWal(env, options);
    await wal.append(records(7, 1, 3, 40));
    for (let first = 1; first <= 16; first += 4)
      await wal.append(records(1, first, first + 3, 500));
    await wal.append([record(1, 15, 2, 500), record(2, 9)]);
    await wal.truncateBefore(1, 12);
    await settle(env);
    expect(wal.stats().carriedRecords).toBe(3);
    await wal.append(records(7, 4, 5, 0));
    await wal.close();
  });
  mkdirSync(directory, { recursive: true });
  for (const { path } of env.disk.files()) {
    writeFileSync(directory + path.slice(folder.length + 1), env.disk.peek(path));
  }
}

const current = `${fixtures}format-${formatVersion}/`;
if (process.env['WRITE_FIXTURE'] === '1' && !existsSync(current)) await write(current);

test('there is a fixture for every format', () => {
  const expected = Array.from({ length: formatVersion }, (_, i) => `format-${i + 1}`);
  expect(readdirSync(fixtures).sort()).toEqual(expected);
});

test('a log of format 1 opens with all it holds, and goes on', async () => {
  const env = makeSimEnv(2);
  for (const name of readdirSync(`${fixtures}format-1`)) {
    env.disk.plant(`${folder}/${name}`, readFileSync(`${fixtures}format-1/${name}`));
  }
  await env.run(async () => {
    const wal = await openWal(env, options);
    expect(wal.stats().tornBytes).toBe(0);
    const held = [...records(1, 12, 14, 500), record(1, 15, 2, 500)];
    expect(wal.groups()).toEqual([1, 2, 7]);
    expect(await collect(wal, 1)).toEqual(held);
    expect(await collect(wal, 2)).toEqual([record(2, 9)]);
    expect(await collect(wal, 7)).toEqual([...records(7, 1, 3, 40), ...records(7, 4, 5, 0)]);
    await wal.append([record(1, 16)]);
    await wal.close();
    const again = await openWal(env, options);
    expect(await collect(again, 1)).toEqual([...held, record(1, 16)]);
  });
});
