import type {
  BatchGetAnswer,
  BatchPutItem,
  BatchWriteAnswer,
  BatchWriteResult,
} from '@themisdb/protocol';
import type { CallOptions } from './caller.ts';
import { errorFromBody } from './errors.ts';
import type { Session } from './session.ts';
import type { DocumentInput, Entity, WriteOptions, WriteResult } from './types.ts';

/** Reads and writes of single entities, named by URN or `collection/key`. */
export class EntityCalls {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async get<T>(reference: string, options?: CallOptions): Promise<Entity<T> | undefined> {
    if (options === undefined && this.#session.reads !== undefined) {
      return (await this.#session.reads.read(reference)) as Entity<T> | undefined;
    }
    const answer = await this.#session.call({
      method: 'GET',
      path: entityPath(reference),
      isRepeatable: true,
      accepts: [404],
      ...options,
    });
    if (answer.status !== 404) return answer.body as Entity<T>;
    return absent(answer.body);
  }

  async put(
    reference: string,
    document: DocumentInput,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    return this.#write('PUT', reference, document, options);
  }

  async patch(
    reference: string,
    patch: DocumentInput,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    return this.#write('PATCH', reference, patch, options);
  }

  async delete(reference: string, options?: WriteOptions): Promise<WriteResult> {
    return this.#write('DELETE', reference, undefined, options);
  }

  async batchGet<T>(
    references: readonly string[],
    options?: CallOptions,
  ): Promise<(Entity<T> | undefined)[]> {
    const answer = await this.#session.call({
      method: 'POST',
      path: '/batch/get',
      json: { items: references },
      isRepeatable: true,
      ...options,
    });
    return (answer.body as BatchGetAnswer).results.map((result) => {
      if ('entity' in result) return result.entity as Entity<T>;
      if (result.error.code === 'ENTITY_NOT_FOUND') return undefined;
      throw errorFromBody(result.error);
    });
  }

  async batchPut(
    items: readonly BatchPutItem[],
    options?: WriteOptions,
  ): Promise<BatchWriteAnswer> {
    return this.#batchWrite('/batch/put', items, options);
  }

  async batchDelete(
    references: readonly string[],
    options?: WriteOptions,
  ): Promise<BatchWriteAnswer> {
    return this.#batchWrite('/batch/delete', references, options);
  }

  /** The results when all succeeded, else the first error. */
  static mustSucceed(answer: BatchWriteAnswer): WriteResult[] {
    return answer.results.map((result: BatchWriteResult) => {
      if ('error' in result) throw errorFromBody(result.error);
      return result;
    });
  }

  async #batchWrite(
    path: string,
    items: readonly unknown[],
    options: WriteOptions | undefined,
  ): Promise<BatchWriteAnswer> {
    const answer = await this.#session.write(
      {
        method: 'POST',
        path,
        json: { items },
        timeoutMs: options?.timeoutMs,
        signal: options?.signal,
      },
      options?.idempotencyKey,
    );
    return answer.body as BatchWriteAnswer;
  }

  async #write(
    method: string,
    reference: string,
    json: unknown,
    options: WriteOptions | undefined,
  ): Promise<WriteResult> {
    const headers: Record<string, string> = {};
    if (options?.ifMatch !== undefined) headers['if-match'] = `"${options.ifMatch}"`;
    if (options?.ifNoneMatch !== undefined) headers['if-none-match'] = options.ifNoneMatch;
    const answer = await this.#session.write(
      {
        method,
        path: entityPath(reference),
        headers,
        json,
        timeoutMs: options?.timeoutMs,
        signal: options?.signal,
      },
      options?.idempotencyKey,
    );
    return answer.body as WriteResult;
  }
}

function entityPath(reference: string): string {
  return `/entity/${encodeURIComponent(reference)}`;
}

/** Only a missing entity is an absent value; a missing collection stays an error. */
function absent(body: unknown): undefined {
  const { error } = body as { error: Parameters<typeof errorFromBody>[0] };
  if (error.code === 'ENTITY_NOT_FOUND') return undefined;
  throw errorFromBody(error, 404);
}
