import { attribute, equalValues, makeObject, type Value } from '@themisdb/base';
import { themisError, uuidOfKey, type Uuid } from '@themisdb/protocol';
import type {
  Catalog,
  CollectionInfo,
  CollectionRules,
  ForeignKeySpec,
  IndexInfo,
  StoredRecord,
  Transaction,
} from '@themisdb/storage';

interface ForeignKey {
  readonly from: CollectionInfo;
  readonly to: CollectionInfo;
  readonly spec: ForeignKeySpec;
}

/**
 * Foreign keys of a collection in both directions: what it points to must exist, and what points to
 * it is held, removed with it or set to null. Null never refers to anything (SQL:2016 MATCH SIMPLE).
 * All reads go through the writing transaction, so a concurrent removal is a conflict at commit.
 */
export function foreignKeyRules(
  collection: CollectionInfo,
  catalog: Catalog,
): CollectionRules | undefined {
  const outgoing = keysOf(collection, catalog);
  const incoming = catalog
    .collections(collection.namespace)
    .flatMap((other) => keysOf(other, catalog))
    .filter((key) => key.to.id === collection.id);
  if (outgoing.length === 0 && incoming.length === 0) return undefined;
  return {
    async afterWrite(transaction, { before, after }) {
      for (const key of outgoing) {
        if (after !== undefined) await checkTarget(transaction, key, before, after);
      }
      for (const key of incoming) {
        if (before !== undefined) await releaseTarget(transaction, key, before, after);
      }
    },
  };
}

function keysOf(from: CollectionInfo, catalog: Catalog): ForeignKey[] {
  return (from.foreignKeys ?? []).flatMap((spec) => {
    const to = catalog.find(from.namespace, spec.references.collection);
    return to === undefined ? [] : [{ from, to, spec }];
  });
}

function referencedColumn(spec: ForeignKeySpec): string {
  return spec.references.column ?? '_key';
}

async function checkTarget(
  transaction: Transaction,
  key: ForeignKey,
  before: StoredRecord | undefined,
  after: StoredRecord,
): Promise<void> {
  const value = attribute(after.document(), key.spec.column);
  if (value === null) return;
  if (before !== undefined && equalValues(attribute(before.document(), key.spec.column), value))
    return;
  if (await targetExists(transaction, key, value)) return;
  throw violation(
    key,
    `no ${referencedColumn(key.spec)} in ${key.to.name} has the value of ${key.from.name}.${key.spec.column}`,
  );
}

async function targetExists(
  transaction: Transaction,
  key: ForeignKey,
  value: Value,
): Promise<boolean> {
  const column = referencedColumn(key.spec);
  if (column === '_key') {
    if (typeof value !== 'string') return false;
    const uuid = uuidOfKey(key.to.uuidNamespace, value);
    return (await transaction.get(key.to, uuid)) !== undefined;
  }
  const found = await findByColumn(transaction, key.to, column, value, 1);
  return found.length > 0;
}

/** Reacts to the removal of a referenced entity, or to a change of the column referred to. */
async function releaseTarget(
  transaction: Transaction,
  key: ForeignKey,
  before: StoredRecord,
  after: StoredRecord | undefined,
): Promise<void> {
  const column = referencedColumn(key.spec);
  const value = attribute(before.document(), column);
  if (value === null) return;
  if (after !== undefined && equalValues(attribute(after.document(), column), value)) return;
  const action = after === undefined ? (key.spec.onDelete ?? 'restrict') : 'restrict';
  const limit = action === 'restrict' ? 1 : undefined;
  const referring = await findByColumn(transaction, key.from, key.spec.column, value, limit);
  if (referring.length === 0) return;
  if (action === 'restrict') {
    throw violation(key, `entities of ${key.from.name} still refer to it by ${key.spec.column}`);
  }
  for (const uuid of referring) {
    if (action === 'cascade') await removeIfPresent(transaction, key.from, uuid);
    else await transaction.update(key.from, uuid, nullColumn(key.spec.column));
  }
}

/** A cascade through cycles may have removed it already. */
async function removeIfPresent(
  transaction: Transaction,
  collection: CollectionInfo,
  uuid: Uuid,
): Promise<void> {
  if ((await transaction.get(collection, uuid)) !== undefined)
    await transaction.remove(collection, uuid);
}

function nullColumn(column: string): Record<string, Value> {
  const patch = makeObject();
  patch[column] = null;
  return patch;
}

async function findByColumn(
  transaction: Transaction,
  collection: CollectionInfo,
  column: string,
  value: Value,
  limit: number | undefined,
): Promise<Uuid[]> {
  const found: Uuid[] = [];
  const index = indexOn(collection, column);
  if (index !== undefined) {
    for await (const batch of transaction.scanIndex(
      collection,
      index,
      { equal: [value] },
      { limit },
    )) {
      found.push(...batch.map((entry) => entry.uuid));
    }
    return found;
  }
  for await (const batch of transaction.scan(collection)) {
    for (const record of batch) {
      if (equalValues(record.read({ steps: [column] }), value)) found.push(record.uuid);
    }
    if (limit !== undefined && found.length >= limit) break;
  }
  return found;
}

/** A ready index that begins with `column`; a sparse one only when it has no other fields. */
function indexOn(collection: CollectionInfo, column: string): IndexInfo | undefined {
  return collection.indexes.find(
    (index) =>
      index.state === 'ready' &&
      index.fields[0] === column &&
      (!index.sparse || index.fields.length === 1),
  );
}

function violation(key: ForeignKey, why: string): Error {
  return themisError('FOREIGN_KEY_VIOLATION', {
    message: `foreign key ${key.from.name}.${key.spec.column} → ${key.to.name}.${referencedColumn(key.spec)}: ${why}`,
    details: {
      collection: key.from.name,
      column: key.spec.column,
      references: { collection: key.to.name, column: referencedColumn(key.spec) },
    },
  });
}
