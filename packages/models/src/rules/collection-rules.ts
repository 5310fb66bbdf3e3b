import type { ValueObject } from '@themisdb/base';
import type { Catalog, CollectionInfo, CollectionRules, RulesFactory } from '@themisdb/storage';
import { schemaRules } from '../document/schema-rules.ts';
import { columnRules } from '../relational/column-rules.ts';
import { foreignKeyRules } from '../relational/foreign-keys.ts';

/** The rules of every model a collection has: what storage runs in its write path. */
export const collectionRules: RulesFactory = (
  collection: CollectionInfo,
  catalog: Catalog,
): CollectionRules | undefined => {
  const parts: CollectionRules[] = [];
  if (collection.columns !== undefined) parts.push(columnRules(collection, collection.columns));
  if (collection.schema !== undefined) parts.push(schemaRules(collection, collection.schema));
  const foreignKeys = foreignKeyRules(collection, catalog);
  if (foreignKeys !== undefined) parts.push(foreignKeys);
  return parts.length === 0 ? undefined : combine(parts);
};

type Prepare = NonNullable<CollectionRules['prepare']>;
type AfterWrite = NonNullable<CollectionRules['afterWrite']>;

function combine(parts: readonly CollectionRules[]): CollectionRules {
  const prepares = parts.flatMap((part) => part.prepare ?? []);
  const afters = parts.flatMap((part) => part.afterWrite ?? []);
  return {
    ...(prepares.length > 0 && { prepare: chainPrepare(prepares) }),
    ...(afters.length > 0 && { afterWrite: chainAfterWrite(afters) }),
  };
}

function chainPrepare(steps: readonly Prepare[]): Prepare {
  return (document, context) =>
    steps.reduce<ValueObject>((current, step) => step(current, context), document);
}

function chainAfterWrite(steps: readonly AfterWrite[]): AfterWrite {
  return async (transaction, write) => {
    for (const step of steps) await step(transaction, write);
  };
}
