import type { CollectionInfo } from '@themisdb/storage';
import type { Batches, Operator, Run } from './operator.ts';

/** The number of entities of a collection, counted once per execution. */
export function makeCount(nodeId: number, register: number, collection: CollectionInfo): Operator {
  return { nodeId, open: (input, run) => countRows(input, nodeId, register, collection, run) };
}

async function* countRows(
  input: Batches,
  nodeId: number,
  register: number,
  collection: CollectionInfo,
  run: Run,
): Batches {
  for await (const batch of input) {
    const count = await run.shared(nodeId, () => run.transaction.count(collection));
    for (const row of batch) row[register] = count;
    yield batch;
  }
}
