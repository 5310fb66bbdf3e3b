export type * from './contract.ts';
export * from './names.ts';
export * from './table.ts';
