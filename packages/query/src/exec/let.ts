import type { Evaluate } from '../expression/contract.ts';
import type { Batches, Operator, Run } from './operator.ts';

/** LET: puts a value computed from the row into a register. */
export function makeLet(nodeId: number, register: number, value: Evaluate): Operator {
  return { nodeId, open: (input, run) => computeRows(input, register, value, run) };
}

async function* computeRows(input: Batches, register: number, value: Evaluate, run: Run): Batches {
  for await (const batch of input) {
    for (const row of batch) row[register] = value(row, run.context);
    yield batch;
  }
}
