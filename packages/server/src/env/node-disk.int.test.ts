import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDiskContract } from '@themisdb/testing/disk-contract';
import { makeNodeDisk } from './node-disk.ts';

runDiskContract('makeNodeDisk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'themis-disk-'));
  return {
    disk: makeNodeDisk(root),
    run: (body) => body(),
    dispose: () => rm(root, { recursive: true }),
  };
});
