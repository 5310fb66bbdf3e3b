import { hasCode, isThemisError, type Value, type ValueObject } from '@themisdb/base';
import type { CollectionInfo, StoredRecord, WriteOptions, WriteResult } from '@themisdb/storage';
import type { Evaluate } from '../expression/contract.ts';
import type { ModifyOptions } from '../plan/node.ts';
import { gather, rebatch } from './chain.ts';
import { estimateBatchBytes } from './memory.ts';
import type { Batch, Batches, Operator, Row, Run } from './operator.ts';
import { changesOf, documentOf, ifVersionOf, mustTarget, type Target } from './write-target.ts';

export interface ModifyParts {
  readonly nodeId: number;
  readonly operation: 'insert' | 'update' | 'replace' | 'remove';
  readonly collection: CollectionInfo;
  readonly key: Evaluate | undefined;
  readonly document: Evaluate | undefined;
  readonly options: ModifyOptions;
  /** Registers, where later operators use them. */
  readonly old: number | undefined;
  readonly new: number | undefined;
}

/**
 * INSERT, UPDATE, REPLACE, REMOVE. All input is read before the first write, so that no row sees the
 * effect of another. With `ignoreErrors` rows whose write is refused are left out and counted.
 */
export function makeModify(parts: ModifyParts): Operator {
  return { nodeId: parts.nodeId, open: (input, run) => modifyRows(input, parts, run) };
}

async function* modifyRows(input: Batches, parts: ModifyParts, run: Run): Batches {
  let charged = 0;
  try {
    const rows = await gather(input, (batch) => {
      const bytes = estimateBatchBytes(batch);
      charged += bytes;
      run.memory.charge(bytes);
    });
    for (const batch of rebatch(rows, run)) {
      const out = await writeBatch(batch, parts, run);
      if (out.length > 0) yield out;
    }
  } finally {
    run.memory.release(charged);
  }
}

/** What a row's write came to; `skipped` when nothing had to be written. */
export type Outcome =
  | Pick<WriteResult, 'before' | 'after'>
  | { readonly skipped: true; readonly before: StoredRecord | undefined };

async function writeBatch(batch: Batch, parts: ModifyParts, run: Run): Promise<Batch> {
  const { operation, options } = parts;
  if (operation === 'insert' && options.overwriteMode === 'conflict') {
    return insertBatch(batch, parts, run);
  }
  const out: Batch = [];
  for (const row of batch) {
    const outcome = await ignoring(options, run, () => writeRow(row, parts, run));
    if (outcome !== undefined) out.push(finishRow(row, outcome, parts, run));
    if (run.checkpoint()) await run.pause();
  }
  return out;
}

async function insertBatch(batch: Batch, parts: ModifyParts, run: Run): Promise<Batch> {
  const { collection, options } = parts;
  const rows: Row[] = [];
  const documents: ValueObject[] = [];
  for (const row of batch) {
    const document = await ignoring(options, run, () =>
      documentOf(parts.document!(row, run.context), 'INSERT'),
    );
    if (document === undefined) continue;
    rows.push(row);
    documents.push(document);
  }
  const results =
    documents.length === 1
      ? [await run.transaction.insert(collection, documents[0]!).catch(asError)]
      : await run.transaction.insertMany(collection, documents);
  const out: Batch = [];
  for (const [i, result] of results.entries()) {
    const outcome = await ignoring(options, run, () => {
      if ('error' in result) throw result.error;
      return result;
    });
    if (outcome !== undefined) out.push(finishRow(rows[i]!, outcome, parts, run));
  }
  if (run.checkpoint()) await run.pause();
  return out;
}

function asError(error: unknown): { readonly error: unknown } {
  return { error };
}

/** The result of `write`, or undefined when it was refused and errors are to be ignored. */
export async function ignoring<T>(
  options: ModifyOptions,
  run: Run,
  write: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (!options.ignoreErrors || !isRefusal(error)) throw error;
    run.counters.writesIgnored++;
    return undefined;
  }
}

/** Whether an error concerns one write only, rather than the query, transaction or store. */
function isRefusal(error: unknown): boolean {
  return (
    isThemisError(error) &&
    ['invalid', 'conflict', 'not-found'].includes(error.kind) &&
    !['WRITE_CONFLICT', 'QUERY_KILLED', 'AQL_WARNING'].includes(error.code)
  );
}

async function writeRow(row: Row, parts: ModifyParts, run: Run): Promise<Outcome> {
  const { operation, collection, options } = parts;
  const { transaction, context } = run;
  if (operation === 'insert')
    return insertOver(documentOf(parts.document!(row, context), 'INSERT'), parts, run);
  const clause = operation.toUpperCase();
  const document = parts.document?.(row, context);
  const key = parts.key === undefined ? document! : parts.key(row, context);
  const target = mustTarget(key, collection, clause);
  const condition = options.ignoreRevs ? undefined : ifVersionOf(key);
  const writeOptions: WriteOptions = { ifVersion: condition };
  if (operation === 'remove') return transaction.remove(collection, target.uuid, writeOptions);
  const change = changesOf(document!, clause);
  return writeChange(operation, target, change, writeOptions, parts, run);
}

/** Update or replace, unless `versionAttribute` says that the change is older than what is there. */
export async function writeChange(
  operation: 'update' | 'replace',
  target: Target,
  change: ValueObject,
  writeOptions: WriteOptions,
  parts: Pick<ModifyParts, 'collection' | 'options'>,
  run: Run,
): Promise<Outcome> {
  const { collection, options } = parts;
  if (options.versionAttribute !== undefined) {
    const current = await run.transaction.get(collection, target.uuid);
    if (current !== undefined && isOutdated(change, current, options.versionAttribute)) {
      return { skipped: true, before: current };
    }
  }
  if (operation === 'replace') {
    return run.transaction.replace(collection, target.uuid, change, writeOptions);
  }
  return run.transaction.update(collection, target.uuid, change, {
    ...writeOptions,
    removeNulls: !options.keepNull,
    mergeObjects: options.mergeObjects,
  });
}

function isOutdated(change: ValueObject, current: StoredRecord, attribute: string): boolean {
  const next = change[attribute];
  const now = current.read({ steps: [attribute] });
  return typeof next === 'number' && typeof now === 'number' && next <= now;
}

/** INSERT with an overwriteMode: what to do when the key is taken. */
async function insertOver(document: ValueObject, parts: ModifyParts, run: Run): Promise<Outcome> {
  const { collection, options } = parts;
  try {
    return await run.transaction.insert(collection, document);
  } catch (error) {
    if (!hasCode(error, 'KEY_EXISTS') || options.overwriteMode === 'conflict') throw error;
  }
  const target = mustTarget(document, collection, 'INSERT');
  if (options.overwriteMode === 'ignore') return { skipped: true, before: undefined };
  const change = changesOf(document, 'INSERT');
  return writeChange(options.overwriteMode, target, change, {}, parts, run);
}

/** Fills OLD and NEW, which are null where there is none, and counts the write. */
export function finishRow(
  row: Row,
  outcome: Outcome,
  registers: Pick<ModifyParts, 'old' | 'new'>,
  run: Run,
): Row {
  const skipped = 'skipped' in outcome;
  if (skipped) run.counters.writesIgnored++;
  else run.counters.writesExecuted++;
  const after = skipped ? outcome.before : outcome.after;
  if (registers.old !== undefined) row[registers.old] = documentIn(outcome.before);
  if (registers.new !== undefined) row[registers.new] = documentIn(after);
  return row;
}

function documentIn(record: StoredRecord | undefined): Value {
  return record === undefined ? null : record.document();
}
