export * from './aggregates.ts';
export type * from './contract.ts';
export * from './names.ts';
export * from './reference.ts';
export * from './table.ts';
export * from './value-set.ts';
