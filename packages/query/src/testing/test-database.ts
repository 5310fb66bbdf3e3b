import { objectFrom, type Value, type ValueObject } from '@themisdb/base';
import { makeMemoryEngine } from '@themisdb/kv';
import { loadTokenHash } from '@themisdb/sharding';
import { openStore, type CollectionInfo, type IndexSpec, type Store } from '@themisdb/storage';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { openWal } from '@themisdb/wal';
import { makeQueryEngine } from '../engine.ts';
import type { QueryEngine, QueryLimits, QueryRequest, QueryRun } from '../query-engine.ts';

// Compiling WebAssembly takes real time, which simulated time does not wait for.
await loadTokenHash();

/** A store on the memory engine in simulated time, with a query engine. For tests. */
export class TestDatabase {
  readonly env: SimEnv;
  readonly store: Store;
  readonly engine: QueryEngine;

  private constructor(env: SimEnv, store: Store, engine: QueryEngine) {
    this.env = env;
    this.store = store;
    this.engine = engine;
  }

  /** Runs a test body with a fresh database. */
  static async with(
    body: (database: TestDatabase) => Promise<void>,
    limits: Partial<QueryLimits> = {},
  ): Promise<void> {
    const env = makeSimEnv(1);
    await env.run(async () => {
      const wal = await openWal(env, { directory: 'wal' });
      const store = await openStore({ env, engine: makeMemoryEngine(), wal });
      const engine = makeQueryEngine({ store, env, limits });
      await body(new TestDatabase(env, store, engine));
      await store.close();
      await wal.close();
    });
  }

  collection(name: string): CollectionInfo {
    return this.store.catalog().find('default', name)!;
  }

  /** Makes a collection, its indexes, and its documents in one transaction. */
  async load(
    name: string,
    documents: readonly unknown[],
    indexes: readonly Omit<IndexSpec, 'type'>[] = [],
  ): Promise<void> {
    await this.store.createCollection('default', { name });
    for (const spec of indexes) {
      await this.store.createIndex(this.collection(name), { ...spec, type: 'persistent' });
    }
    const transaction = this.store.begin();
    const values = documents.map((document) => toValue(document) as ValueObject);
    const results = await transaction.insertMany(this.collection(name), values);
    for (const result of results) if ('error' in result) throw result.error;
    await transaction.commit();
  }

  start(
    text: string,
    params: Readonly<Record<string, unknown>> = {},
    options: QueryRequest['options'] = {},
    more: Partial<QueryRequest> = {},
  ): Promise<QueryRun> {
    const values = toValue(params) as ValueObject;
    return this.engine.execute({ text, params: values, namespace: 'default', options, ...more });
  }

  /** All results, as plain JSON. */
  async query(
    text: string,
    params: Readonly<Record<string, unknown>> = {},
    options: QueryRequest['options'] = {},
    more: Partial<QueryRequest> = {},
  ): Promise<unknown[]> {
    const run = await this.start(text, params, options, more);
    return plainValue(await run.all()) as unknown[];
  }

  plan(text: string, params: Readonly<Record<string, unknown>> = {}): string {
    const values = toValue(params) as ValueObject;
    return this.engine.explain({ text, params: values, namespace: 'default' }).planText;
  }
}

export function toValue(value: unknown): Value {
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value !== 'object' || value === null) return value as Value;
  const entries = Object.entries(value).map(([name, each]) => [name, toValue(each)] as const);
  return objectFrom(Object.fromEntries(entries));
}

export function plainValue(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
