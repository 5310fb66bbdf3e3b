export { formatTimestamp, open, timestampOfMs } from '@themisdb/server';
export type {
  Collection,
  Database,
  DatabaseTransaction,
  EntityOperations,
  OpenOptions,
  QueryResult,
  TransactOptions,
} from '@themisdb/server';
export { aql, hasCode, isThemisError, ThemisClient, ThemisError } from '@themisdb/client';
export type { AqlQuery, ClientOptions } from '@themisdb/client';
