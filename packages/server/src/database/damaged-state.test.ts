import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog, type Env } from '@themisdb/base';
import { makeNodeEnv } from '../env/index.ts';
import { markDamaged, openWhole } from './damaged-state.ts';

let folder: string;
let env: Env;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'themis-damaged-'));
  env = makeNodeEnv({ dataRoot: folder, log: silentLog });
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what was found damaged is not opened where there is nobody to fetch it from', async () => {
  let opened = 0;
  const openEngine = (): Promise<{ close(): Promise<void> }> => {
    opened++;
    return Promise.resolve({ close: () => Promise.resolve() });
  };
  await openWhole(env, openEngine, () => Promise.resolve({}));
  expect(opened).toBe(1);
  await markDamaged(env.disk);
  const again = openWhole(env, openEngine, () => Promise.resolve({}));
  await expect(again).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  expect(opened).toBe(1);
});
