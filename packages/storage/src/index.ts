export type * from './contract/catalog.ts';
export type * from './contract/store.ts';
export type * from './contract/transaction.ts';
