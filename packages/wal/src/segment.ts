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
