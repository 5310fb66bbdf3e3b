import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDiskContract } from '@themisdb/testing/disk-contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeNodeDisk } from './node-disk.ts';

runDiskContract('makeNodeDisk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'themis-disk-'));
  return {
    disk: makeNodeDisk(root),
    run: (body) => body(),
    dispose: () => rm(root, { recursive: true }),
  };
});

describe('errors of the operating system', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'themis-disk-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  test('more space than there is rejects with DISK_FULL, and takes none', async () => {
    const file = await makeNodeDisk(root).open('f', { create: true });
    const full = { code: 'DISK_FULL', kind: 'exhausted', retryable: true };
    await expect(file.allocate(2 ** 52)).rejects.toMatchObject(full);
    expect(await file.size()).toBe(0);
    await file.close();
  });

  test.skipIf(!existsSync('/dev/full'))(
    'a write without space rejects with DISK_FULL',
    async () => {
      await symlink('/dev/full', join(root, 'f'));
      const file = await makeNodeDisk(root).open('f', {});
      await expect(file.write(0, new Uint8Array(10))).rejects.toMatchObject({
        code: 'DISK_FULL',
        details: { operation: 'write', path: 'f', errno: 'ENOSPC' },
      });
      await file.close();
    },
  );

  test('anything else rejects with DISK_IO and the error number', async () => {
    const disk = makeNodeDisk(root);
    await disk.makeDirectory('folder');
    await expect(disk.open('folder', {})).rejects.toMatchObject({
      code: 'DISK_IO',
      details: { errno: 'EISDIR' },
      message: 'open of folder failed: EISDIR',
    });
  });
});
