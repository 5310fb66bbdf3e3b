import { getU32, getU64, setU32, setU64 } from '../codec/integers.ts';
import { crc32c } from '@themisdb/base';
import { themisError, uuidFromBytes, writeUuid, type Uuid } from '@themisdb/protocol';
import type { Change } from '../contract/store.ts';
import type { Timestamp } from '../contract/transaction.ts';
import { recordKeyBytes, uuidOffsetInRecordKey } from '../keys.ts';

export type ChangeOperation = Change['operation'];

/** A change as it stands in change space; the document is elsewhere, at that version. */
export interface ChangeRecord {
  readonly operation: ChangeOperation;
  readonly collectionId: number;
  /** Absent for truncate and drop. */
  readonly uuid?: Uuid | undefined;
  readonly previousVersion?: Timestamp | undefined;
}

/**
 * The changes of one command: `[crc32c u32][timestamp u64]`, then 29 bytes a change:
 * `[operation u8][collection u32][uuid 16][previous version u64, 0 = none]`.
 */
const headerBytes = 12;
export const changeBytes = 29;
const operations: readonly ChangeOperation[] = ['insert', 'update', 'remove', 'truncate', 'drop'];

export function encodeChanges(timestamp: Timestamp, changes: readonly ChangeRecord[]): Uint8Array {
  const out = new Uint8Array(headerBytes + changes.length * changeBytes);
  setU64(out, 4, timestamp);
  let at = headerBytes;
  for (const { operation, collectionId, uuid, previousVersion } of changes) {
    out[at] = operations.indexOf(operation) + 1;
    setU32(out, at + 1, collectionId);
    if (uuid !== undefined) writeUuid(uuid, out, at + 5);
    if (previousVersion !== undefined) setU64(out, at + 21, previousVersion);
    at += changeBytes;
  }
  setU32(out, 0, crc32c(out, 4));
  return out;
}

/** The changes of inserts into one collection; record keys stand in `keys` one after the other. */
export function encodeInserts(
  timestamp: Timestamp,
  collectionId: number,
  { keys, accepted }: { readonly keys: Uint8Array; readonly accepted: readonly number[] },
): Uint8Array {
  const out = new Uint8Array(headerBytes + accepted.length * changeBytes);
  setU64(out, 4, timestamp);
  let at = headerBytes;
  for (const row of accepted) {
    const from = row * recordKeyBytes + uuidOffsetInRecordKey();
    out[at] = operations.indexOf('insert') + 1;
    setU32(out, at + 1, collectionId);
    for (let j = 0; j < 16; j++) out[at + 5 + j] = keys[from + j]!;
    at += changeBytes;
  }
  setU32(out, 0, crc32c(out, 4));
  return out;
}

export function changeCount(bytes: Uint8Array): number {
  return (bytes.length - headerBytes) / changeBytes;
}

export function decodeChanges(bytes: Uint8Array): {
  readonly timestamp: Timestamp;
  readonly changes: ChangeRecord[];
} {
  if (bytes.length < headerBytes || getU32(bytes, 0) !== crc32c(bytes, 4))
    throw themisError('DATA_CORRUPT', { message: 'a change record failed its checksum' });
  const changes: ChangeRecord[] = [];
  for (let at = headerBytes; at < bytes.length; at += changeBytes) {
    const operation = operations[bytes[at]! - 1]!;
    const previous = getU64(bytes, at + 21);
    const ofEntity = operation !== 'truncate' && operation !== 'drop';
    changes.push({
      operation,
      collectionId: getU32(bytes, at + 1),
      uuid: ofEntity ? uuidFromBytes(bytes, at + 5) : undefined,
      previousVersion: previous === 0n ? undefined : previous,
    });
  }
  return { timestamp: getU64(bytes, 4), changes };
}
