import { constants, mkdirSync } from 'node:fs';
import {
  access,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  statfs,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { assert, assertDiskPath, type Disk, type DiskFile, type OpenOptions } from '@themisdb/base';
import { themisError, type ErrorCode } from '@themisdb/protocol';

/** Files under `root`, which is made when absent. */
export function makeNodeDisk(root: string): Disk {
  const base = resolve(root);
  mkdirSync(base, { recursive: true });
  const native = (path: string): string => {
    assertDiskPath(path);
    return resolve(base, path);
  };
  return {
    nativePath: native,
    open: async (path, options) => openFile(path, native(path), options),
    async list(path) {
      const names = await attempt('list', path, readdir(native(path))).catch(
        absentIs<string[]>([]),
      );
      return names.sort();
    },
    async exists(path) {
      const found = attempt('exists', path, access(native(path))).then(() => true);
      return found.catch(absentIs(false));
    },
    async makeDirectory(path) {
      await attempt('makeDirectory', path, mkdir(native(path), { recursive: true }));
    },
    rename: async (from, to) => attempt('rename', from, rename(native(from), native(to))),
    async remove(path) {
      assert(path !== '', 'the root folder cannot be removed');
      await attempt('remove', path, rm(native(path), { recursive: true, force: true }));
    },
    syncDirectory: async (path) => attempt('syncDirectory', path, syncFolder(native(path))),
  };
}

async function openFile(path: string, native: string, options: OpenOptions): Promise<DiskFile> {
  const { create = false, readOnly = false } = options;
  assert(!(create && readOnly), () => `${path}: a file cannot be created read-only`);
  const flags = readOnly ? constants.O_RDONLY : constants.O_RDWR | (create ? constants.O_CREAT : 0);
  return new NodeFile(path, native, await attempt('open', path, open(native, flags)));
}

async function syncFolder(native: string): Promise<void> {
  const handle = await open(native, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #native: string;
  #handle: FileHandle | undefined;

  constructor(path: string, native: string, handle: FileHandle) {
    this.path = path;
    this.#native = native;
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const handle = this.#open();
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#attempt(
        'read',
        handle.read(out, filled, length - filled, position + filled),
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === length ? out : out.subarray(0, filled);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    await this.#writeAll(this.#open(), position, bytes);
  }

  async datasync(): Promise<void> {
    await this.#attempt('datasync', this.#open().datasync());
  }

  async truncate(length: number): Promise<void> {
    await this.#attempt('truncate', this.#open().truncate(length));
  }

  /**
   * Zeros are written and synced. Measured on ext4 (64 MiB file, 6.4 kB writes each followed by
   * fdatasync, p50): file that grows 0.28 ms, ftruncate 0.22 ms, zeros 0.15 ms; the zeros themselves
   * take 60-240 ms. With ftruncate alone the first write to each block changes metadata, which the sync
   * must commit too, and the space is not reserved, so that disk full would strike a later write.
   * Each MiB is synced by itself: syncs of another file meanwhile took at most 15 ms, against 40 ms with
   * one sync at the end, for 30 % more time in all.
   */
  async allocate(length: number): Promise<void> {
    const handle = this.#open();
    let position = (await this.#attempt('allocate', handle.stat())).size;
    await this.#mustHaveRoom(length - position);
    const zeros = new Uint8Array(Math.min(1 << 20, Math.max(length - position, 0)));
    while (position < length) {
      const part = zeros.subarray(0, Math.min(zeros.length, length - position));
      await this.#writeAll(handle, position, part);
      await this.#attempt('allocate', handle.datasync());
      position += part.length;
    }
  }

  /**
   * Asked before a disk is filled to the last byte with zeros that are of no use. As much again must
   * stay free: what is logged here the engine writes once more, and where it finds no room, writes do
   * not resume before it has 64 MiB.
   */
  async #mustHaveRoom(bytes: number): Promise<void> {
    if (bytes <= 0) return;
    const { bavail, bsize } = await this.#attempt('allocate', statfs(dirname(this.#native)));
    if (bavail * bsize >= 2 * bytes) return;
    throw themisError('DISK_FULL', {
      message: `allocate of ${this.path} failed: ${bytes} bytes wanted and as many left over, ${bavail * bsize} free`,
      details: { operation: 'allocate', path: this.path },
    });
  }

  async size(): Promise<number> {
    return (await this.#attempt('size', this.#open().stat())).size;
  }

  async close(): Promise<void> {
    const handle = this.#open();
    this.#handle = undefined;
    await this.#attempt('close', handle.close());
  }

  async #writeAll(handle: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#attempt(
        'write',
        handle.write(bytes, done, bytes.length - done, position + done),
      );
      done += bytesWritten;
    }
  }

  #open(): FileHandle {
    assert(this.#handle !== undefined, () => `${this.path} is used after close`);
    return this.#handle;
  }

  #attempt<T>(operation: string, work: Promise<T>): Promise<T> {
    return attempt(operation, this.path, work);
  }
}

async function attempt<T>(operation: string, path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(operation, path, error);
  }
}

function diskError(operation: string, path: string, cause: unknown): unknown {
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (errno === undefined) return cause;
  return themisError(codeOf(errno), {
    message: `${operation} of ${path === '' ? 'the data folder' : path} failed: ${errno}`,
    details: { operation, path, errno },
    cause,
  });
}

function codeOf(errno: string): ErrorCode {
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return 'DISK_FULL';
  return errno === 'ENOENT' ? 'FILE_NOT_FOUND' : 'DISK_IO';
}

function absentIs<T>(value: T): (error: unknown) => T {
  return (error) => {
    if ((error as { code?: unknown } | undefined)?.code === 'FILE_NOT_FOUND') return value;
    throw error;
  };
}
