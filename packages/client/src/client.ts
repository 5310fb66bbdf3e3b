import type {
  BatchPutItem,
  BatchWriteAnswer,
  ChangeBody,
  ChangefeedAnswer,
  CollectionBody,
  CollectionSpecBody,
  TransactionAnswer,
  TransactionBeginRequest,
} from '@themisdb/protocol';
import { hasCode, isThemisError } from '@themisdb/base';
import { makeTransport } from '#transport';
import { isAqlQuery, type AqlQuery } from './aql-tag.ts';
import { Caller, type CallOptions, type Consistency } from './caller.ts';
import { followChanges, readChanges, type ChangesOptions } from './changes.ts';
import { Collection } from './collection.ts';
import { QueryCursor, type QueryOptions } from './cursor.ts';
import { Endpoints } from './endpoints.ts';
import { EntityCalls } from './entity-calls.ts';
import { RetryPolicy, type RetryOptions } from './retry.ts';
import { Session } from './session.ts';
import type { Transport } from './transport/transport.ts';
import type { DocumentInput, Entity, WriteOptions, WriteResult } from './types.ts';

export interface ClientOptions {
  /** One address or several. Default `http://127.0.0.1:8080`. */
  readonly url?: string | readonly string[] | undefined;
  /**
   * Several nodes of one cluster, beside `url`. One is used until it fails, then the next; writes go to
   * the one that leads.
   */
  readonly urls?: readonly string[] | undefined;
  /** Reads take the nodes in turn. Default false. */
  readonly spreadReads?: boolean | undefined;
  /** How fresh reads have to be, when a call says nothing else. Default `strong`. */
  readonly consistency?: Consistency | undefined;
  /**
   * Reads see what this client has written and read before, at whatever node, and need not be newer than
   * that: `at-least` with the newest token it has met. Until it has met one, `consistency` holds.
   */
  readonly session?: boolean | undefined;
  /** Default `default`. */
  readonly namespace?: string | undefined;
  /** Deadline of a call, retries included. Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Connections per address. Default 16. */
  readonly connectionsMax?: number | undefined;
  /** Gather the point reads of one turn into one request. Default true. */
  readonly coalesceReads?: boolean | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly transport?: Transport | undefined;
}

/** What a client, one of its namespaces and a transaction have in common. */
export class Scope {
  protected readonly session: Session;
  readonly #entities: EntityCalls;

  constructor(session: Session) {
    this.session = session;
    this.#entities = new EntityCalls(session);
  }

  collection<T extends object = Record<string, unknown>>(name: string): Collection<T> {
    return new Collection<T>(this.session, name);
  }

  /** By URN or `collection/key`; undefined when there is no such entity. */
  get<T = Record<string, unknown>>(
    reference: string,
    options?: CallOptions,
  ): Promise<Entity<T> | undefined> {
    return this.#entities.get<T>(reference, options);
  }

  put(reference: string, document: DocumentInput, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.put(reference, document, options);
  }

  patch(reference: string, patch: DocumentInput, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.patch(reference, patch, options);
  }

  delete(reference: string, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.delete(reference, options);
  }

  batchGet<T = Record<string, unknown>>(
    references: readonly string[],
    options?: CallOptions,
  ): Promise<(Entity<T> | undefined)[]> {
    return this.#entities.batchGet<T>(references, options);
  }

  batchPut(items: readonly BatchPutItem[], options?: WriteOptions): Promise<BatchWriteAnswer> {
    return this.#entities.batchPut(items, options);
  }

  batchDelete(references: readonly string[], options?: WriteOptions): Promise<BatchWriteAnswer> {
    return this.#entities.batchDelete(references, options);
  }

  /** Runs AQL. With the `aql` tag the parameters are in the query; with a text give them here. */
  query<T = unknown>(query: AqlQuery, options?: QueryOptions): QueryCursor<T>;
  query<T = unknown>(
    text: string,
    params?: Readonly<Record<string, unknown>>,
    options?: QueryOptions,
  ): QueryCursor<T>;
  query<T = unknown>(
    query: AqlQuery | string,
    second?: Readonly<Record<string, unknown>> | QueryOptions,
    third?: QueryOptions,
  ): QueryCursor<T> {
    return isAqlQuery(query)
      ? new QueryCursor<T>(
          this.session,
          { text: query.query, params: query.params },
          (second ?? {}) as QueryOptions,
        )
      : new QueryCursor<T>(
          this.session,
          { text: query, params: (second ?? {}) as Readonly<Record<string, unknown>> },
          third ?? {},
        );
  }

  /** The plan of a query, without running it. */
  async explain(
    query: AqlQuery | string,
    params?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const text = isAqlQuery(query) ? query.query : query;
    const values = isAqlQuery(query) ? query.params : (params ?? {});
    const answer = await this.session.call({
      method: 'POST',
      path: '/query/aql/explain',
      json: { query: text, params: values },
      isRepeatable: true,
    });
    return answer.body;
  }
}

/** Reads and writes of one open transaction. */
export class Transaction extends Scope {
  readonly id: string;

  constructor(session: Session, id: string) {
    super(session);
    this.id = id;
  }

  commit(): Promise<TransactionAnswer> {
    return this.#end('commit');
  }

  rollback(): Promise<TransactionAnswer> {
    return this.#end('rollback');
  }

  async #end(how: 'commit' | 'rollback'): Promise<TransactionAnswer> {
    const answer = await this.session.call({
      method: 'POST',
      path: `/transaction/${how}`,
      isWrite: true,
      isRepeatable: false,
    });
    return answer.body as TransactionAnswer;
  }
}

export interface TransactionOptions extends TransactionBeginRequest {
  /** Runs in all, the first included. Default 10. */
  readonly attemptsMax?: number | undefined;
}

/** A connection to one database; cheap to share, closed once at the end. */
export class ThemisClient extends Scope {
  readonly #random: () => number;

  constructor(options: ClientOptions | Session = {}) {
    super(options instanceof Session ? options : sessionFrom(options));
    this.#random = Math.random;
  }

  /** The same connections, another namespace. */
  namespace(name: string): ThemisClient {
    return new ThemisClient(this.session.with({ namespace: name }));
  }

  async createCollection(spec: CollectionSpecBody): Promise<Collection> {
    await this.session.call({
      method: 'POST',
      path: '/collections',
      json: spec,
      isWrite: true,
      isRepeatable: false,
    });
    return this.collection(spec.name);
  }

  async collections(): Promise<readonly CollectionBody[]> {
    const answer = await this.session.call({
      method: 'GET',
      path: '/collections',
      isRepeatable: true,
    });
    return (answer.body as { collections: CollectionBody[] }).collections;
  }

  async begin(options: TransactionBeginRequest = {}): Promise<Transaction> {
    const answer = await this.session.call({
      method: 'POST',
      path: '/transaction/begin',
      json: options,
      isWrite: true,
      isRepeatable: false,
    });
    const { id } = answer.body as TransactionAnswer;
    return new Transaction(this.session.with({ transaction: id }), id);
  }

  /**
   * Runs `body` in a transaction, commits it, and runs it again from the start when it met a
   * conflict, or the node that led was lost. `body` must have no effect besides the database. Any other error rolls back.
   */
  async transaction<R>(
    body: (transaction: Transaction) => Promise<R>,
    options: TransactionOptions = {},
  ): Promise<R> {
    const { attemptsMax = 10, ...begin } = options;
    for (let attempt = 1; ; attempt++) {
      const transaction = await this.begin(begin);
      try {
        const result = await body(transaction);
        await transaction.commit();
        return result;
      } catch (error) {
        await this.#giveUp(transaction, error);
        if (!hasCode(error, 'WRITE_CONFLICT', 'TRANSACTION_LOST') || attempt >= attemptsMax) {
          throw error;
        }
        const ceilingMs = Math.min(1_000, 10 * 2 ** attempt);
        await new Promise((resolve) => setTimeout(resolve, this.#random() * ceilingMs));
      }
    }
  }

  changes(options: ChangesOptions = {}): AsyncIterableIterator<ChangeBody> {
    return followChanges(this.session, options);
  }

  readChanges(options: ChangesOptions = {}): Promise<ChangefeedAnswer> {
    return readChanges(this.session, options);
  }

  close(): Promise<void> {
    return this.session.caller.close();
  }

  /** Rolls back; that it fails as well, because the server is gone or ended it, changes nothing. */
  async #giveUp(transaction: Transaction, cause: unknown): Promise<void> {
    try {
      await transaction.rollback();
    } catch (error) {
      if (!isThemisError(error))
        throw new AggregateError([cause, error], 'rollback failed', { cause: error });
    }
  }
}

function sessionFrom(options: ClientOptions): Session {
  const { spreadReads = false, consistency, session: readsOwnWrites = false } = options;
  const caller = new Caller({
    endpoints: new Endpoints(originsOf(options), { spreadReads }),
    consistency,
    readsOwnWrites,
    transport: options.transport ?? makeTransport({ connectionsMax: options.connectionsMax ?? 16 }),
    retry: new RetryPolicy(options.retry, Math.random),
    timeoutMs: options.timeoutMs ?? 30_000,
    headers: options.headers ?? {},
  });
  return new Session({
    caller,
    namespace: options.namespace ?? 'default',
    coalesceReads: options.coalesceReads ?? true,
    newId: () => crypto.randomUUID(),
  });
}

function originsOf({ url, urls = [] }: ClientOptions): string[] {
  const all = [...(typeof url === 'string' ? [url] : (url ?? [])), ...urls];
  const given = all.length === 0 ? ['http://127.0.0.1:8080'] : all;
  return [...new Set(given.map((text) => new URL(text).origin))];
}
