import { compareBytes, concatBytes, equalBytes } from '@themisdb/base';
import { themisError, type Uuid } from '@themisdb/protocol';
import type { KvEntry } from '@themisdb/kv';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { ScanRequest, StoredRecord, Timestamp } from '../contract/transaction.ts';
import { isTombstone, timestampOf } from '../envelope.ts';
import { rangeOf, recordKeyBytes, space } from '../keys.ts';
import { CommittedRecord } from '../record.ts';
import { formatTimestamp } from '../timestamp.ts';
import type { TransactionState } from '../transaction/state.ts';

const prefixBytes = 5;
const versionBytes = 8;

/**
 * Reads of an earlier state: the current record where it is old enough, else the newest superseded
 * one that is. Within the snapshot of the transaction, so a long read stays consistent.
 */
export async function readRecord(
  state: TransactionState,
  collection: CollectionInfo,
  uuid: Uuid,
): Promise<CommittedRecord | undefined> {
  const { engine, keys } = state.context;
  const moment = mustBeKept(state, collection);
  const snapshot = state.snapshot();
  const key = state.recordKey(collection, uuid);
  const current = await engine.get(key, { snapshot });
  if (current !== undefined && timestampOf(current) <= moment)
    return new CommittedRecord(collection, key, current);
  const gte = keys.history(key, moment);
  const lt = concatBytes(keys.history(key, 0n), new Uint8Array(1));
  for await (const [entry] of engine.scan({ gte, lt }, { snapshot, limit: 1 })) {
    if (entry === undefined || isTombstone(entry.value)) return undefined;
    return new CommittedRecord(collection, key, entry.value);
  }
  return undefined;
}

/** Truncating a collection gives its history up. */
function mustBeKept(state: TransactionState, collection: CollectionInfo): Timestamp {
  const moment = state.asOf!;
  const start = state.view.catalog.entry(collection.id)?.historyStart ?? 0n;
  if (moment >= start) return moment;
  throw themisError('SNAPSHOT_TOO_OLD', {
    message: `collection "${collection.name}" was truncated at ${formatTimestamp(start)}; its history starts there`,
    details: { oldest: formatTimestamp(start) },
  });
}

/** Both spaces have the same order, so one pass over each is enough. */
export async function* scanRecords(
  state: TransactionState,
  collection: CollectionInfo,
  request: ScanRequest,
): AsyncIterableIterator<StoredRecord[]> {
  if (request.reverse)
    throw themisError('NOT_IMPLEMENTED', {
      message: 'a scan as of an earlier moment cannot run in reverse',
    });
  const { engine, keys } = state.context;
  const moment = mustBeKept(state, collection);
  const options = { snapshot: state.snapshot(), batchEntries: request.batchRows };
  const current = new Cursor(
    engine.scan(rangeOf(keys.owned(space.record, collection.id)), options),
  );
  const history = new Cursor(
    engine.scan(rangeOf(keys.owned(space.history, collection.id)), options),
  );
  let left = request.limit ?? Infinity;
  let rows: StoredRecord[] = [];
  const batchRows = request.batchRows ?? 512;
  while (left > 0) {
    const found = await nextVersion(current, history, moment);
    if (found === undefined) break;
    if (found.value === undefined) continue;
    rows.push(new CommittedRecord(collection, found.key, found.value));
    left--;
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
  }
  await current.close();
  await history.close();
  if (rows.length > 0) yield rows;
}

export async function countRecords(
  state: TransactionState,
  collection: CollectionInfo,
): Promise<number> {
  let count = 0;
  for await (const rows of scanRecords(state, collection, {})) count += rows.length;
  return count;
}

/** The next record key in either space, with what it held at `moment`. */
async function nextVersion(
  current: Cursor,
  history: Cursor,
  moment: Timestamp,
): Promise<{ readonly key: Uint8Array; readonly value: Uint8Array | undefined } | undefined> {
  const now = await current.peek();
  const old = await history.peek();
  if (now === undefined && old === undefined) return undefined;
  const oldKey = old && recordKeyOf(old.key);
  const isOldFirst =
    oldKey !== undefined && (now === undefined || compareBytes(oldKey, now.key) < 0);
  const key = isOldFirst ? oldKey : now!.key;
  let value: Uint8Array | undefined;
  let isDecided = false;
  if (!isOldFirst) {
    current.take();
    isDecided = timestampOf(now!.value) <= moment;
    if (isDecided) value = now!.value;
  }
  // Versions of one key stand newest first.
  for (let each = await history.peek(); each !== undefined; each = await history.peek()) {
    if (!equalBytes(recordKeyOf(each.key), key)) break;
    history.take();
    if (isDecided || timestampOf(each.value) > moment) continue;
    isDecided = true;
    if (!isTombstone(each.value)) value = each.value;
  }
  return { key, value };
}

function recordKeyOf(historyKey: Uint8Array): Uint8Array {
  const key = historyKey.slice(0, historyKey.length - versionBytes);
  key[prefixBytes - 1] = space.record;
  return key.subarray(0, recordKeyBytes);
}

/** Entries of a scan, one at a time. */
class Cursor {
  readonly #batches: AsyncIterator<KvEntry[]>;
  #batch: readonly KvEntry[] = [];
  #at = 0;

  constructor(batches: AsyncIterable<KvEntry[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  async peek(): Promise<KvEntry | undefined> {
    if (this.#at === this.#batch.length) {
      const next = await this.#batches.next();
      this.#batch = next.done ? [] : next.value;
      this.#at = 0;
    }
    return this.#batch[this.#at];
  }

  take(): void {
    this.#at++;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
