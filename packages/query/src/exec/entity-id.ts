import { keyBytesMax, looksLikeUrn, parseUrn, uuidOfKey, type Uuid } from '@themisdb/protocol';
import { hasCode } from '@themisdb/base';
import type { Catalog, CollectionInfo } from '@themisdb/storage';

/** The entity a `_key` names. Another key may have the same uuid: compare the record's `_key`. */
export function uuidOfKeyValue(collection: CollectionInfo, key: string): Uuid | undefined {
  if (key === '' || key.length > keyBytesMax) return undefined;
  return uuidOfKey(collection.uuidNamespace, key);
}

/** Of `collection/key`, when it is this collection. */
export function uuidOfId(collection: CollectionInfo, id: string): Uuid | undefined {
  const slash = id.indexOf('/');
  if (slash < 0 || id.slice(0, slash) !== collection.name) return undefined;
  return uuidOfKeyValue(collection, id.slice(slash + 1));
}

export function uuidOfUrn(collection: CollectionInfo, text: string): Uuid | undefined {
  const urn = tryUrn(text);
  const same =
    urn !== undefined &&
    urn.namespace === collection.namespace &&
    urn.collection === collection.name &&
    urn.model === collection.model;
  return same ? urn.uuid : undefined;
}

function tryUrn(text: string): ReturnType<typeof parseUrn> | undefined {
  try {
    return parseUrn(text);
  } catch (error) {
    if (hasCode(error, 'INVALID_URN')) return undefined;
    throw error;
  }
}

export interface EntityPlace {
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
  /** The `_key` the id names; `undefined` when it names the uuid. */
  readonly key: string | undefined;
}

/**
 * The entity an id names: `collection/key`, a URN, or with a default collection a plain key.
 * `unknown` is the name of a collection that does not exist.
 */
export function findEntity(
  id: string,
  catalog: Catalog,
  namespace: string,
  inCollection?: CollectionInfo,
): EntityPlace | { readonly unknown: string } | undefined {
  if (looksLikeUrn(id)) {
    const urn = tryUrn(id);
    if (urn === undefined || urn.namespace !== namespace) return undefined;
    const collection = catalog.find(namespace, urn.collection);
    if (collection === undefined) return { unknown: urn.collection };
    const uuid = uuidOfUrn(collection, id);
    return uuid && { collection, uuid, key: undefined };
  }
  const slash = id.indexOf('/');
  const name = id.slice(0, Math.max(slash, 0));
  if (inCollection !== undefined && (slash < 0 || name !== inCollection.name)) {
    const uuid = uuidOfKeyValue(inCollection, id);
    return uuid && { collection: inCollection, uuid, key: id };
  }
  if (slash < 0) return undefined;
  const collection = catalog.find(namespace, name);
  if (collection === undefined) return { unknown: name };
  const key = id.slice(slash + 1);
  const uuid = uuidOfKeyValue(collection, key);
  return uuid && { collection, uuid, key };
}
