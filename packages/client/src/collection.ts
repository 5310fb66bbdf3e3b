import type {
  BatchPutItem,
  BatchWriteAnswer,
  CollectionBody,
  ImportAnswer,
  IndexBody,
  IndexSpecBody,
} from '@themisdb/protocol';
import { CollectionName } from './aql-tag.ts';
import type { CallOptions } from './caller.ts';
import { EntityCalls } from './entity-calls.ts';
import type { Session } from './session.ts';
import type { DocumentInput, Entity, WriteOptions, WriteResult } from './types.ts';

export interface ImportOptions extends CallOptions {
  readonly onDuplicate?: 'error' | 'ignore' | 'replace' | 'update' | undefined;
  /** Errors kept in the answer. */
  readonly errorsMax?: number | undefined;
}

/** One collection. Usable as a value of the `aql` tag, where it stands for its name. */
export class Collection<T extends object = Record<string, unknown>> extends CollectionName {
  readonly #session: Session;
  readonly #entities: EntityCalls;

  constructor(session: Session, name: string) {
    super(name);
    this.#session = session;
    this.#entities = new EntityCalls(session);
  }

  /** The document, or undefined when there is none with that key. */
  get(key: string, options?: CallOptions): Promise<Entity<T> | undefined> {
    return this.#entities.get<T>(this.#reference(key), options);
  }

  /** Creates one, with a key of its own or a new one. KEY_EXISTS when the key is taken. */
  async insert(document: DocumentInput, options?: WriteOptions): Promise<WriteResult> {
    const [result] = await this.#writeBatch(
      [{ collection: this.name, entity: document as never, mode: 'insert' }],
      options,
    );
    return result!;
  }

  /** Creates or replaces. */
  put(key: string, document: DocumentInput, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.put(this.#reference(key), document, options);
  }

  /** Merges into the existing document. */
  patch(key: string, patch: DocumentInput, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.patch(this.#reference(key), patch, options);
  }

  delete(key: string, options?: WriteOptions): Promise<WriteResult> {
    return this.#entities.delete(this.#reference(key), options);
  }

  /** One request for many keys; undefined where there is none. */
  async batchGet(
    keys: readonly string[],
    options?: CallOptions,
  ): Promise<(Entity<T> | undefined)[]> {
    return this.#entities.batchGet<T>(
      keys.map((key) => this.#reference(key)),
      options,
    );
  }

  /** Creates or replaces many in one transaction; what fails is named in its place. */
  async batchPut(
    documents: readonly DocumentInput[],
    options?: WriteOptions,
  ): Promise<BatchWriteAnswer> {
    return this.#entities.batchPut(
      documents.map((entity): BatchPutItem => ({ collection: this.name, entity: entity as never })),
      options,
    );
  }

  async batchDelete(keys: readonly string[], options?: WriteOptions): Promise<BatchWriteAnswer> {
    return this.#entities.batchDelete(
      keys.map((key) => this.#reference(key)),
      options,
    );
  }

  /**
   * Streams newline-delimited JSON into the collection, committed in chunks. Never repeated once it was
   * sent: what of it is there when it fails stands in the error's `details.committed`.
   */
  async import(
    lines: string | Uint8Array | AsyncIterable<Uint8Array>,
    options: ImportOptions = {},
  ): Promise<ImportAnswer> {
    const query = new URLSearchParams({ on_duplicate: options.onDuplicate ?? 'error' });
    if (options.errorsMax !== undefined) query.set('errors_max', String(options.errorsMax));
    const answer = await this.#session.call({
      method: 'POST',
      path: `${this.#path}/import?${query.toString()}`,
      isWrite: true,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
      isRepeatable: false,
      isInPieces: true,
      timeoutMs: options.timeoutMs ?? 3_600_000,
      signal: options.signal,
    });
    return answer.body as ImportAnswer;
  }

  async info(options?: CallOptions & { readonly exactCount?: boolean }): Promise<CollectionBody> {
    const query = options?.exactCount ? '?count=exact' : '';
    return (await this.#read(`${this.#path}${query}`, options)) as CollectionBody;
  }

  async createIndex(spec: IndexSpecBody, options?: CallOptions): Promise<IndexBody> {
    const answer = await this.#session.call({
      method: 'POST',
      path: `${this.#path}/indexes`,
      json: spec,
      isWrite: true,
      isRepeatable: true,
      timeoutMs: 600_000,
      ...options,
    });
    return answer.body as IndexBody;
  }

  async indexes(options?: CallOptions): Promise<readonly IndexBody[]> {
    return ((await this.#read(`${this.#path}/indexes`, options)) as { indexes: IndexBody[] })
      .indexes;
  }

  async dropIndex(idOrName: number | string, options?: CallOptions): Promise<void> {
    const id = encodeURIComponent(String(idOrName));
    await this.#session.call({
      method: 'DELETE',
      path: `${this.#path}/indexes/${id}`,
      isWrite: true,
      isRepeatable: false,
      ...options,
    });
  }

  async truncate(options?: CallOptions): Promise<void> {
    await this.#session.call({
      method: 'PUT',
      path: `${this.#path}/truncate`,
      isWrite: true,
      isRepeatable: true,
      ...options,
    });
  }

  async drop(options?: CallOptions): Promise<void> {
    await this.#session.call({
      method: 'DELETE',
      path: this.#path,
      isWrite: true,
      isRepeatable: false,
      ...options,
    });
  }

  get #path(): string {
    return `/collections/${encodeURIComponent(this.name)}`;
  }

  #reference(key: string): string {
    return `${this.name}/${key}`;
  }

  async #read(path: string, options: CallOptions | undefined): Promise<unknown> {
    const answer = await this.#session.call({
      method: 'GET',
      path,
      isRepeatable: true,
      timeoutMs: options?.timeoutMs,
      signal: options?.signal,
      consistency: options?.consistency,
    });
    return answer.body;
  }

  async #writeBatch(
    items: readonly BatchPutItem[],
    options?: WriteOptions,
  ): Promise<WriteResult[]> {
    const answer = await this.#entities.batchPut(items, options);
    return EntityCalls.mustSucceed(answer);
  }
}
