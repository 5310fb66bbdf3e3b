import type { Batch, Batches, Operator, Origin, Row, Run } from './operator.ts';

/** The operators of one (sub)query, and the register its RETURN fills. */
export interface Chain {
  readonly operators: readonly Operator[];
  /** `undefined` for a query that returns nothing. */
  readonly result: number | undefined;
}

/** Runs a chain on one row, which it takes over. */
export function openChain(chain: Chain, row: Row, run: Run): Batches {
  const origin: Origin = { row };
  let stream = single(row);
  for (const operator of chain.operators) {
    stream = operator.open(stream, run, origin);
    if (run.profiler !== undefined) stream = run.profiler.measure(operator.nodeId, stream);
  }
  return stream;
}

async function* single(row: Row): Batches {
  yield [row];
}

/** Every batch of a stream as one, charged to the memory of the run. */
export async function gather(input: Batches, charge: (batch: Batch) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of input) {
    charge(batch);
    for (const row of batch) rows.push(row);
  }
  return rows;
}

/** Rows, or what leads to them, in batches of the usual size. */
export function* rebatch<T>(items: readonly T[], run: Run): Generator<T[], void> {
  for (let i = 0; i < items.length; i += run.batchRows) yield items.slice(i, i + run.batchRows);
}
