import { compareValues, type Value } from '@themisdb/base';
import type { Evaluate } from '../expression/contract.ts';
import { asLimit } from './limit.ts';
import { estimateBatchBytes } from './memory.ts';
import { MergeSorter, type Order } from './merge-sort.ts';
import type { Batch, Batches, Operator, Origin, Row, Run } from './operator.ts';
import { rebatch } from './chain.ts';

export interface SortKeyCode {
  readonly value: Evaluate;
  readonly descending: boolean;
}

/** A row with its sort values, computed once. */
interface Entry {
  readonly row: Row;
  readonly keys: readonly Value[];
}

/** SORT: all rows in order; rows with equal keys keep theirs. */
export function makeSort(nodeId: number, keys: readonly SortKeyCode[]): Operator {
  const order = orderOf(keys);
  return { nodeId, open: (input, run) => sortRows(input, keys, order, run) };
}

async function* sortRows(
  input: Batches,
  keys: readonly SortKeyCode[],
  order: Order<Entry>,
  run: Run,
): Batches {
  const sorter = new MergeSorter(order);
  let charged = 0;
  try {
    for await (const batch of input) {
      const bytes = estimateBatchBytes(batch) + batch.length * entryBytes(keys);
      charged += bytes;
      run.memory.charge(bytes);
      for (const row of batch) sorter.add(entryOf(row, keys, run));
    }
    yield* rowsOf(await sorter.finish(run), run);
  } finally {
    run.memory.release(charged);
  }
}

/** The rows of sorted entries, a batch at a time. */
function* rowsOf(entries: readonly Entry[], run: Run): Generator<Batch, void> {
  for (const batch of rebatch(entries, run)) yield batch.map((entry) => entry.row);
}

const topMax = 20_000;

/** SORT with a following LIMIT: keeps only the first `top` rows while reading. */
export function makeTopSort(nodeId: number, keys: readonly SortKeyCode[], top: Evaluate): Operator {
  const order = orderOf(keys);
  return { nodeId, open: (input, run, origin) => topRows(input, keys, order, top, run, origin) };
}

async function* topRows(
  input: Batches,
  keys: readonly SortKeyCode[],
  order: Order<Entry>,
  top: Evaluate,
  run: Run,
  origin: Origin,
): Batches {
  const wanted = asLimit(top(origin.row, run.context));
  if (wanted === 0) {
    await input.return?.();
    return;
  }
  // Nearly all rows, or so many that sorting them at once would take too long.
  if (wanted > topMax) return yield* sortRows(input, keys, order, run);
  // The best so far, then those that came since and may be better.
  const entries: Entry[] = [];
  let worst: Entry | undefined;
  let charged = 0;
  const charge = (bytes: number): void => {
    charged += bytes;
    run.memory.charge(bytes);
  };
  const compact = (): void => {
    entries.sort(order);
    if (entries.length > wanted) entries.length = wanted;
    if (entries.length === wanted) worst = entries[wanted - 1];
    run.memory.release(charged);
    charged = 0;
    charge(bytesOf(entries, keys));
  };
  try {
    const room = Math.max(2 * wanted, wanted + run.batchRows);
    for await (const batch of input) {
      const before = entries.length;
      for (const row of batch) {
        const entry = entryOf(row, keys, run);
        if (worst === undefined || order(entry, worst) < 0) entries.push(entry);
      }
      charge(bytesOf(entries.slice(before), keys));
      if (entries.length >= room) compact();
    }
    compact();
    yield* rowsOf(entries, run);
  } finally {
    run.memory.release(charged);
  }
}

function bytesOf(entries: readonly Entry[], keys: readonly SortKeyCode[]): number {
  const rows = entries.map((entry) => entry.row);
  return estimateBatchBytes(rows) + entries.length * entryBytes(keys);
}

function entryBytes(keys: readonly SortKeyCode[]): number {
  return 48 + keys.length * 8;
}

function entryOf(row: Row, keys: readonly SortKeyCode[], run: Run): Entry {
  if (keys.length === 1) return { row, keys: [keys[0]!.value(row, run.context)] };
  return { row, keys: keys.map((key) => key.value(row, run.context)) };
}

function orderOf(keys: readonly SortKeyCode[]): Order<Entry> {
  if (keys.length === 1) {
    return keys[0]!.descending
      ? (a, b) => compareValues(b.keys[0]!, a.keys[0]!)
      : (a, b) => compareValues(a.keys[0]!, b.keys[0]!);
  }
  const signs = keys.map((key) => (key.descending ? -1 : 1));
  return (a, b) => {
    for (let i = 0; i < signs.length; i++) {
      const order = compareValues(a.keys[i]!, b.keys[i]!);
      if (order !== 0) return order * signs[i]!;
    }
    return 0;
  };
}
