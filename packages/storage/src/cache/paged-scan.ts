import { compareBytes, concatBytes, hasCode } from '@themisdb/base';
import type { KvEntry } from '@themisdb/kv';
import type { CollectionInfo } from '../contract/catalog.ts';
import { keyText, rangeOf, space } from '../keys.ts';
import { CommittedRecord } from '../record.ts';
import { rowsAtFirst } from './page-cache.ts';
import type { TransactionState } from '../transaction/state.ts';
import { packRows, RecordPage } from './record-page.ts';

const zero = new Uint8Array(1);

/** Rows of a scan, and the end of what was looked at for them (exclusive). */
export interface PagedBatch {
  readonly rows: CommittedRecord[];
  readonly reached: Uint8Array;
}

/**
 * All records of a collection as the transaction's snapshot has them, from pages where there are any,
 * from the engine between them; what the engine gave becomes pages.
 */
export async function* pagedScan(
  state: TransactionState,
  collection: CollectionInfo,
): AsyncIterableIterator<PagedBatch> {
  const { pages, keys } = state.context;
  const { gte, lt } = rangeOf(keys.owned(space.record, collection.id));
  const { index } = state.view;
  for (let at = gte; compareBytes(at, lt) < 0;) {
    const page = pages.find(collection.id, at, index);
    if (page !== undefined) {
      const rows = page.records(collection, at);
      at = page.lt;
      if (rows.length > 0) yield { rows, reached: at };
      continue;
    }
    const gap = { gte: at, lt: pages.nextStart(collection.id, at, index) ?? lt };
    at = yield* readGap(state, collection, gap);
  }
}

async function* readGap(
  state: TransactionState,
  collection: CollectionInfo,
  gap: { readonly gte: Uint8Array; readonly lt: Uint8Array },
): AsyncGenerator<PagedBatch, Uint8Array> {
  const rowsAtOnce = state.context.pages.rowsAtOnce(collection.id);
  // The first few rows tell how many to read at once.
  const options = {
    snapshot: state.snapshot(),
    batchEntries: rowsAtOnce ?? rowsAtFirst,
    limit: rowsAtOnce === undefined ? rowsAtFirst : undefined,
  };
  let gte = gap.gte;
  let last: readonly KvEntry[] = [];
  for await (const batch of state.context.engine.scan(gap, options)) {
    if (last.length > 0) {
      const lt = concatBytes(last[last.length - 1]!.key, zero);
      yield keep(state, collection, { gte, lt }, last);
      gte = lt;
    }
    last = batch;
  }
  // The last page takes in the rest of the gap, also when there is nothing in it.
  const isCut = options.limit !== undefined && last.length === options.limit;
  const lt = isCut ? concatBytes(last[last.length - 1]!.key, zero) : gap.lt;
  const end = keep(state, collection, { gte, lt }, last);
  if (end.rows.length > 0) yield end;
  return lt;
}

/** Makes a page of what was read, unless a commit since the snapshot wrote there. */
function keep(
  state: TransactionState,
  collection: CollectionInfo,
  range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  entries: readonly KvEntry[],
): PagedBatch {
  const reached = range.lt;
  const { pages, recent, counters } = state.context;
  const { index } = state.view;
  const plain = (): CommittedRecord[] =>
    entries.map(({ key, value }) => new CommittedRecord(collection, key, value));
  const texts = { gte: keyText(range.gte), lt: keyText(range.lt) };
  if (recent.isForgotten(index) || recent.rangeChangedSince(texts, index))
    return { rows: plain(), reached };
  const packed = tryPack(entries);
  if (packed === undefined) return { rows: plain(), reached };
  const page = new RecordPage(range, index, packed);
  const rowBytes = page.byteLength / Math.max(1, page.rows);
  if (page.rows > 0) pages.learn(collection.id, rowBytes);
  if (pages.mayKeep(rowBytes * counters.get(collection.id))) pages.add(collection.id, page);
  return { rows: page.records(collection, range.gte), reached };
}

/** A damaged record spoils the page, not the scan: whoever reads it is told. */
function tryPack(entries: readonly KvEntry[]): ReturnType<typeof packRows> | undefined {
  try {
    return packRows(entries);
  } catch (error) {
    if (hasCode(error, 'DATA_CORRUPT', 'FORMAT_UNKNOWN')) return undefined;
    throw error;
  }
}
