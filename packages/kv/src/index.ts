export type * from './engine.ts';
export { makeMemoryEngine, type MemoryEngine, type MemoryEngineOptions } from './memory-engine.ts';
export { decodeTuple, encodeTuple, TupleReader, TupleWriter } from './tuple.ts';
export { withReadCache, type ReadCacheOptions } from './cache/read-cache.ts';
export { eachOperation, operationCount, putCount, putKey, putValue } from './puts.ts';
