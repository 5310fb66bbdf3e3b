export * from './assert.ts';
export * from './bytes.ts';
export * from './crc32c.ts';
export * from './env.ts';
export * from './error.ts';
export * from './prng.ts';
export * from './suggest.ts';
export * from './value.ts';
