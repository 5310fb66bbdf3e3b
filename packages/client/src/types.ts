import type { WriteAnswer } from '@themisdb/protocol';

/** What a document may hold: JSON. Integers beyond 2^53 travel as strings. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** A document as written: any JSON object; `_key` names it, or one is made. */
export type DocumentInput = Readonly<Record<string, unknown>>;

/** A document as read, with its system attributes. */
export type Entity<T = Record<string, unknown>> = T & {
  readonly _key: string;
  readonly _id: string;
  readonly _rev: string;
  readonly _urn: string;
};

export type WriteResult = WriteAnswer;

export interface WriteOptions {
  /** The current `_rev`: PRECONDITION_FAILED when it is another by now. */
  readonly ifMatch?: string | undefined;
  /** Only create: PRECONDITION_FAILED when there is one already. */
  readonly ifNoneMatch?: '*' | undefined;
  /** Made when absent; repeating a call under the same key has one effect and one answer. */
  readonly idempotencyKey?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
