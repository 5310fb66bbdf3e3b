import { isObject, type Value } from '@themisdb/base';
import { uuidOfKey } from '@themisdb/protocol';
import type { CollectionInfo } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import type { ModifyOptions } from '../plan/node.ts';
import { gather, openChain, rebatch, type Chain } from './chain.ts';
import { estimateBatchBytes } from './memory.ts';
import { finishRow, ignoring, writeChange, type Outcome } from './modify.ts';
import type { Batch, Batches, Operator, Row, Run } from './operator.ts';
import { changesOf, documentOf } from './write-target.ts';

export interface UpsertParts {
  readonly nodeId: number;
  readonly collection: CollectionInfo;
  /** Finds candidates, best first; its result register holds the document. */
  readonly search: Chain;
  readonly insert: Evaluate;
  readonly modify: Evaluate;
  readonly modifyKind: 'update' | 'replace';
  readonly options: ModifyOptions;
  /** Holds the document found while `modify` is computed. */
  readonly old: number;
  readonly new: number | undefined;
}

/** UPSERT: row by row, so that a row finds what an earlier one inserted. */
export function makeUpsert(parts: UpsertParts): Operator {
  return { nodeId: parts.nodeId, open: (input, run) => upsertRows(input, parts, run) };
}

async function* upsertRows(input: Batches, parts: UpsertParts, run: Run): Batches {
  let charged = 0;
  try {
    const rows = await gather(input, (batch) => {
      const bytes = estimateBatchBytes(batch);
      charged += bytes;
      run.memory.charge(bytes);
    });
    for (const batch of rebatch(rows, run)) {
      const out: Batch = [];
      for (const row of batch) {
        const outcome = await ignoring(parts.options, run, () => upsertRow(row, parts, run));
        if (outcome !== undefined) out.push(finishRow(row, outcome, parts, run));
        if (run.checkpoint()) await run.pause();
      }
      if (out.length > 0) yield out;
    }
  } finally {
    run.memory.release(charged);
  }
}

async function upsertRow(row: Row, parts: UpsertParts, run: Run): Promise<Outcome> {
  const { collection, options } = parts;
  const found = await findFirst(row, parts, run);
  row[parts.old] = found;
  if (!isObject(found)) {
    const document = documentOf(parts.insert(row, run.context), 'UPSERT');
    return run.transaction.insert(collection, document);
  }
  const uuid = uuidOfKey(collection.uuidNamespace, found['_key'] as string);
  const change = changesOf(parts.modify(row, run.context), 'UPSERT');
  return writeChange(parts.modifyKind, { uuid }, change, {}, { collection, options }, run);
}

async function findFirst(row: Row, { search }: UpsertParts, run: Run): Promise<Value> {
  for await (const batch of openChain(search, row.slice(), run)) {
    return batch[0]![search.result!]!;
  }
  return null;
}
