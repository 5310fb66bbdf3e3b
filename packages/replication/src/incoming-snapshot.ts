import { compareBytes, hasCode, type Disk, type DiskFile, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { StateEntry } from '@themisdb/storage';
import type { RaftTransport } from './contract.ts';
import { decodeChunk, type SnapshotHead } from './snapshot-chunks.ts';

const folder = 'snapshots';
const lengthBytes = 4;

/**
 * A snapshot on its way here. Its chunks are checked and written to a file; only when all of it is
 * durable does anybody hear of it, so that a fetch that breaks off changes nothing. Fetching again goes
 * on where the last attempt ended, as long as it is the same snapshot; after an error of the disk it
 * begins again, with a new file: what is in the old one, and what of it is durable, nobody knows.
 */
export class IncomingSnapshot {
  readonly file: string;
  readonly #disk: Disk;
  readonly #id: string | undefined;
  #head: SnapshotHead | undefined;
  #position = 0;
  #count = 0;
  #lastKey: Uint8Array | undefined;

  constructor(
    env: Pick<Env, 'disk'>,
    place: { readonly shard: number; readonly id: string | undefined },
  ) {
    this.#disk = env.disk;
    this.#id = place.id;
    this.file = snapshotFile(place.shard, place.id ?? 'rebuild');
  }

  /** Resolves with what was fetched when the whole snapshot is durable. */
  async fetch(transport: RaftTransport, from: number, signal: AbortSignal): Promise<SnapshotHead> {
    try {
      return await this.#fetch(transport, from, signal);
    } catch (error) {
      if (hasCode(error, 'DISK_FULL', 'DISK_IO')) await this.#forget();
      throw error;
    }
  }

  async #fetch(transport: RaftTransport, from: number, signal: AbortSignal): Promise<SnapshotHead> {
    await this.#disk.makeDirectory(folder);
    const file = await this.#disk.open(this.file, { create: true });
    try {
      await file.truncate(this.#position);
      const request = { id: this.#id ?? this.#head?.id, after: this.#lastKey };
      for await (const bytes of transport.fetchSnapshot(from, request, signal)) {
        const isEnd = this.#check(bytes);
        await this.#write(file, bytes);
        if (!isEnd) continue;
        await file.datasync();
        await this.#disk.syncDirectory(folder);
        // The folder's own name, which may be new.
        await this.#disk.syncDirectory('');
        return this.#head!;
      }
    } finally {
      await file.close();
    }
    throw themisError('SNAPSHOT_GONE', { message: `snapshot ${this.#id} ended before its end` });
  }

  async #forget(): Promise<void> {
    this.#head = this.#lastKey = undefined;
    this.#position = this.#count = 0;
    await this.#disk.remove(this.file);
  }

  #check(bytes: Uint8Array): boolean {
    const chunk = decodeChunk(bytes);
    if (chunk.type === 'entries') {
      this.#checkEntries(chunk.entries);
      return false;
    }
    if (chunk.type === 'head') {
      if (this.#head !== undefined && this.#head.id !== chunk.head.id)
        throw this.#corrupt(`became ${chunk.head.id}`);
      this.#head = chunk.head;
      return false;
    }
    if (this.#head === undefined) throw this.#corrupt('has no head');
    if (chunk.count !== this.#count)
      throw this.#corrupt(`has ${this.#count} of ${chunk.count} entries`);
    return true;
  }

  #checkEntries(entries: readonly StateEntry[]): void {
    const first = entries[0];
    if (first !== undefined && this.#lastKey && compareBytes(first.key, this.#lastKey) <= 0)
      throw this.#corrupt('is out of order');
    this.#count += entries.length;
    this.#lastKey = entries.at(-1)?.key.slice() ?? this.#lastKey;
  }

  async #write(file: DiskFile, bytes: Uint8Array): Promise<void> {
    const framed = new Uint8Array(lengthBytes + bytes.length);
    new DataView(framed.buffer).setUint32(0, bytes.length);
    framed.set(bytes, lengthBytes);
    await file.write(this.#position, framed);
    this.#position += framed.length;
  }

  #corrupt(how: string): Error {
    return themisError('DATA_CORRUPT', { message: `snapshot ${this.#id} ${how}` });
  }
}

export function snapshotFile(shard: number, id: string): string {
  return `${folder}/${shard}-${id}`;
}

/** The entries of a snapshot file that is whole. DATA_CORRUPT. */
export async function* readSnapshotFile(
  disk: Disk,
  path: string,
): AsyncIterable<readonly StateEntry[]> {
  const file = await disk.open(path, { readOnly: true });
  try {
    for (let position = 0; ;) {
      const head = await file.read(position, lengthBytes);
      if (head.length < lengthBytes)
        throw themisError('DATA_CORRUPT', { message: `${path} ends before its end` });
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
      const chunk = decodeChunk(await file.read(position + lengthBytes, length));
      if (chunk.type === 'end') return;
      if (chunk.type === 'entries') yield chunk.entries;
      position += lengthBytes + length;
    }
  } finally {
    await file.close();
  }
}

/** Whether the file of a snapshot is there, whole and undamaged. */
export async function isSnapshotWhole(disk: Disk, path: string): Promise<boolean> {
  try {
    for await (const _ of readSnapshotFile(disk, path));
    return true;
  } catch (error) {
    if (hasCode(error, 'FILE_NOT_FOUND', 'DATA_CORRUPT')) return false;
    throw error;
  }
}

/** Files of snapshots that were given up, or are installed. */
export async function removeSnapshotFiles(disk: Disk, shard: number, keep?: string): Promise<void> {
  for (const name of await disk.list(folder)) {
    const path = `${folder}/${name}`;
    if (name.startsWith(`${shard}-`) && path !== keep) await disk.remove(path);
  }
}
