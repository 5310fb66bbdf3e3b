export * from './errors.ts';
export * from './names.ts';
export * from './urn.ts';
export * from './uuid.ts';
