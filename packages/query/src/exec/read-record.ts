import { assert } from '@themisdb/base';
import { PathReader, type IndexEntry, type IndexInfo, type StoredRecord } from '@themisdb/storage';
import { coveredBy } from '../plan/covering.ts';
import { attributeAt } from './attribute-path.ts';
import { recordValue } from './materialise.ts';
import type { Row } from './operator.ts';
import type { Reader } from './scan.ts';

/** One register a scan fills. */
export interface Field {
  readonly register: number;
  /** Empty for the whole document. */
  readonly steps: readonly string[];
  readonly early: boolean;
  /** Instead of the document, the record itself, to be decoded later. */
  readonly asRecord?: boolean;
}

/**
 * Reads attributes out of encoded records in one pass for those the filters need and one for the rest;
 * whole documents are decoded only where asked for. Registers of projections of one pass must be
 * neighbours, in the order of the fields.
 */
export function recordReader(fields: readonly Field[]): Reader<StoredRecord> {
  return {
    early: readFields(fields.filter((field) => field.early)),
    late: readFields(fields.filter((field) => !field.early)),
  };
}

type Read<Item> = (item: Item, row: Row) => void;

function readFields(fields: readonly Field[]): Read<StoredRecord> {
  const reads: Read<StoredRecord>[] = [];
  const projected = fields.filter((field) => field.steps.length > 0);
  const [first] = projected;
  if (first !== undefined) {
    assert(
      projected.every((field, i) => field.register === first.register + i),
      'registers of projections are neighbours',
    );
    const reader = new PathReader(projected.map(({ steps }) => ({ steps })));
    const { register } = first;
    reads.push((record, row) => record.readPaths(reader, row, register));
  }
  const whole = fields.find((field) => field.steps.length === 0);
  if (whole !== undefined) {
    const { register, asRecord } = whole;
    reads.push(
      asRecord === true
        ? (record, row) => void (row[register] = recordValue(record))
        : (record, row) => void (row[register] = record.document()),
    );
  }
  return together(reads);
}

function together<Item>(reads: readonly Read<Item>[]): Read<Item> {
  const [first, second] = reads;
  if (first === undefined) return () => undefined;
  if (second === undefined) return first;
  if (reads.length === 2) {
    return (item, row) => {
      first(item, row);
      second(item, row);
    };
  }
  return (item, row) => {
    for (const read of reads) read(item, row);
  };
}

/** Reads from index entries alone, for covering scans. */
export function entryReader(fields: readonly Field[], index: IndexInfo): Reader<IndexEntry> {
  const reads = (early: boolean): Read<IndexEntry> =>
    together(
      fields
        .filter((field) => field.early === early)
        .map(({ register, steps }): Read<IndexEntry> => {
          const { part, position, rest } = coveredBy(index, steps)!;
          if (rest.length === 0) {
            return (entry, row) => void (row[register] = entry[part][position] ?? null);
          }
          return (entry, row) => {
            row[register] = attributeAt(entry[part][position] ?? null, rest);
          };
        }),
    );
  return { early: reads(true), late: reads(false) };
}
