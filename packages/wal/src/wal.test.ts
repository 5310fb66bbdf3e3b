import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeNodeEnv } from '@themisdb/server/env';
import { expect, test } from 'vitest';
import { openWal } from './index.ts';

test('appended records are there after reopening', async () => {
  const env = makeNodeEnv({ dataRoot: await mkdtemp(join(tmpdir(), 'wal-')) });
  const wal = await openWal(env, { directory: 'log' });
  const record = (index: number) => ({
    group: 1,
    index,
    term: 1,
    kind: 0,
    payload: new Uint8Array([index]),
  });
  await Promise.all([wal.append([record(1), record(2)]), wal.append([record(3)])]);
  await wal.append([record(3), record(4)]);
  await wal.truncateBefore(1, 2);
  await wal.close();
  const again = await openWal(env, { directory: 'log' });
  expect(again.bounds(1)).toEqual({ first: 2, last: 4 });
  const seen = [];
  for await (const batch of again.replay(1)) seen.push(...batch);
  expect(seen).toEqual([record(2), record(3), record(4)]);
  await again.close();
});
