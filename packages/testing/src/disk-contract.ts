import type { Disk, DiskFile } from '@themisdb/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

export interface DiskFixture {
  readonly disk: Disk;
  /** Runs a test body; a disk on virtual time drives it here. */
  readonly run: (body: () => Promise<void>) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** The contract of `Disk` as tests, without crashes. Every implementation runs it. */
export function runDiskContract(name: string, makeFixture: () => Promise<DiskFixture>): void {
  describe(`${name} keeps the disk contract`, () => {
    let fixture: DiskFixture;
    beforeEach(async () => {
      fixture = await makeFixture();
    });
    afterEach(() => fixture.dispose());

    const check = (title: string, body: (disk: Disk) => Promise<void>): void => {
      test(title, () => fixture.run(() => body(fixture.disk)));
    };
    filesAndBytes(check);
    names(check);
    refusals(check);
  });
}

type Check = (title: string, body: (disk: Disk) => Promise<void>) => void;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function create(disk: Disk, path: string, content: Uint8Array): Promise<DiskFile> {
  const file = await disk.open(path, { create: true });
  await file.write(0, content);
  return file;
}

function filesAndBytes(check: Check): void {
  check('what was written is read, across pages and to the end of the file only', async (disk) => {
    const content = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
    const file = await create(disk, 'f', content);
    expect(await file.read(0, 10_000)).toEqual(content);
    expect(await file.read(4_000, 300)).toEqual(content.slice(4_000, 4_300));
    expect(await file.read(9_990, 100)).toEqual(content.slice(9_990));
    expect(await file.read(10_000, 1)).toEqual(bytes());
    expect(await file.read(20_000, 5)).toEqual(bytes());
    expect(await file.size()).toBe(10_000);
    await file.close();
  });

  check('bytes read belong to the reader', async (disk) => {
    const file = await create(disk, 'f', bytes(1, 2, 3));
    (await file.read(0, 3)).fill(9);
    expect(await file.read(0, 3)).toEqual(bytes(1, 2, 3));
    await file.close();
  });

  check('writing past the end leaves zeros between', async (disk) => {
    const file = await create(disk, 'f', bytes(1));
    await file.write(5, bytes(2, 3));
    expect(await file.read(0, 10)).toEqual(bytes(1, 0, 0, 0, 0, 2, 3));
    await file.close();
  });

  check('an empty write changes nothing', async (disk) => {
    const file = await create(disk, 'f', bytes(1));
    await file.write(100, bytes());
    expect(await file.size()).toBe(1);
    await file.close();
  });

  check('truncate cuts, and growing again shows zeros', async (disk) => {
    const file = await create(disk, 'f', bytes(1, 2, 3, 4));
    await file.truncate(2);
    expect(await file.read(0, 9)).toEqual(bytes(1, 2));
    await file.truncate(4);
    expect(await file.read(0, 9)).toEqual(bytes(1, 2, 0, 0));
    await file.close();
  });

  check('allocate grows with zeros, keeps content, never shrinks', async (disk) => {
    const file = await create(disk, 'f', bytes(7));
    await file.allocate(2_000_000);
    expect(await file.size()).toBe(2_000_000);
    expect(await file.read(0, 3)).toEqual(bytes(7, 0, 0));
    expect(await file.read(1_999_998, 9)).toEqual(bytes(0, 0));
    await file.allocate(10);
    expect(await file.size()).toBe(2_000_000);
    await file.datasync();
    await file.close();
  });

  check('a file keeps its content over close and open', async (disk) => {
    await (await create(disk, 'f', bytes(1, 2))).close();
    const again = await disk.open('f', { create: true });
    expect(await again.read(0, 9)).toEqual(bytes(1, 2));
    await again.close();
    const reader = await disk.open('f', { readOnly: true });
    expect(reader.path).toBe('f');
    expect(await reader.read(0, 9)).toEqual(bytes(1, 2));
    await reader.close();
  });
}

function names(check: Check): void {
  check('folders are made with all above them, and listed by name in order', async (disk) => {
    await disk.makeDirectory('a/b');
    await disk.makeDirectory('a/b');
    for (const name of ['z', 'y10', 'y9']) await (await create(disk, `a/${name}`, bytes())).close();
    expect(await disk.list('a')).toEqual(['b', 'y10', 'y9', 'z']);
    expect(await disk.list('')).toEqual(['a']);
    expect(await disk.list('nowhere')).toEqual([]);
    for (const folder of ['', 'a', 'a/b']) await disk.syncDirectory(folder);
  });

  check('exists tells files, folders and nothing apart from nothing', async (disk) => {
    await disk.makeDirectory('a');
    await (await create(disk, 'a/f', bytes())).close();
    expect(await disk.exists('a')).toBe(true);
    expect(await disk.exists('a/f')).toBe(true);
    expect(await disk.exists('a/g')).toBe(false);
    expect(await disk.exists('b/g')).toBe(false);
  });

  check('rename replaces its target', async (disk) => {
    await (await create(disk, 'from', bytes(1))).close();
    await (await create(disk, 'to', bytes(2, 2))).close();
    await disk.rename('from', 'to');
    expect(await disk.list('')).toEqual(['to']);
    const file = await disk.open('to', {});
    expect(await file.read(0, 9)).toEqual(bytes(1));
    await file.close();
  });

  check('remove takes files and whole folders, and is content with nothing', async (disk) => {
    await disk.makeDirectory('a/b');
    await (await create(disk, 'a/b/f', bytes(1))).close();
    await (await create(disk, 'g', bytes(1))).close();
    await disk.remove('g');
    await disk.remove('a');
    await disk.remove('a');
    expect(await disk.list('')).toEqual([]);
    expect(await disk.exists('a/b/f')).toBe(false);
  });

  check('close waits for calls under way', async (disk) => {
    const file = await create(disk, 'f', bytes(1, 2));
    const under = [file.write(2, bytes(3)), file.datasync(), file.read(0, 2)] as const;
    await file.close();
    const [, , read] = await Promise.all(under);
    expect(read).toEqual(bytes(1, 2));
    const again = await disk.open('f', {});
    expect(await again.read(0, 9)).toEqual(bytes(1, 2, 3));
    await again.close();
  });

  check('an open file outlives its name', async (disk) => {
    const file = await create(disk, 'f', bytes(1, 2));
    await disk.remove('f');
    expect(await file.read(0, 9)).toEqual(bytes(1, 2));
    await file.close();
  });
}

function refusals(check: Check): void {
  check('what is not there rejects with FILE_NOT_FOUND', async (disk) => {
    const absent = { code: 'FILE_NOT_FOUND' };
    await expect(disk.open('f', {})).rejects.toMatchObject(absent);
    await expect(disk.open('f', { readOnly: true })).rejects.toMatchObject(absent);
    await expect(disk.open('no/f', { create: true })).rejects.toMatchObject(absent);
    await expect(disk.rename('f', 'g')).rejects.toMatchObject(absent);
    await expect(disk.syncDirectory('no')).rejects.toMatchObject(absent);
    expect(await disk.list('')).toEqual([]);
  });

  check('paths that could leave the root are refused', async (disk) => {
    for (const path of ['../f', 'a/../f', '/etc/passwd', 'a//b', './f', 'a\\b', 'a\0']) {
      await expect(disk.exists(path), path).rejects.toThrow('disk path');
    }
    expect(() => disk.nativePath('../f')).toThrow('disk path');
  });

  check('every call on a closed file rejects', async (disk) => {
    const file = await create(disk, 'f', bytes(1));
    await file.close();
    const calls: (() => Promise<unknown>)[] = [
      () => file.read(0, 1),
      () => file.write(0, bytes(1)),
      () => file.datasync(),
      () => file.truncate(0),
      () => file.allocate(9),
      () => file.size(),
      () => file.close(),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow('used after close');
  });

  check('a file opened for reading refuses to change', async (disk) => {
    await (await create(disk, 'f', bytes(1))).close();
    const file = await disk.open('f', { readOnly: true });
    const refused = /open for reading only|EBADF|EINVAL/;
    await expect(file.write(0, bytes(2))).rejects.toThrow(refused);
    await expect(file.truncate(0)).rejects.toThrow(refused);
    expect(await file.read(0, 9)).toEqual(bytes(1));
    await file.close();
  });
}
