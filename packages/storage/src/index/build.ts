import { equalBytes, hasCode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { KvEntry } from '@themisdb/kv';
import { decodeValue } from '../codec/decode.ts';
import type { IndexInfo } from '../contract/catalog.ts';
import type { StoreContext } from '../context.ts';
import { checkEnvelope, envelopeBytes } from '../envelope.ts';
import { keyText, rangeOf, space } from '../keys.ts';
import { TransactionProposal } from '../transaction/commit.ts';
import { PendingEntry } from '../transaction/overlay.ts';
import { after } from '../transaction/read-set.ts';
import { TransactionState } from '../transaction/state.ts';
import { ownerBytes, ownerOfEntry, type RawEntry } from './entries.ts';

const batchRowsMax = 1000;
const zero = new Uint8Array(1);

/**
 * Fills an index over records that were there before it. Writers maintain the index since its entry in
 * the catalog says `building`; this walks the records in key order and commits their entries in
 * batches, each an ordinary transaction that is run again, smaller, when a writer came between.
 */
export async function buildIndex(
  context: StoreContext,
  index: IndexInfo,
  onProgress: ((done: number, total: number) => void) | undefined,
): Promise<void> {
  const { gte, lt } = rangeOf(context.keys.owned(space.record, index.collectionId));
  let from = gte;
  let rows = batchRowsMax;
  let done = 0;
  for (;;) {
    const batch = await tryBatch(context, index, { gte: from, lt }, rows);
    if (batch === 'conflict') {
      rows = Math.max(1, rows >> 2);
      continue;
    }
    done += batch.rows;
    onProgress?.(done, Math.max(done, context.counters.get(index.collectionId)));
    if (batch.last === undefined) return;
    from = new Uint8Array([...batch.last, ...zero]);
    rows = Math.min(batchRowsMax, rows * 2);
  }
}

async function tryBatch(
  context: StoreContext,
  index: IndexInfo,
  range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  rows: number,
): Promise<{ readonly rows: number; readonly last: Uint8Array | undefined } | 'conflict'> {
  const state = new TransactionState(context, {});
  let status: 'committed' | 'rolled-back' = 'rolled-back';
  try {
    mustExist(state, index);
    const records = await readBatch(state, range, rows);
    await bufferEntries(state, index, records);
    if (!state.overlay.isEmpty) await context.pipeline.submit(new TransactionProposal(state));
    status = 'committed';
    const isEnd = records.length < rows;
    return { rows: records.length, last: isEnd ? undefined : records[records.length - 1]!.key };
  } catch (error) {
    if (hasCode(error, 'WRITE_CONFLICT')) return 'conflict';
    throw error;
  } finally {
    state.end(status);
  }
}

function mustExist(state: TransactionState, index: IndexInfo): void {
  const collection = state.view.catalog.byId(index.collectionId);
  if (collection?.indexes.some(({ id }) => id === index.id)) return;
  throw themisError('INDEX_NOT_FOUND', {
    message: `index "${index.name}" was dropped while it was being built`,
  });
}

async function readBatch(
  state: TransactionState,
  range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  rows: number,
): Promise<KvEntry[]> {
  const records: KvEntry[] = [];
  const options = { snapshot: state.snapshot(), limit: rows, batchEntries: rows };
  for await (const batch of state.context.engine.scan(range, options)) records.push(...batch);
  for (const { value } of records) checkEnvelope(value);
  const last = records[records.length - 1];
  const isEnd = records.length < rows;
  state.reads!.addRange({
    gte: keyText(range.gte),
    lt: isEnd ? keyText(range.lt) : after(keyText(last!.key)),
  });
  return records;
}

async function bufferEntries(
  state: TransactionState,
  index: IndexInfo,
  records: readonly KvEntry[],
): Promise<void> {
  const encoder = state.context.encoderOf(index);
  const entries: (RawEntry & { readonly owner: Uint8Array })[] = [];
  for (const { key, value } of records) {
    const owner = key.subarray(key.length - ownerBytes);
    const document = decodeValue(value, envelopeBytes);
    for (const entry of encoder.entriesOf(document, owner)) entries.push({ ...entry, owner });
  }
  const stored = await state.context.engine.multiGet(
    entries.map(({ key }) => key),
    { snapshot: state.snapshot() },
  );
  entries.forEach(({ key, value, owner }, i) => {
    const text = keyText(key);
    const there = stored[i] ?? state.overlay.entries.get(text)?.value;
    if (there !== undefined && !equalBytes(ownerOfEntry(index, key, there), owner))
      throw themisError('UNIQUE_VIOLATION', {
        message: `two entities have the same value of ${index.fields.join(', ')}; unique index "${index.name}" cannot be built`,
        details: { index: index.name, fields: index.fields },
      });
    if (stored[i] !== undefined) return;
    state.overlay.entries.set(new PendingEntry(key, { index, existed: false, value }));
    state.overlay.bytes += key.length + value.length + 8;
  });
}
