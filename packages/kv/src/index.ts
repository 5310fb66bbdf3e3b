export type * from './engine.ts';
export { makeMemoryEngine, type MemoryEngine, type MemoryEngineOptions } from './memory-engine.ts';
