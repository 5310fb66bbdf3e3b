import type { Disk, DiskFile } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { encodeSegmentHeader, headerBlockBytes } from './format.ts';

/** An open segment file. */
export class Segment {
  readonly number: number;
  readonly salt: number;
  readonly file: DiskFile;
  /** Where the next frame goes. */
  end: number = headerBlockBytes;
  /** The file's size: frames up to here need no new space. */
  allocated: number;
  #readers = 0;
  #retired: (() => void) | undefined;

  constructor(number: number, salt: number, file: DiskFile, allocated: number) {
    this.number = number;
    this.salt = salt;
    this.file = file;
    this.allocated = allocated;
  }

  get isEmpty(): boolean {
    return this.end === headerBlockBytes;
  }

  get usedBytes(): number {
    return this.end - headerBlockBytes;
  }

  /** Reads while holding off the closing of the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#readers++;
    try {
      return await this.file.read(offset, length);
    } finally {
      if (--this.#readers === 0) this.#retired?.();
    }
  }

  /** Closes the file once nobody reads it. */
  async retire(): Promise<void> {
    if (this.#readers > 0) await new Promise<void>((resolve) => (this.#retired = resolve));
    await this.file.close();
  }

  corrupt(offset: number, what: string): Error {
    return logCorrupt(this.file.path, offset, what);
  }
}

export function logCorrupt(file: string, offset: number, what: string): Error {
  return themisError('LOG_CORRUPT', {
    message: `${file}: ${what} at offset ${offset}`,
    details: { file, offset },
  });
}

export interface NewSegment {
  readonly folder: string;
  readonly path: string;
  readonly number: number;
  readonly salt: number;
  readonly storeId: Uint8Array;
  readonly bytes: number;
}

/** Makes a segment, durable with its space and its name. Leaves no file behind when that fails. */
export async function createSegment(disk: Disk, wanted: NewSegment): Promise<Segment> {
  const { path, number, salt } = wanted;
  // A file of that name can only be the rest of an attempt that failed: its bytes must not be seen.
  await disk.remove(path);
  const file = await disk.open(path, { create: true });
  try {
    await file.allocate(wanted.bytes);
    await file.write(0, encodeSegmentHeader(wanted));
    await file.datasync();
    await disk.syncDirectory(wanted.folder);
  } catch (error) {
    await file.close();
    await disk.remove(path);
    throw error;
  }
  return new Segment(number, salt, file, await file.size());
}
