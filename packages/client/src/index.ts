export { hasCode, isThemisError, ThemisError, type ErrorKind } from '@themisdb/base';
export { aql, collectionName, type AqlQuery, type CollectionName } from './aql-tag.ts';
export type { CallOptions, Consistency } from './caller.ts';
export type { ChangesOptions } from './changes.ts';
export {
  Scope,
  ThemisClient,
  Transaction,
  type ClientOptions,
  type TransactionOptions,
} from './client.ts';
export { Collection, type ImportOptions } from './collection.ts';
export { QueryCursor, type QueryOptions } from './cursor.ts';
export type { RetryOptions } from './retry.ts';
export type {
  MakeTransport,
  Transport,
  TransportRequest,
  TransportResponse,
} from './transport/transport.ts';
export type { DocumentInput, Entity, JsonValue, WriteOptions, WriteResult } from './types.ts';
