import { isArray, type Value } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { CollectionInfo, StoredRecord } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import { uuidOfId, uuidOfKeyValue, uuidOfUrn } from './entity-id.ts';
import type { Test } from './filter.ts';
import type { Batch, Batches, Operator, Run } from './operator.ts';
import type { Reader } from './scan.ts';

export interface PrimaryParts {
  readonly collection: CollectionInfo;
  readonly attribute: '_key' | '_id' | '_urn';
  readonly value: Evaluate;
  readonly many: boolean;
  readonly reader: Reader<StoredRecord>;
  readonly test: Test | undefined;
}

/** FOR by key: one fetch for all keys of a batch of outer rows. */
export function makePrimaryScan(nodeId: number, parts: PrimaryParts): Operator {
  return { nodeId, open: (input, run) => lookUpRows(input, parts, run) };
}

async function* lookUpRows(input: Batches, parts: PrimaryParts, run: Run): Batches {
  const { collection, reader, test } = parts;
  for await (const batch of input) {
    const wanted = batch.map((row) => uuidsOf(parts, parts.value(row, run.context)));
    const uuids = wanted.flat();
    if (uuids.length === 0) continue;
    const records = await fetchRecords(uuids, collection, run);
    const out: Batch = [];
    let position = 0;
    let filtered = 0;
    batch.forEach((outer, i) => {
      const end = position + wanted[i]!.length;
      for (; position < end; position++) {
        const record = records[position];
        if (record === undefined) continue;
        const row = outer.slice();
        reader.early(record, row);
        if (test !== undefined && !test(row, run.context)) {
          filtered++;
          continue;
        }
        reader.late(record, row);
        out.push(row);
      }
    });
    run.counters.filtered += filtered;
    if (run.checkpoint()) await run.pause();
    if (out.length > 0) yield out;
  }
}

async function fetchRecords(
  uuids: readonly Uuid[],
  collection: CollectionInfo,
  run: Run,
): Promise<(StoredRecord | undefined)[]> {
  const { transaction, counters } = run;
  const records =
    uuids.length === 1
      ? [await transaction.get(collection, uuids[0]!)]
      : await transaction.getMany(collection, uuids);
  for (const record of records) if (record !== undefined) counters.scannedIndex++;
  return records;
}

/** The distinct entities a value of the attribute names; what is no such value names none. */
function uuidsOf(parts: PrimaryParts, value: Value): Uuid[] {
  if (!parts.many) return uuidOf(parts, value);
  if (!isArray(value)) return [];
  return [...new Set(value.flatMap((item) => uuidOf(parts, item)))];
}

function uuidOf({ attribute, collection }: PrimaryParts, value: Value): Uuid[] {
  if (typeof value !== 'string') return [];
  const found =
    attribute === '_key'
      ? uuidOfKeyValue(collection, value)
      : attribute === '_id'
        ? uuidOfId(collection, value)
        : uuidOfUrn(collection, value);
  return found === undefined ? [] : [found];
}
