import { objectFrom, type Value, type ValueObject } from '@themisdb/base';
import { themisError, uuidOfKey, type Uuid } from '@themisdb/protocol';
import type { Replica } from '@themisdb/replication';
import type { CollectionInfo, StoredRecord, Transaction } from '@themisdb/storage';

export const namespace = 'default';

export function documentOf(attributes: Readonly<Record<string, Value>>): ValueObject {
  return objectFrom(attributes);
}

/** As of the transaction's snapshot: a replica that lags may not have it yet. */
export function collectionOf(t: Transaction, name: string): CollectionInfo {
  const found = t.catalog.find(namespace, name);
  if (found === undefined)
    throw themisError('COLLECTION_NOT_FOUND', { message: `${name} is not here yet` });
  return found;
}

export function idOf(collection: CollectionInfo, key: string): Uuid {
  return uuidOfKey(collection.uuidNamespace, key);
}

export async function readOf(
  t: Transaction,
  collection: CollectionInfo,
  key: string,
): Promise<StoredRecord | undefined> {
  return t.get(collection, idOf(collection, key));
}

/** Inserts or replaces. */
export async function put(
  t: Transaction,
  collection: CollectionInfo,
  key: string,
  attributes: Readonly<Record<string, Value>>,
  there: StoredRecord | undefined,
): Promise<void> {
  const document = documentOf({ _key: key, ...attributes });
  if (there === undefined) await t.insert(collection, document);
  else await t.replace(collection, idOf(collection, key), document, { ifVersion: there.version });
}

/** Runs `body` in a transaction of this replica and commits it; the token of the commit. */
export async function writing<T>(
  { store }: Replica,
  isolation: 'serializable' | 'snapshot',
  body: (t: Transaction) => Promise<T>,
  commit: (t: Transaction) => Promise<bigint> = (t) => t.commit(),
): Promise<{ readonly value: T; readonly timestamp: bigint }> {
  const t = store.begin({ isolation });
  try {
    const value = await body(t);
    return { value, timestamp: await commit(t) };
  } finally {
    t.rollback();
  }
}

export async function reading<T>(
  { store }: Replica,
  body: (t: Transaction) => Promise<T>,
): Promise<T> {
  const t = store.begin({ readOnly: true });
  try {
    return await body(t);
  } finally {
    t.rollback();
  }
}
