import { isObject, makeObject, typeRank, type Value, type ValueObject } from '@themisdb/base';
import { looksLikeUrn, themisError, uuidOfKey, type Uuid } from '@themisdb/protocol';
import type { CollectionInfo, Timestamp } from '@themisdb/storage';
import { uuidOfUrn } from './entity-id.ts';

/** The entity an UPDATE, REPLACE or REMOVE is about. */
export interface Target {
  readonly uuid: Uuid;
}

/** From a key, a URN, or a document that holds its `_key`; INVALID_KEY otherwise. */
export function mustTarget(value: Value, collection: CollectionInfo, clause: string): Target {
  const key = isObject(value) ? (value['_key'] ?? null) : value;
  if (typeof key === 'string' && key !== '') {
    const urn = looksLikeUrn(key) ? uuidOfUrn(collection, key) : undefined;
    return { uuid: urn ?? uuidOfKey(collection.uuidNamespace, key) };
  }
  const given = isObject(value)
    ? 'a document without a _key'
    : `a value of type ${typeName(value)}`;
  throw themisError('INVALID_KEY', {
    message: `${clause} wants a key (a string) or a document with a _key, and was given ${given}.`,
    details: { clause },
  });
}

export function documentOf(value: Value, clause: string): ValueObject {
  if (isObject(value)) return value;
  throw themisError('INVALID_DOCUMENT', {
    message: `${clause} wants a document (an object), and was given a value of type ${typeName(value)}.`,
    details: { clause },
  });
}

const systemAttributes = ['_key', '_id', '_rev', '_urn'] as const;

/** The attributes to be changed: system attributes in there are ignored, as in ArangoDB. */
export function changesOf(value: Value, clause: string): ValueObject {
  const document = documentOf(value, clause);
  if (!systemAttributes.some((name) => Object.hasOwn(document, name))) return document;
  const out = makeObject();
  for (const name of Object.keys(document)) {
    if (!(systemAttributes as readonly string[]).includes(name)) out[name] = document[name]!;
  }
  return out;
}

/** The version a document says it is, for `ignoreRevs: false`. A text that is none never matches. */
export function ifVersionOf(value: Value): Timestamp | undefined {
  const rev = isObject(value) ? value['_rev'] : undefined;
  if (rev === undefined || rev === null) return undefined;
  const valid = typeof rev === 'string' && /^[0-9a-f]{16}$/.test(rev);
  return valid ? BigInt(`0x${rev}`) : -1n;
}

const typeNames = ['null', 'bool', 'number', 'string', 'array', 'object'] as const;

function typeName(value: Value): string {
  return typeNames[typeRank(value)]!;
}
