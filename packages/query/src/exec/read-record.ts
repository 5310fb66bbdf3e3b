import { assert, type Value } from '@themisdb/base';
import {
  PathReader,
  type AttributePath,
  type IndexEntry,
  type IndexInfo,
  type StoredRecord,
} from '@themisdb/storage';
import { attributeAt } from './attribute-path.ts';
import type { Row } from './operator.ts';
import type { Reader } from './scan.ts';

/** One register a scan fills. */
export interface Field {
  readonly register: number;
  /** Empty for the whole document. */
  readonly steps: readonly string[];
  readonly early: boolean;
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
    const { register } = whole;
    reads.push((record, row) => void (row[register] = record.document()));
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
          const { at, rest } = coveredBy(index, steps)!;
          return (entry, row) => void (row[register] = attributeAt(at(entry), rest));
        }),
    );
  return { early: reads(true), late: reads(false) };
}

interface Covered {
  at(entry: IndexEntry): Value;
  /** Steps inside the covered value. */
  readonly rest: readonly string[];
}

/** How to get an attribute from the entries of an index, or undefined when they do not hold it. */
export function coveredBy(index: IndexInfo, steps: readonly string[]): Covered | undefined {
  const field = findPrefix(index.paths, steps);
  if (field !== undefined) {
    const rest = steps.slice(index.paths[field]!.steps.length);
    return { at: (entry) => entry.values[field] ?? null, rest };
  }
  const stored = findPrefix(index.storedPaths, steps);
  if (stored === undefined) return undefined;
  const rest = steps.slice(index.storedPaths[stored]!.steps.length);
  return { at: (entry) => entry.stored[stored] ?? null, rest };
}

function findPrefix(paths: readonly AttributePath[], steps: readonly string[]): number | undefined {
  const found = paths.findIndex(
    (path) =>
      path.expandAfter === undefined &&
      path.steps.length > 0 &&
      path.steps.length <= steps.length &&
      path.steps.every((step, i) => step === steps[i]),
  );
  return found < 0 ? undefined : found;
}
