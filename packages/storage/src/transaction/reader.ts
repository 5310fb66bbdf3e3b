import { compareBytes } from '@themisdb/base';
import type { KvEntry } from '@themisdb/kv';
import { themisError, type Uuid } from '@themisdb/protocol';
import { rowsAtFirst } from '../cache/page-cache.ts';
import { pagedScan } from '../cache/paged-scan.ts';
import type { CollectionInfo, IndexInfo } from '../contract/catalog.ts';
import type { IndexEntry, IndexRange, ScanRequest, StoredRecord } from '../contract/transaction.ts';
import { StoredEntry } from '../index/entries.ts';
import { keyRangeOf, type KeyRange } from '../index/range.ts';
import { keyText, metaName, rangeOf, space, type KeyText } from '../keys.ts';
import { decodeCount } from '../log/counters.ts';
import { CommittedRecord, type AnyRecord } from '../record.ts';
import { mergeScan } from './merge-scan.ts';
import type { TransactionState } from './state.ts';

const scanBatchEntries = 512;

export async function readRecord(
  state: TransactionState,
  collection: CollectionInfo,
  uuid: Uuid,
): Promise<AnyRecord | undefined> {
  const key = state.recordKey(collection, uuid);
  if (state.reads !== undefined || !state.overlay.isEmpty) {
    const text = keyText(key);
    const pending = state.overlay.records.get(text);
    if (pending !== undefined) return pending.after;
    state.noteRead(text);
  }
  const envelope = await state.context.engine.get(key, { snapshot: state.snapshot() });
  return envelope && new CommittedRecord(collection, key, envelope);
}

export async function readRecords(
  state: TransactionState,
  collection: CollectionInfo,
  uuids: readonly Uuid[],
): Promise<(AnyRecord | undefined)[]> {
  const out: (AnyRecord | undefined)[] = new Array<AnyRecord | undefined>(uuids.length).fill(
    undefined,
  );
  const missing: Uint8Array[] = [];
  const positions: number[] = [];
  const needsText = state.reads !== undefined || !state.overlay.isEmpty;
  uuids.forEach((uuid, i) => {
    const key = state.recordKey(collection, uuid);
    if (needsText) {
      const text = keyText(key);
      const pending = state.overlay.records.get(text);
      if (pending !== undefined) {
        out[i] = pending.after;
        return;
      }
      state.noteRead(text);
    }
    missing.push(key);
    positions.push(i);
  });
  if (missing.length === 0) return out;
  const found = await state.context.engine.multiGet(missing, { snapshot: state.snapshot() });
  found.forEach((envelope, i) => {
    if (envelope !== undefined)
      out[positions[i]!] = new CommittedRecord(collection, missing[i]!, envelope);
  });
  return out;
}

export async function* scanRecords(
  state: TransactionState,
  collection: CollectionInfo,
  request: ScanRequest,
): AsyncIterableIterator<StoredRecord[]> {
  const range = rangeOf(state.context.keys.owned(space.record, collection.id));
  const own = state.overlay.records.slice(keyText(range.gte), keyText(range.lt));
  const isWhole = request.limit === undefined && request.reverse !== true;
  if (own.length === 0 && isWhole) {
    yield* scanPages(state, collection, range);
    return;
  }
  yield* trackedScan(state, range, request, {
    own,
    rowsAtOnce: state.context.pages.rowsAtOnce(collection.id) ?? rowsAtFirst,
    fromEngine: ({ key, value }: KvEntry): AnyRecord => new CommittedRecord(collection, key, value),
    fromOwn: (pending): AnyRecord | undefined => pending.after,
  });
}

async function* scanPages(
  state: TransactionState,
  collection: CollectionInfo,
  range: KeyRange,
): AsyncIterableIterator<StoredRecord[]> {
  state.mustBeOpen();
  const seen = state.reads?.addOpenRange(keyText(range.gte), keyText(range.lt));
  try {
    for await (const { rows, reached } of pagedScan(state, collection)) {
      seen?.reachBefore(keyText(reached));
      yield rows;
      state.mustBeOpen();
    }
    seen?.reachEnd();
  } finally {
    if (seen !== undefined) state.reads?.closeRange(seen);
  }
}

export async function* scanEntries(
  state: TransactionState,
  index: IndexInfo,
  indexRange: IndexRange,
  request: ScanRequest,
): AsyncIterableIterator<IndexEntry[]> {
  mustBeUsable(state, index);
  const range = keyRangeOf(state.context.encoderOf(index), indexRange);
  if (index.unique && indexRange.equal.length === index.paths.length) {
    const entry = await readUnique(state, index, range.gte);
    if (entry !== undefined && (request.limit ?? 1) > 0) yield [entry];
    return;
  }
  const own = state.overlay.entries.slice(keyText(range.gte), keyText(range.lt));
  yield* trackedScan(state, range, request, {
    own,
    rowsAtOnce: scanBatchEntries,
    fromEngine: ({ key, value }: KvEntry): IndexEntry => new StoredEntry(index, key, value),
    fromOwn: ({ key, value }) => value && new StoredEntry(index, key, value),
  });
}

/** All fields of a unique index are given: that is one key, and a get is cheaper than a scan. */
async function readUnique(
  state: TransactionState,
  index: IndexInfo,
  key: Uint8Array,
): Promise<IndexEntry | undefined> {
  state.mustBeOpen();
  const text = keyText(key);
  state.noteRead(text);
  const pending = state.overlay.entries.get(text);
  const value =
    pending === undefined
      ? await state.context.engine.get(key, { snapshot: state.snapshot() })
      : pending.value;
  return value && new StoredEntry(index, key, value);
}

/** An index that became ready after this snapshot lacks entries in it. */
function mustBeUsable(state: TransactionState, index: IndexInfo): void {
  const seen = state.view.catalog
    .byId(index.collectionId)
    ?.indexes.find(({ id }) => id === index.id);
  if (seen?.state === 'ready' && state.asOf === undefined) return;
  if (state.asOf !== undefined)
    throw themisError('NOT_IMPLEMENTED', {
      message: 'indexes cannot be read as of an earlier moment; scan the collection',
    });
  throw themisError('WRITE_CONFLICT', {
    message: `index "${index.name}" was not ready when this transaction began; begin another one`,
  });
}

interface ScanParts<Own extends { readonly text: KeyText }, Out> {
  /** Own writes within the range, in key order. */
  readonly own: readonly Own[];
  readonly rowsAtOnce: number;
  fromEngine(entry: KvEntry): Out;
  fromOwn(own: Own): Out | undefined;
}

/**
 * Scans the snapshot merged with the transaction's writes as they were when the scan began, so that a
 * loop which writes what it scans ends. Remembers the interval looked at, as far as it was.
 */
async function* trackedScan<Own extends { readonly text: KeyText }, Out>(
  state: TransactionState,
  range: KeyRange,
  request: ScanRequest,
  parts: ScanParts<Own, Out>,
): AsyncIterableIterator<Out[]> {
  state.mustBeOpen();
  if (compareBytes(range.gte, range.lt) >= 0) return;
  const seen = state.reads?.addOpenRange(keyText(range.gte), keyText(range.lt), request.reverse);
  const { engine } = state.context;
  const batches = engine.scan(range, {
    snapshot: state.snapshot(),
    reverse: request.reverse,
    limit: parts.own.length === 0 ? request.limit : undefined,
    batchEntries: request.batchRows ?? Math.min(parts.rowsAtOnce, request.limit ?? Infinity),
  });
  let left = request.limit ?? Infinity;
  try {
    if (left <= 0) return;
    for await (const batch of mergeScan(batches, parts, request.reverse ?? false)) {
      const rows = batch.rows.length > left ? batch.rows.slice(0, left) : batch.rows;
      left -= rows.length;
      seen?.reach(batch.keyAt(rows.length - 1));
      yield rows;
      state.mustBeOpen();
      if (left === 0) return;
    }
    seen?.reachEnd();
  } finally {
    if (seen !== undefined) state.reads?.closeRange(seen);
  }
}

export async function countRecords(
  state: TransactionState,
  collection: CollectionInfo,
): Promise<number> {
  const { keys, engine } = state.context;
  if (state.reads !== undefined) {
    const range = rangeOf(keys.owned(space.record, collection.id));
    state.reads.addRange({ gte: keyText(range.gte), lt: keyText(range.lt) });
  }
  const key = keys.meta(metaName.count, collection.id);
  const stored = await engine.get(key, { snapshot: state.snapshot() });
  return decodeCount(stored) + (state.counts.get(collection.id) ?? 0);
}
