import type { Value } from '@themisdb/base';
import { gather, openChain, rebatch, type Chain } from './chain.ts';
import { estimateBatchBytes, estimateBytes } from './memory.ts';
import type { Batches, Operator, Row, Run } from './operator.ts';

export interface SubqueryParts {
  readonly nodeId: number;
  readonly register: number;
  readonly chain: Chain;
  /** The result is the same for all rows. */
  readonly once: boolean;
  /** It writes: all input is read first, so that no read of the query sees its effects. */
  readonly modifies: boolean;
}

/** Puts the array of a subquery's results into a register of each row. */
export function makeSubquery(parts: SubqueryParts): Operator {
  return { nodeId: parts.nodeId, open: (input, run) => subqueryRows(input, parts, run) };
}

interface Result {
  readonly values: readonly Value[];
  readonly bytes: number;
}

async function* subqueryRows(input: Batches, parts: SubqueryParts, run: Run): Batches {
  const { register, chain, nodeId } = parts;
  for await (const batch of parts.modifies ? readFirst(input, run) : input) {
    let charged = 0;
    try {
      for (const row of batch) {
        if (parts.once) {
          const shared = run.shared(nodeId, () => collectValues(chain, row.slice(), run));
          row[register] = (await shared).values;
          continue;
        }
        const result = await collectValues(chain, row.slice(), run);
        charged += result.bytes;
        row[register] = result.values;
        if (run.checkpoint()) await run.pause();
      }
      yield batch;
    } finally {
      run.memory.release(charged);
    }
  }
}

async function* readFirst(input: Batches, run: Run): Batches {
  let charged = 0;
  try {
    const rows = await gather(input, (batch) => {
      const bytes = estimateBatchBytes(batch);
      charged += bytes;
      run.memory.charge(bytes);
    });
    yield* rebatch(rows, run);
  } finally {
    run.memory.release(charged);
  }
}

async function collectValues(chain: Chain, row: Row, run: Run): Promise<Result> {
  const values: Value[] = [];
  let bytes = 0;
  for await (const batch of openChain(chain, row, run)) {
    if (chain.result === undefined) continue;
    let added = 0;
    for (const inner of batch) {
      const value = inner[chain.result]!;
      values.push(value);
      added += 8 + estimateBytes(value);
    }
    run.memory.charge(added);
    bytes += added;
  }
  return { values, bytes };
}
