export { open } from '@themisdb/server';
export type {
  Collection,
  Database,
  DatabaseTransaction,
  EntityOperations,
  OpenOptions,
  QueryResult,
  TransactOptions,
} from '@themisdb/server';
