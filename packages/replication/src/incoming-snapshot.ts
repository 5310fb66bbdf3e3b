import { compareBytes, utf8Decode, type Disk, type DiskFile, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Snapshot } from '@themisdb/raft';
import type { StateEntry } from '@themisdb/storage';
import type { RaftTransport } from './contract.ts';
import { decodeChunk } from './snapshot-chunks.ts';

const folder = 'snapshots';
const lengthBytes = 4;

/**
 * A snapshot on its way here. Its chunks are checked and written to a file; only when all of it is
 * durable does the core hear of it, so that a fetch that breaks off changes nothing. A fetch of the same
 * snapshot later goes on where this one ended.
 */
export class IncomingSnapshot {
  readonly id: string;
  readonly file: string;
  readonly #disk: Disk;
  #position = 0;
  #count = 0;
  #lastKey: Uint8Array | undefined;

  constructor(env: Pick<Env, 'disk'>, snapshot: Snapshot, shard: number) {
    this.#disk = env.disk;
    this.id = utf8Decode(snapshot.data!);
    this.file = `${folder}/${shard}-${this.id}`;
  }

  /** Resolves when the whole snapshot is durable. */
  async fetch(transport: RaftTransport, from: number, signal: AbortSignal): Promise<void> {
    await this.#disk.makeDirectory(folder);
    const file = await this.#disk.open(this.file, { create: true });
    try {
      await file.truncate(this.#position);
      const request = { id: this.id, after: this.#lastKey };
      for await (const bytes of transport.fetchSnapshot(from, request, signal)) {
        const isEnd = this.#check(bytes);
        await this.#write(file, bytes);
        if (!isEnd) continue;
        await file.datasync();
        await this.#disk.syncDirectory(folder);
        return;
      }
    } finally {
      await file.close();
    }
    throw themisError('SNAPSHOT_GONE', { message: `snapshot ${this.id} ended before its end` });
  }

  remove(): Promise<void> {
    return this.#disk.remove(this.file);
  }

  #check(bytes: Uint8Array): boolean {
    const chunk = decodeChunk(bytes);
    if (chunk.type === 'end') {
      if (chunk.count === this.#count) return true;
      throw themisError('DATA_CORRUPT', {
        message: `snapshot ${this.id} has ${this.#count} of ${chunk.count} entries`,
      });
    }
    const { entries } = chunk;
    const first = entries[0];
    if (first !== undefined && this.#lastKey && compareBytes(first.key, this.#lastKey) <= 0)
      throw themisError('DATA_CORRUPT', { message: `snapshot ${this.id} is out of order` });
    this.#count += entries.length;
    this.#lastKey = entries.at(-1)?.key.slice() ?? this.#lastKey;
    return false;
  }

  async #write(file: DiskFile, bytes: Uint8Array): Promise<void> {
    const framed = new Uint8Array(lengthBytes + bytes.length);
    new DataView(framed.buffer).setUint32(0, bytes.length);
    framed.set(bytes, lengthBytes);
    await file.write(this.#position, framed);
    this.#position += framed.length;
  }
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
      yield chunk.entries;
      position += lengthBytes + length;
    }
  } finally {
    await file.close();
  }
}

/** Files of snapshots that were given up, or are installed. */
export async function removeSnapshotFiles(disk: Disk, shard: number): Promise<void> {
  for (const name of await disk.list(folder))
    if (name.startsWith(`${shard}-`)) await disk.remove(`${folder}/${name}`);
}
