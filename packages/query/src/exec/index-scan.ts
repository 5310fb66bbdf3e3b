import { compareValues, equalValues, isArray, type Value } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type {
  CollectionInfo,
  IndexBound,
  IndexEntry,
  IndexInfo,
  IndexRange,
  StoredRecord,
} from '@themisdb/storage';
import type { Evaluate, EvaluationContext } from '../expression/contract.ts';
import type { Row, Run } from './operator.ts';
import type { Source } from './scan.ts';

/** A range of an index whose values are computed from the outer row. */
export interface RangeCode {
  readonly index: IndexInfo;
  readonly equal: readonly { readonly value: Evaluate; readonly many: boolean }[];
  readonly lower: BoundCode | undefined;
  readonly upper: BoundCode | undefined;
}
interface BoundCode {
  readonly value: Evaluate;
  readonly inclusive: boolean;
}

export interface IndexParts {
  readonly collection: CollectionInfo;
  readonly ranges: readonly RangeCode[];
  readonly reverse: boolean;
  /** The same entity may come up twice and is given once. */
  readonly deduplicate: boolean;
}

/** The entries of the ranges, one range after the other, each in index order. */
export function entryScan(parts: IndexParts): Source<IndexEntry> {
  return {
    async *open(outer, run, limit) {
      const seen = parts.deduplicate ? new Set<Uuid>() : undefined;
      for (const code of parts.ranges) {
        for (const range of rangesOf(code, outer, run.context, parts.reverse)) {
          yield* scanRange(parts, code.index, range, run, seen, limit);
        }
      }
    },
  };
}

async function* scanRange(
  parts: IndexParts,
  index: IndexInfo,
  range: IndexRange,
  run: Run,
  seen: Set<Uuid> | undefined,
  limit: number | undefined,
): AsyncGenerator<readonly IndexEntry[], void> {
  const request = {
    reverse: parts.reverse,
    ...(limit === undefined || seen !== undefined ? {} : { limit }),
  };
  for await (const entries of run.transaction.scanIndex(parts.collection, index, range, request)) {
    run.counters.scannedIndex += entries.length;
    if (seen === undefined) {
      yield entries;
      continue;
    }
    const fresh = entries.filter(({ uuid }) => !seen.has(uuid) && seen.add(uuid));
    if (fresh.length > 0) yield fresh;
  }
}

/** The records the entries lead to, fetched a batch at a time. */
export function recordScan(parts: IndexParts): Source<StoredRecord> {
  const entries = entryScan(parts);
  return {
    async *open(outer, run, limit) {
      for await (const batch of entries.open(outer, run, limit)) {
        const uuids = batch.map((entry) => entry.uuid);
        const records =
          uuids.length === 1
            ? [await run.transaction.get(parts.collection, uuids[0]!)]
            : await run.transaction.getMany(parts.collection, uuids);
        run.counters.documentLookups += uuids.length;
        yield records.filter((record) => record !== undefined);
      }
    },
  };
}

/** One range per combination of the values of INs, in index order and without doubles. */
export function rangesOf(
  code: RangeCode,
  row: Row,
  context: EvaluationContext,
  reverse: boolean,
): IndexRange[] {
  let prefixes: Value[][] = [[]];
  for (const { value, many } of code.equal) {
    const computed = value(row, context);
    if (many && !isArray(computed)) return [];
    const values = many ? distinctInOrder(computed as readonly Value[], reverse) : [computed];
    prefixes = prefixes.flatMap((prefix) => values.map((item) => [...prefix, item]));
  }
  const lower = boundOf(code.lower, row, context);
  const upper = boundOf(code.upper, row, context);
  if (lower !== undefined && upper !== undefined && isEmpty(lower, upper)) return [];
  return prefixes.map((equal) => ({ equal, lower, upper }));
}

function distinctInOrder(values: readonly Value[], reverse: boolean): Value[] {
  const sorted = [...values].sort(compareValues);
  const distinct = sorted.filter((value, i) => i === 0 || !equalValues(value, sorted[i - 1]!));
  return reverse ? distinct.reverse() : distinct;
}

function boundOf(
  code: BoundCode | undefined,
  row: Row,
  context: EvaluationContext,
): IndexBound | undefined {
  return code && { value: code.value(row, context), inclusive: code.inclusive };
}

function isEmpty(lower: IndexBound, upper: IndexBound): boolean {
  const order = compareValues(lower.value, upper.value);
  return order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive));
}
