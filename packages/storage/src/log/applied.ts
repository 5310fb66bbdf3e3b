import { getU32, getU53, getU64, setU32, setU53, setU64 } from '../codec/integers.ts';
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
  setU53(out, 4, applied.index);
  setU53(out, 12, applied.term);
  setU64(out, 20, applied.timestamp);
  setU32(out, 0, crc32c(out, 4));
  return out;
}

export function decodeApplied(bytes: Uint8Array): Applied {
  if (bytes.length !== 28 || getU32(bytes, 0) !== crc32c(bytes, 4))
    throw themisError('DATA_CORRUPT', { message: 'the applied index failed its checksum' });
  return { index: getU53(bytes, 4), term: getU53(bytes, 12), timestamp: getU64(bytes, 20) };
}
