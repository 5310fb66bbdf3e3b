import { crc32c } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Timestamp } from '../contract/transaction.ts';

/** How far the engine has come in the log. Written in the same batch as the last effect. */
export interface Applied {
  readonly index: number;
  readonly term: number;
  readonly timestamp: Timestamp;
}

export const nothingApplied: Applied = { index: 0, term: 0, timestamp: 0n };

/** `[crc32c u32][index u64][term u64][timestamp u64]`. */
export function encodeApplied(applied: Applied): Uint8Array {
  const out = new Uint8Array(28);
  const view = new DataView(out.buffer);
  view.setBigUint64(4, BigInt(applied.index));
  view.setBigUint64(12, BigInt(applied.term));
  view.setBigUint64(20, applied.timestamp);
  view.setUint32(0, crc32c(out, 4));
  return out;
}

export function decodeApplied(bytes: Uint8Array): Applied {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length !== 28 || view.getUint32(0) !== crc32c(bytes, 4))
    throw themisError('DATA_CORRUPT', { message: 'the applied index failed its checksum' });
  return {
    index: Number(view.getBigUint64(4)),
    term: Number(view.getBigUint64(12)),
    timestamp: view.getBigUint64(20),
  };
}
