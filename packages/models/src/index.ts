export { compileSchema, type Validate, type Violation } from './document/json-schema.ts';
export { collectionRules } from './rules/collection-rules.ts';
export { checkCollectionSpec, checkSchema } from './rules/check-spec.ts';
