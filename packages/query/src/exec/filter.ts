import type { EvaluationContext } from '../expression/contract.ts';
import type { Batches, Operator, Row, Run } from './operator.ts';

export type Test = (row: Row, context: EvaluationContext) => boolean;

/** FILTER: keeps the rows for which the condition is truthy. */
export function makeFilter(nodeId: number, test: Test): Operator {
  return { nodeId, open: (input, run) => filterRows(input, test, run) };
}

async function* filterRows(input: Batches, test: Test, run: Run): Batches {
  for await (const batch of input) {
    let kept = 0;
    for (const row of batch) if (test(row, run.context)) batch[kept++] = row;
    run.counters.filtered += batch.length - kept;
    batch.length = kept;
    if (kept > 0) yield batch;
  }
}
