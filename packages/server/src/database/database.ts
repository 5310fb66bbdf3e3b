import { setMaxListeners } from 'node:events';
import { mustName, themisError } from '@themisdb/protocol';
import type { Env } from '@themisdb/base';
import type { Replica } from '@themisdb/replication';
import type { KvStats } from '@themisdb/kv';
import type {
  Change,
  ChangeToken,
  CollectionInfo,
  CollectionSpec,
  IndexInfo,
  Store,
  Transaction,
} from '@themisdb/storage';
import type { WalStats } from '@themisdb/wal';
import type { Explanation, QueryEngine, QueryOptions } from '@themisdb/query';
import { mustCollection } from './errors.ts';
import { makeOperations, type OperationContext } from './operations.ts';
import { makeQueryResult } from './query-result.ts';
import { attemptsDefault, transact } from './transact.ts';
import type {
  AqlText,
  ChangesOptions,
  Collection,
  Database,
  DatabaseTransaction,
  QueryResult,
  TransactOptions,
} from './types.ts';
import { toDocument, toParams } from './values.ts';

/** The parts of an open database; the HTTP server works on these, embedders on `Database`. */
export interface DatabaseParts {
  readonly env: Env;
  readonly store: Store;
  /** The same store as a member of its group; on one machine a group of one. */
  readonly replica: Replica;
  readonly queries: QueryEngine;
  /** Refuses a declaration that could not be kept, before it reaches the store. */
  checkSpec(namespace: string, spec: CollectionSpec): void;
  readonly stats: { engine(): KvStats; wal(): WalStats };
  close(): Promise<void>;
}

const changesPerRead = 1000;

export function makeDatabase(parts: DatabaseParts, namespace: string): Database {
  mustName(namespace, 'namespace');
  const { env, store, queries } = parts;
  const state = sharedState(parts);
  const checkOpen = (): void => {
    if (state.isClosed) throw themisError('SHUTTING_DOWN', { message: 'the database is closed' });
  };
  const live = (): Store => {
    checkOpen();
    return store;
  };
  const inTransaction = async <Result>(
    work: (transaction: Transaction) => Promise<Result>,
    options?: TransactOptions,
  ): Promise<Result> => {
    checkOpen();
    const { result } = await transact(
      store,
      env,
      {
        options: { isolation: options?.isolation, readOnly: options?.readOnly },
        attemptsMax: options?.attemptsMax ?? attemptsDefault,
        check: () => options?.signal?.throwIfAborted(),
      },
      work,
    );
    return result;
  };
  const startQuery = (
    query: string | AqlText,
    params: Readonly<Record<string, unknown>> | undefined,
    options: QueryOptions | undefined,
    transaction?: Transaction,
  ): QueryResult<never> => {
    const started = (async () => {
      checkOpen();
      return queries.execute({ ...requestOf(query, params), namespace, options, transaction });
    })();
    return makeQueryResult<never>(started);
  };
  const context: OperationContext = {
    namespace,
    async read(work) {
      checkOpen();
      const transaction = store.begin({ readOnly: true });
      try {
        return await work(transaction);
      } finally {
        transaction.rollback();
      }
    },
    write: (work) => inTransaction(work),
  };
  return {
    namespace,
    inNamespace: (name) => makeDatabase(parts, name),
    query: (query, params, options) => startQuery(query, params, options),
    explain(query, params): Explanation {
      checkOpen();
      return queries.explain({ ...requestOf(query, params), namespace });
    },
    collection: (name) => makeCollection(live, context, name),
    collections() {
      checkOpen();
      return store.catalog().collections(namespace);
    },
    async createCollection(spec) {
      checkOpen();
      parts.checkSpec(namespace, spec);
      await store.createCollection(namespace, spec);
      return makeCollection(live, context, spec.name);
    },
    transaction: (work, options) =>
      inTransaction((transaction) => {
        const scope = scopeOf(context, transaction, (query, params, queryOptions) =>
          startQuery(query, params, queryOptions, transaction),
        );
        return work(scope);
      }, options),
    changes(options) {
      checkOpen();
      return readChanges(store, namespace, options ?? {}, state.closing.signal);
    },
    async checkpoint() {
      checkOpen();
      await store.checkpoint();
    },
    close: () => (state.close ??= closeAll(parts, state)),
  };
}

interface SharedState {
  isClosed: boolean;
  readonly closing: AbortController;
  close: Promise<void> | undefined;
}

// Views of one database in several namespaces close together.
const states = new WeakMap<DatabaseParts, SharedState>();

function sharedState(parts: DatabaseParts): SharedState {
  let state = states.get(parts);
  if (state === undefined) {
    state = { isClosed: false, closing: new AbortController(), close: undefined };
    // Each reader that waits listens.
    setMaxListeners(0, state.closing.signal);
    states.set(parts, state);
  }
  return state;
}

function closeAll(parts: DatabaseParts, state: SharedState): Promise<void> {
  state.isClosed = true;
  state.closing.abort(themisError('SHUTTING_DOWN', { message: 'the database is closing' }));
  return parts.close();
}

function requestOf(
  query: string | AqlText,
  params: Readonly<Record<string, unknown>> | undefined,
): { text: string; params: ReturnType<typeof toParams> } {
  if (typeof query === 'string') return { text: query, params: toParams(params) };
  return { text: query.query, params: toParams({ ...query.params, ...params }) };
}

function scopeOf(
  outer: OperationContext,
  transaction: Transaction,
  query: (
    query: string | AqlText,
    params?: Readonly<Record<string, unknown>>,
    options?: QueryOptions,
  ) => QueryResult<never>,
): DatabaseTransaction {
  const inside: OperationContext = {
    namespace: outer.namespace,
    read: (work) => work(transaction),
    write: (work) => work(transaction),
  };
  return { collection: (name) => makeOperations(inside, name), query };
}

function makeCollection(live: () => Store, context: OperationContext, name: string): Collection {
  const info = (): CollectionInfo => mustCollection(live().catalog(), context.namespace, name);
  return {
    ...makeOperations(context, name),
    name,
    info,
    async insertMany(documents) {
      const values = documents.map(toDocument);
      const results = await context.write((transaction) => {
        const collection = mustCollection(transaction.catalog, context.namespace, name);
        return transaction.insertMany(collection, values);
      });
      return results.map((result) => ('error' in result ? result : result.after!.document()));
    },
    createIndex: async (spec) => live().createIndex(info(), spec),
    dropIndex: async (nameOrId) => live().dropIndex(info(), mustIndex(info(), nameOrId)),
    truncate: async () => live().truncateCollection(info()),
    drop: async () => live().dropCollection(info()),
  };
}

/** By name, or by id as number or text; INDEX_NOT_FOUND. */
export function mustIndex(collection: CollectionInfo, nameOrId: string | number): IndexInfo {
  const found = collection.indexes.find(
    (index) => index.name === nameOrId || String(index.id) === String(nameOrId),
  );
  if (found !== undefined) return found;
  throw themisError('INDEX_NOT_FOUND', {
    message: `collection ${collection.name} has no index ${JSON.stringify(String(nameOrId).slice(0, 300))}; it has ${collection.indexes.map((index) => index.name).join(', ') || 'none'}`,
    details: { collection: collection.name },
  });
}

async function* readChanges(
  store: Store,
  namespace: string,
  { after, collection, signal }: ChangesOptions,
  closing: AbortSignal,
): AsyncIterableIterator<Change> {
  let token: ChangeToken = after === 'now' ? currentToken(store) : (after ?? oldestToken);
  const either = anySignal(signal, closing);
  while (!either.aborted) {
    const page = await store.readChanges({
      after: token,
      limit: changesPerRead,
      namespace,
      collection,
    });
    yield* page.changes;
    token = page.next;
    if (page.changes.length > 0) continue;
    try {
      await store.waitForChange(token, either);
    } catch (error) {
      if (either.aborted) return;
      throw error;
    }
  }
}

/** Before every change. */
export const oldestToken: ChangeToken = { index: 0, n: 0 };

/** The end of the change log: behind all changes of the last command applied. */
export function currentToken(store: Store): ChangeToken {
  return { index: store.stats().appliedIndex, n: 0xffff };
}

function anySignal(first: AbortSignal | undefined, second: AbortSignal): AbortSignal {
  return first === undefined ? second : AbortSignal.any([first, second]);
}
