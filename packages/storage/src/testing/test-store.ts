import type { Value, ValueObject } from '@themisdb/base';
import { objectFrom } from '@themisdb/base';
import { makeMemoryEngine, type KvEngine } from '@themisdb/kv';
import { uuidOfKey, type Uuid } from '@themisdb/protocol';
import { makeSimEnv, type RunLimits, type SimEnv } from '@themisdb/testing';
import { loadTokenHash } from '@themisdb/sharding';
import { openWal, type Wal } from '@themisdb/wal';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { StoredRecord, Transaction } from '../contract/transaction.ts';
import { openStore, type OpenStoreOptions } from '../open.ts';
import type { ShardStore } from '../store.ts';

// Compiling WebAssembly takes real time, which simulated time does not wait for.
await loadTokenHash();

/** Retention is tested over days of virtual time. */
export const longTime: RunLimits = { virtualMsMax: 365 * 86_400_000 };

/** A store in simulated time on the memory engine, for tests. */
export interface TestStore {
  readonly env: SimEnv;
  readonly engine: KvEngine;
  readonly wal: Wal;
  readonly store: ShardStore;
}

export async function openTestStore(
  env: SimEnv,
  engine: KvEngine = makeMemoryEngine({ crashable: true }),
  options: Partial<OpenStoreOptions> = {},
): Promise<TestStore> {
  const wal = await openWal(env, { directory: 'wal', segmentBytes: 64 * 1024 });
  const store = (await openStore({ env, engine, wal, ...options })) as ShardStore;
  return { env, engine, wal, store };
}

/** Runs a test body in simulated time with a fresh store. */
export async function withStore(
  seed: number,
  body: (test: TestStore) => Promise<void>,
  options: Partial<OpenStoreOptions> = {},
): Promise<void> {
  const env = makeSimEnv(seed);
  await env.run(async () => {
    const test = await openTestStore(env, undefined, options);
    await body(test);
    await test.store.close();
    await test.wal.close();
  }, longTime);
}

export function doc(attributes: Readonly<Record<string, unknown>>): ValueObject {
  return toValue(attributes) as ValueObject;
}

function toValue(value: unknown): Value {
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value !== 'object' || value === null) return value as Value;
  const entries = Object.entries(value).map(([name, each]) => [name, toValue(each)] as const);
  return objectFrom(Object.fromEntries(entries));
}

export function idOf(collection: CollectionInfo, key: string): Uuid {
  return uuidOfKey(collection.uuidNamespace, key);
}

/** The user's part of a record: without system attributes but `_key`. */
export function plain(record: StoredRecord | undefined): unknown {
  if (record === undefined) return undefined;
  const { _id, _rev, _urn, ...rest } = record.document() as Record<string, unknown>;
  return JSON.parse(JSON.stringify(rest)) as unknown;
}

/** Commits what `body` writes. */
export async function write(
  store: ShardStore,
  body: (transaction: Transaction) => Promise<unknown>,
): Promise<void> {
  const transaction = store.begin();
  await body(transaction);
  await transaction.commit();
}

export async function allOf<T>(batches: AsyncIterable<T[]>): Promise<T[]> {
  const out: T[] = [];
  for await (const batch of batches) out.push(...batch);
  return out;
}
