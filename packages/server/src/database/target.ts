import { utf8Encode, type Value, type ValueObject } from '@themisdb/base';
import {
  keyBytesMax,
  looksLikeUrn,
  parseUrn,
  themisError,
  uuidOfKey,
  type Uuid,
} from '@themisdb/protocol';
import type { Catalog, CollectionInfo } from '@themisdb/storage';
import { mustCollection } from './errors.ts';

/** An entity that exists or may come to exist. `key` is known where it was named by key. */
export interface Target {
  readonly collection: CollectionInfo;
  readonly uuid: Uuid;
  readonly key?: string;
}

/** INVALID_URN, NAMESPACE_MISMATCH, COLLECTION_NOT_FOUND, MODEL_MISMATCH. */
export function targetOfUrn(catalog: Catalog, namespace: string, text: string): Target {
  const urn = parseUrn(text);
  if (urn.namespace !== namespace) {
    throw themisError('NAMESPACE_MISMATCH', {
      message: `the URN names namespace ${urn.namespace}, the request is for namespace ${namespace} (header X-Themis-Namespace)`,
      details: { namespace },
    });
  }
  const collection = mustCollection(catalog, namespace, urn.collection);
  if (urn.model !== collection.model) {
    throw themisError('MODEL_MISMATCH', {
      message: `the URN names model ${urn.model}; collection ${collection.name} has model ${collection.model}`,
      details: { model: collection.model },
    });
  }
  return { collection, uuid: urn.uuid };
}

/** INVALID_KEY. */
export function targetOfKey(collection: CollectionInfo, key: string): Target {
  checkKey(key);
  return { collection, uuid: uuidOfKey(collection.uuidNamespace, key), key };
}

/** A URN, or `collection/key` (also `collection:key`, as the first version of the API had it). */
export function targetOfReference(catalog: Catalog, namespace: string, text: string): Target {
  if (looksLikeUrn(text)) return targetOfUrn(catalog, namespace, text);
  const cut = text.search(/[/:]/);
  if (cut <= 0) {
    throw themisError('INVALID_KEY', {
      message: `${JSON.stringify(text.slice(0, 100))} names no entity: a URN or collection/key is wanted`,
    });
  }
  return targetOfKey(mustCollection(catalog, namespace, text.slice(0, cut)), text.slice(cut + 1));
}

export function checkKey(key: Value | undefined): asserts key is string {
  if (typeof key === 'string' && key !== '' && key.length <= keyBytesMax) {
    if (key.length * 3 <= keyBytesMax || utf8Encode(key).length <= keyBytesMax) return;
  }
  throw themisError('INVALID_KEY', {
    message: `a _key must be a string of 1 to ${keyBytesMax} bytes of UTF-8`,
  });
}

/**
 * The document as it is to be inserted at `target`: with a `_key` whose uuid is the target's. A
 * document that says another key is refused.
 */
export function withKeyOf(target: Target, document: ValueObject): ValueObject {
  const given = document['_key'];
  if (given === undefined) return { ...document, _key: target.key ?? target.uuid };
  checkKeyOf(target, document);
  return document;
}

/** IMMUTABLE_ATTRIBUTE when the document says a `_key` other than the target's. */
export function checkKeyOf(target: Target, document: ValueObject): void {
  const given = document['_key'];
  if (given === undefined) return;
  checkKey(given);
  const { collection, uuid } = target;
  if (uuidOfKey(collection.uuidNamespace, given) === uuid) return;
  throw themisError('IMMUTABLE_ATTRIBUTE', {
    message: `the _key in the document belongs to another entity than the one addressed in collection ${collection.name}`,
    details: { attribute: '_key' },
  });
}
