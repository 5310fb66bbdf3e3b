export * from './code.ts';
export * from './compile.ts';
export * from './constant.ts';
export type * from './contract.ts';
export * from './convert.ts';
export * from './engine-value.ts';
export * from './like.ts';
export * from './range.ts';
