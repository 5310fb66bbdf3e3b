export * from './query-engine.ts';
