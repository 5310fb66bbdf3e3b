export { aql, collectionName, type AqlQuery, type CollectionName } from './aql-tag.ts';
