export type * from './api.ts';
export * from './errors.ts';
export * from './json.ts';
export * from './names.ts';
export * from './ndjson.ts';
export { sha1 } from './sha1.ts';
export * from './urn.ts';
export * from './uuid.ts';
