import { tokenOfBytes } from '@themisdb/sharding';
import { uuidFromBytes, writeUuidOfKey, writeUuidText } from '@themisdb/protocol';
import { setU32 } from '../codec/integers.ts';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { RefusedRow } from '../contract/transaction.ts';
import { keyText, recordKeyBytes, space, uuidOffsetInRecordKey } from '../keys.ts';
import { keyExists } from '../transaction/document.ts';
import type { TransactionState } from '../transaction/state.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { RowBatch } from './encoded-rows.ts';
import { takesRows } from './row-encoder.ts';
import { RowTable } from './row-table.ts';

const uuidAt: number = uuidOffsetInRecordKey();
const tokenAt: number = uuidAt - 8;

/** Whether these rows may be buffered as they are: the others go through `insertMany`. */
export function mayInsertRows(
  state: TransactionState,
  collection: CollectionInfo,
  rows: RowBatch,
): boolean {
  const { overlay, context, writes } = state;
  const { limits } = context;
  return (
    overlay.isEmpty &&
    takesRows(context, collection) &&
    writes + rows.count <= limits.transactionWritesMax &&
    rows.bytes.length * 2 + rows.count * 512 <= limits.transactionBytesMax
  );
}

/** Buffers the rows whose key is free. */
export async function insertRows(
  state: TransactionState,
  collection: CollectionInfo,
  rows: RowBatch,
): Promise<(RefusedRow | undefined)[]> {
  const keys = recordKeysOf(state, collection, rows);
  const isTaken = new Uint8Array(rows.count);
  await markStored(state, collection, { rows, keys, isTaken });
  const table = new RowTable(keys);
  // Of rows with one key, the first is inserted.
  for (let i = 0; i < rows.count; i++) if (table.add(i) >= 0) isTaken[i] = 1;
  const refused: (RefusedRow | undefined)[] = [];
  const accepted: number[] = [];
  for (let i = 0; i < rows.count; i++) {
    if (isTaken[i] === 0) {
      accepted.push(i);
      refused.push(undefined);
      continue;
    }
    const key = keys.subarray(i * recordKeyBytes, (i + 1) * recordKeyBytes);
    state.noteRead(keyText(key));
    refused.push({ error: keyExists(collection, uuidFromBytes(key, uuidAt)) });
  }
  if (accepted.length > 0) {
    const bulk = new BulkInsert(state, collection, { rows, keys, accepted, table });
    state.overlay.setBulk(bulk);
    state.overlay.bytes += bulk.byteLength;
    state.writes += accepted.length;
    state.addCount(collection.id, accepted.length);
  }
  return refused;
}

const tokenWords = new Uint32Array(2);
const tokenValue = new BigUint64Array(tokenWords.buffer);
tokenValue[0] = 1n;
const lowWord = tokenWords[0] === 1 ? 0 : 1;
const uuidText = new Uint8Array(36);

/** The record keys of all rows, one after the other. */
function recordKeysOf(
  { context }: TransactionState,
  collection: CollectionInfo,
  { bytes, fields, stride, count }: RowBatch,
): Uint8Array {
  const prefix = context.keys.owned(space.record, collection.id);
  const out = new Uint8Array(count * recordKeyBytes);
  const { uuidNamespace } = collection;
  for (let i = 0, at = 0; i < count; i++, at += recordKeyBytes) {
    for (let j = 0; j < prefix.length; j++) out[at + j] = prefix[j]!;
    const start = fields[i * stride + 2]!;
    const end = fields[i * stride + 3]!;
    writeUuidOfKey(uuidNamespace, bytes, start, end, out, at + uuidAt);
    writeUuidText(out, at + uuidAt, uuidText, 0);
    tokenValue[0] = tokenOfBytes(uuidText);
    setU32(out, at + tokenAt, tokenWords[1 - lowWord]!);
    setU32(out, at + tokenAt + 4, tokenWords[lowWord]!);
  }
  return out;
}

interface Marked {
  readonly rows: RowBatch;
  readonly keys: Uint8Array;
  readonly isTaken: Uint8Array;
}

/** One round of reads for the keys of which the snapshot may have a record. */
async function markStored(
  state: TransactionState,
  collection: CollectionInfo,
  { rows, keys, isTaken }: Marked,
): Promise<void> {
  const { engine, presence } = state.context;
  const filter = presence.filterOf(space.record, collection.id);
  const wanted: Uint8Array[] = [];
  const places: number[] = [];
  for (let i = 0, at = 0; i < rows.count; i++, at += recordKeyBytes) {
    if (rows.isMade[i] === 1) continue;
    if (filter !== undefined && !filter.mayHaveAt(keys, at, at + recordKeyBytes)) continue;
    wanted.push(keys.subarray(at, at + recordKeyBytes));
    places.push(i);
  }
  if (wanted.length === 0) return;
  const values = await engine.multiGet(wanted, { snapshot: state.snapshot() });
  values.forEach((value, i) => {
    if (value !== undefined) isTaken[places[i]!] = 1;
  });
}
