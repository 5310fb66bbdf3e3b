import type { Value } from '@themisdb/base';
import type { StoredRecord } from '@themisdb/storage';
import type { Batches, Operator } from './operator.ts';

/** Decodes documents of which only the encoded record was carried so far. */
export function makeMaterialise(nodeId: number, record: number, document: number): Operator {
  return { nodeId, open: (input) => decodeRows(input, record, document) };
}

async function* decodeRows(input: Batches, record: number, document: number): Batches {
  for await (const batch of input) {
    for (const row of batch) {
      row[document] = (row[record] as unknown as StoredRecord).document();
      row[record] = null;
    }
    yield batch;
  }
}

/** A record in a register: no expression ever sees it. */
export function recordValue(record: StoredRecord): Value {
  return record as unknown as Value;
}

/** Bytes a register holding a record counts for. */
export const recordBytes = 512;

export function isRecord(value: object): boolean {
  return typeof (value as Partial<StoredRecord>).readPaths === 'function';
}
