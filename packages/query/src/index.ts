export * from './query-engine.ts';
export { defaultQueryLimits, makeQueryEngine } from './engine.ts';
export { aggregateTable, functionFamilies, functionTable } from './functions/index.ts';
