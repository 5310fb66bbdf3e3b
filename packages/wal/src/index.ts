export type * from './contract.ts';
export { openWal, type WalOptions } from './wal.ts';
