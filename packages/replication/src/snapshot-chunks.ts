import { crc32c, utf8Decode, utf8Encode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { ConfState } from '@themisdb/raft';
import type { StateEntry } from '@themisdb/storage';
import { ByteReader, ByteWriter, ShortBytes } from './bytes.ts';
import { decodeConfState, encodeConfState } from './message-codec.ts';

/**
 * A snapshot travels, and lies on disk, as chunks: `[crc32c u32][kind u8]`, then
 *
 * - kind 3, the first chunk of every fetch: id, index, term, membership;
 * - kind 1: entries of key and value, each behind its length;
 * - kind 2, the last chunk: the number of entries in all.
 */
const kind = { entries: 1, end: 2, head: 3 } as const;
export const chunkBytesDefault: number = 1024 * 1024;

export interface SnapshotHead {
  readonly id: string;
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

export type Chunk =
  | { readonly type: 'head'; readonly head: SnapshotHead }
  | { readonly type: 'entries'; readonly entries: readonly StateEntry[] }
  | { readonly type: 'end'; readonly count: number };

export function encodeChunk(entries: readonly StateEntry[]): Uint8Array {
  const out = new ByteWriter(4096);
  out.u32(0);
  out.u8(kind.entries);
  for (const { key, value } of entries) {
    out.bytes(key);
    out.bytes(value);
  }
  return sealed(out);
}

export function encodeHead({ id, index, term, confState }: SnapshotHead): Uint8Array {
  const out = new ByteWriter(128);
  out.u32(0);
  out.u8(kind.head);
  out.bytes(utf8Encode(id));
  out.varint(index);
  out.varint(term);
  out.bytes(encodeConfState(confState));
  return sealed(out);
}

export function encodeEnd(count: number): Uint8Array {
  const out = new ByteWriter(16);
  out.u32(0);
  out.u8(kind.end);
  out.varint(count);
  return sealed(out);
}

/** DATA_CORRUPT when a bit is wrong. Entries are views of `bytes`. */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.length < 5 || new ByteReader(bytes).u32() !== crc32c(bytes, 4)) throw corrupt();
  const reader = new ByteReader(bytes.subarray(4));
  try {
    const found = reader.u8();
    if (found === kind.end) return { type: 'end', count: reader.varint() };
    if (found === kind.head) return { type: 'head', head: readHead(reader) };
    if (found !== kind.entries) throw corrupt();
    const entries: StateEntry[] = [];
    while (!reader.isAtEnd) entries.push({ key: reader.bytes(), value: reader.bytes() });
    return { type: 'entries', entries };
  } catch (error) {
    if (error instanceof ShortBytes) throw corrupt();
    throw error;
  }
}

/** Entries of a held state as chunks of about `chunkBytes`; head and end are the caller's. */
export async function* chunksOf(
  batches: AsyncIterable<readonly StateEntry[]>,
  chunkBytes: number,
): AsyncIterable<{ readonly bytes: Uint8Array; readonly count: number }> {
  let entries: StateEntry[] = [];
  let bytes = 0;
  for await (const batch of batches) {
    for (const entry of batch) {
      entries.push(entry);
      bytes += entry.key.length + entry.value.length + 8;
      if (bytes < chunkBytes) continue;
      yield { bytes: encodeChunk(entries), count: entries.length };
      entries = [];
      bytes = 0;
    }
  }
  if (entries.length > 0) yield { bytes: encodeChunk(entries), count: entries.length };
}

function readHead(reader: ByteReader): SnapshotHead {
  const id = utf8Decode(reader.bytes());
  const [index, term] = [reader.varint(), reader.varint()];
  return { id, index, term, confState: decodeConfState(reader.bytes()) };
}

function sealed(out: ByteWriter): Uint8Array {
  const bytes = out.finish();
  const crc = crc32c(bytes, 4);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, crc);
  return bytes;
}

function corrupt(): Error {
  return themisError('DATA_CORRUPT', { message: 'a chunk of a snapshot failed its checksum' });
}
