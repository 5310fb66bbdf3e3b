import { suggest } from '@themisdb/base';
import { functionTable } from './table.ts';

/**
 * Functions of ArangoDB 3.12, and those planned for this database, that this version knows of but
 * does not have: the planner says NOT_IMPLEMENTED, or replaces the call (DOCUMENT()).
 */
export const knownButAbsent: ReadonlySet<string> = new Set<string>([
  // Documents, collections and the server.
  'COLLECTION_COUNT',
  'COLLECTIONS',
  'CURRENT_USER',
  'DECODE_REV',
  'DOCUMENT',
  'PREGEL_RESULT',
  'SCHEMA_GET',
  'SCHEMA_VALIDATE',
  'SHARD_ID',
  'SLEEP',
  'VERSION',
  // Search.
  'ANALYZER',
  'BM25',
  'BOOST',
  'EXISTS',
  'FULLTEXT',
  'MINHASH',
  'MINHASH_COUNT',
  'MINHASH_ERROR',
  'MINHASH_MATCH',
  'NGRAM_MATCH',
  'OFFSET_INFO',
  'PHRASE',
  'TFIDF',
  'TOKENS',
  // Geography.
  'DISTANCE',
  'GEO_AREA',
  'GEO_CONTAINS',
  'GEO_DISTANCE',
  'GEO_EQUALS',
  'GEO_IN_RANGE',
  'GEO_INTERSECTS',
  'GEO_LINESTRING',
  'GEO_MULTILINESTRING',
  'GEO_MULTIPOINT',
  'GEO_MULTIPOLYGON',
  'GEO_POINT',
  'GEO_POLYGON',
  'IS_IN_POLYGON',
  'NEAR',
  'PROXIMITY',
  'WITHIN',
  'WITHIN_RECTANGLE',
  // Vectors and fusion of rankings.
  'APPROX_NEAR_COSINE',
  'APPROX_NEAR_INNER_PRODUCT',
  'APPROX_NEAR_L2',
  'FUSE',
  'SIMILARITY',
]);

/** The name of the function that was most likely meant, for messages. */
export function nearestFunction(name: string): string | undefined {
  return suggest(name, functionTable.keys());
}
