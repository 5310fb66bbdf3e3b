import type { Evaluate } from '../expression/contract.ts';
import { estimateBytes } from './memory.ts';
import type { Batches, Operator, Run } from './operator.ts';
import { valueKey, type ValueKey } from './value-key.ts';

/** RETURN DISTINCT: as LET, and drops rows whose value came before. */
export function makeDistinct(nodeId: number, register: number, value: Evaluate): Operator {
  return { nodeId, open: (input, run) => distinctRows(input, register, value, run) };
}

async function* distinctRows(input: Batches, register: number, value: Evaluate, run: Run): Batches {
  const seen = new Set<ValueKey>();
  let charged = 0;
  try {
    for await (const batch of input) {
      let kept = 0;
      let bytes = 0;
      for (const row of batch) {
        const result = value(row, run.context);
        const key = valueKey(result);
        if (seen.has(key)) continue;
        seen.add(key);
        bytes += 40 + estimateBytes(key);
        row[register] = result;
        batch[kept++] = row;
      }
      charged += bytes;
      run.memory.charge(bytes);
      batch.length = kept;
      if (kept > 0) yield batch;
    }
  } finally {
    run.memory.release(charged);
  }
}
