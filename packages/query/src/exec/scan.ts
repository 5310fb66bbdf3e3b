import type { CollectionInfo, StoredRecord } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import type { Test } from './filter.ts';
import { asLimit } from './limit.ts';
import type { Batch, Batches, Operator, Origin, Row, Run } from './operator.ts';

/** Where the items of a scan (records or index entries) come from, for one outer row. */
export interface Source<Item> {
  /** `limit` items are enough; `undefined` when all may be needed. */
  open(outer: Row, run: Run, limit: number | undefined): AsyncIterable<readonly Item[]>;
}

/** Puts what later operators need of an item into the registers of a row. */
export interface Reader<Item> {
  /** What the filters need. */
  early(item: Item, row: Row): void;
  /** The rest, for rows that pass. */
  late(item: Item, row: Row): void;
}

export interface ScanParts<Item> {
  readonly source: Source<Item>;
  readonly reader: Reader<Item>;
  readonly test: Test | undefined;
  /** Rows wanted of the whole stream. */
  readonly limit: Evaluate | undefined;
}

/** FOR over a collection: for every outer row, the items that pass the filters. */
export function makeScan<Item>(nodeId: number, parts: ScanParts<Item>): Operator {
  return { nodeId, open: (input, run, origin) => scanRows(input, parts, run, origin) };
}

async function* scanRows<Item>(
  input: Batches,
  { source, reader, test, limit }: ScanParts<Item>,
  run: Run,
  origin: Origin,
): Batches {
  const { context } = run;
  let missing = limit === undefined ? Infinity : asLimit(limit(origin.row, context));
  let out: Batch = [];
  outer: for await (const batch of input) {
    for (const outer of batch) {
      if (missing <= 0) break outer;
      const enough = test === undefined && missing < Infinity ? missing : undefined;
      for await (const items of source.open(outer, run, enough)) {
        const before = out.length;
        let row = outer.slice();
        for (const item of items) {
          reader.early(item, row);
          if (test !== undefined && !test(row, context)) continue;
          reader.late(item, row);
          out.push(row);
          row = outer.slice();
        }
        const found = out.length - before;
        run.counters.filtered += items.length - found;
        missing -= found;
        if (missing < 0) out.length += missing;
        if (run.checkpoint()) await run.pause();
        if (missing <= 0) break;
        if (out.length < run.batchRows) continue;
        yield out;
        out = [];
      }
      // Rows of a scan that gives few at a time wait for more, but not for ever.
      if (out.length >= run.batchRows / 2) {
        yield out;
        out = [];
      }
    }
  }
  if (out.length > 0) yield out;
}

export function fullScan(collection: CollectionInfo): Source<StoredRecord> {
  return {
    async *open(_outer, run, limit) {
      const request = limit === undefined ? {} : { limit, batchRows: Math.min(limit, 1000) };
      for await (const records of run.transaction.scan(collection, request)) {
        run.counters.scannedFull += records.length;
        yield records;
      }
    },
  };
}
