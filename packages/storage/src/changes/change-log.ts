import { getU53 } from '../codec/integers.ts';
import { formatUrn, themisError } from '@themisdb/protocol';
import type { CatalogEntry, CatalogView } from '../catalog/catalog.ts';
import type { Change, ChangesPage, ChangesRequest, ChangeToken } from '../contract/store.ts';
import type { Timestamp } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';
import { isTombstone, timestampOf } from '../envelope.ts';
import { rangeOf, space, type KeySpace } from '../keys.ts';
import type { KvEngine } from '@themisdb/kv';
import { CommittedRecord } from '../record.ts';
import type { View } from '../transaction/views.ts';
import { changeCount, decodeChanges, type ChangeRecord } from './change-codec.ts';

const emptyPagesMax = 10_000;

interface Waiter {
  readonly token: ChangeToken;
  resolve(): void;
}

/** Reads the change log and wakes those who wait for it to grow. */
export class ChangeLog {
  readonly #context: StoreContext;
  readonly #retained: { readonly trimmedIndex: number };
  #last: ChangeToken;
  readonly #waiters = new Set<Waiter>();

  constructor(
    context: StoreContext,
    retained: { readonly trimmedIndex: number },
    last: ChangeToken,
  ) {
    this.#context = context;
    this.#retained = retained;
    this.#last = last;
  }

  /** Changes up to this one can be read now. */
  noteApplied(last: ChangeToken): void {
    this.#last = last;
    for (const waiter of this.#waiters) if (isAfter(last, waiter.token)) waiter.resolve();
  }

  async read(request: ChangesRequest): Promise<ChangesPage> {
    this.#context.pipeline.mustBeAlive();
    this.#mustBeKept(request.after);
    const { views } = this.#context;
    const view = views.hold();
    try {
      return await this.#readAt(view, request);
    } finally {
      views.release(view);
    }
  }

  /** The log is not looked at: resolves at once when there may be changes after `token`. */
  wait(token: ChangeToken, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (isAfter(this.#last, token)) return resolve();
      const end = (settle: () => void): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      const waiter: Waiter = { token, resolve: () => end(resolve) };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  close(): void {
    for (const waiter of Array.from(this.#waiters)) waiter.resolve();
  }

  #mustBeKept(token: ChangeToken): void {
    const { trimmedIndex } = this.#retained;
    if (token.index >= trimmedIndex) return;
    throw themisError('CHANGES_TRIMMED', {
      message: `changes up to log index ${trimmedIndex} are not kept any more; asked for were those after ${token.index}`,
      details: { oldest: trimmedIndex },
    });
  }

  async #readAt(view: View, request: ChangesRequest): Promise<ChangesPage> {
    const { keys, engine } = this.#context;
    const { after, limit } = request;
    const range = { gte: keys.change(after.index), lt: rangeOf(keys.whole(space.change)).lt };
    const changes: Change[] = [];
    let next = after;
    let looked = 0;
    const options = { snapshot: view.snapshot(), batchEntries: Math.min(256, limit) };
    for await (const batch of engine.scan(range, options)) {
      for (const { key, value } of batch) {
        const index = indexOfKey(key);
        const { timestamp, changes: records } = decodeChanges(value);
        for (let n = index === after.index ? after.n + 1 : 0; n < records.length; n++) {
          if (changes.length >= limit || looked >= emptyPagesMax) return { changes, next };
          looked++;
          next = { index, n };
          const change = await this.#change(view, request, records[n]!, { token: next, timestamp });
          if (change !== undefined) changes.push(change);
        }
      }
    }
    return { changes, next };
  }

  async #change(
    view: View,
    request: ChangesRequest,
    record: ChangeRecord,
    at: { readonly token: ChangeToken; readonly timestamp: Timestamp },
  ): Promise<Change | undefined> {
    const { operation, collectionId, uuid, previousVersion } = record;
    const entry = (view.catalog as CatalogView).entry(collectionId);
    if (entry === undefined) return undefined;
    const { namespace, name, model } = entry.info;
    if (request.namespace !== undefined && request.namespace !== namespace) return undefined;
    if (request.collection !== undefined && request.collection !== name) return undefined;
    const shared = { ...at, operation, namespace, collection: name };
    if (uuid === undefined) return shared;
    const urn = formatUrn({ model, namespace, collection: name, uuid });
    const known = { ...shared, uuid, urn, previousVersion };
    if (operation === 'remove') return known;
    const found = await this.#recordAt(view, entry, record, at.timestamp);
    return { ...known, document: found?.document() };
  }

  /** The record as this change left it: still current, or superseded and in history. */
  async #recordAt(
    view: View,
    { info }: CatalogEntry,
    { uuid }: ChangeRecord,
    timestamp: Timestamp,
  ): Promise<CommittedRecord | undefined> {
    const { keys, engine, tokenOf } = this.#context;
    const snapshot = view.snapshot();
    const key = keys.record(info.id, tokenOf(uuid!), uuid!);
    const current = await engine.get(key, { snapshot });
    if (current !== undefined && timestampOf(current) === timestamp)
      return new CommittedRecord(info, key, current);
    const old = await engine.get(keys.history(key, timestamp), { snapshot });
    return old === undefined || isTombstone(old) ? undefined : new CommittedRecord(info, key, old);
  }
}

function isAfter(a: ChangeToken, b: ChangeToken): boolean {
  return a.index > b.index || (a.index === b.index && a.n > b.n);
}

/** The last change there is; before everything when there is none. */
export async function lastChange(engine: KvEngine, keys: KeySpace): Promise<ChangeToken> {
  const range = rangeOf(keys.whole(space.change));
  for await (const [entry] of engine.scan(range, { reverse: true, limit: 1 })) {
    const { key, value } = entry!;
    return { index: indexOfKey(key), n: changeCount(value) - 1 };
  }
  return { index: 0, n: 0 };
}

function indexOfKey(key: Uint8Array): number {
  return getU53(key, 5);
}
