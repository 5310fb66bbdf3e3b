import { isObject, makeObject, utf8Encode, type Value, type ValueObject } from '@themisdb/base';
import { isName, keyBytesMax, themisError, type Uuid } from '@themisdb/protocol';
import type { CollectionInfo } from '../contract/catalog.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeAttribute, encodeMapHeader, encodeString, refuseSize } from '../codec/encode.ts';
import type { StoreContext } from '../context.ts';
import type { StoreLimits } from '../limits.ts';

/** System attributes that are derived, hence never stored and ignored on the way in. */
const derived: ReadonlySet<string> = new Set(['_id', '_rev', '_urn']);

/** Returns the key of a document to be inserted, made when absent. INVALID_KEY. */
export function keyOfNew(context: StoreContext, document: ValueObject): KeyChoice {
  if (!Object.hasOwn(document, '_key')) return { key: context.keyMaker.next(), isMade: true };
  return { key: mustKey(document['_key']!), isMade: false };
}

export function keyExists({ name }: CollectionInfo, uuid: Uuid): Error {
  return themisError('KEY_EXISTS', {
    message: `collection "${name}" has an entity with this _key already (uuid ${uuid})`,
    details: { collection: name, uuid },
  });
}

export interface KeyChoice {
  readonly key: string;
  /** Made of 122 random bits: nobody else has it. */
  readonly isMade: boolean;
}

export function mustKey(key: Value): string {
  if (typeof key === 'string' && key !== '' && utf8Length(key) <= keyBytesMax) return key;
  throw themisError('INVALID_KEY', {
    message: `_key must be a string of 1 to ${keyBytesMax} bytes; given was ${describe(key)}`,
  });
}

function utf8Length(text: string): number {
  return text.length * 3 <= keyBytesMax ? text.length : utf8Encode(text).length;
}

function describe(value: Value): string {
  if (typeof value === 'string') return `a string of ${utf8Encode(value).length} bytes`;
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/**
 * The document as it is stored: with `_key` (and `_from`, `_to`), nothing derived. The document
 * itself where nothing has to change, as mostly in imports; its key may be missing then, where no
 * index asks for it.
 */
export function toStored(
  collection: CollectionInfo,
  document: ValueObject,
  key: string,
): ValueObject {
  if (collection.type === 'document' && !hasDerived(document)) {
    const hasKey = Object.hasOwn(document, '_key');
    if (hasKey ? document['_key'] === key : !indexesKey(collection)) return document;
  }
  const out = makeObject();
  out['_key'] = key;
  if (collection.type === 'edge') {
    out['_from'] = mustEnd(document, '_from');
    out['_to'] = mustEnd(document, '_to');
  }
  for (const name of Object.keys(document)) {
    if (!derived.has(name) && name !== '_key') out[name] = document[name]!;
  }
  return out;
}

function indexesKey({ indexes }: CollectionInfo): boolean {
  return indexes.some((index) =>
    [...index.paths, ...index.storedPaths].some(({ steps }) => steps[0] === '_key'),
  );
}

function hasDerived(document: ValueObject): boolean {
  return (
    Object.hasOwn(document, '_id') ||
    Object.hasOwn(document, '_rev') ||
    Object.hasOwn(document, '_urn')
  );
}

/** `collection/key` of an edge's end. INVALID_EDGE. */
function mustEnd(document: ValueObject, name: '_from' | '_to'): string {
  const value = Object.hasOwn(document, name) ? document[name]! : null;
  if (typeof value === 'string') {
    const slash = value.indexOf('/');
    const keyLength = utf8Encode(value.slice(slash + 1)).length;
    if (slash > 0 && isName(value.slice(0, slash)) && keyLength > 0 && keyLength <= keyBytesMax)
      return value;
  }
  throw themisError('INVALID_EDGE', {
    message: `${name} of an edge must be a string "collection/key"; given was ${describe(value)}`,
    details: { attribute: name },
  });
}

const arenaBytes = 256 * 1024;

/** Encodes documents into shared buffers; what it hands out is never changed again. */
export class BodyArena {
  readonly #limits: StoreLimits;
  #writer = new ByteWriter(0);

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** LIMIT_EXCEEDED, BAD_UTF8, NUMBER_OUT_OF_RANGE. */
  encode(document: ValueObject, key: string): Uint8Array {
    const { length, bytes } = this.#writer;
    if (length > bytes.length / 2) this.#writer = new ByteWriter(arenaBytes);
    const start = this.#writer.length;
    try {
      this.#write(document, key);
      if (this.#writer.length - start > this.#limits.documentBytesMax) refuseSize(this.#limits);
    } catch (error) {
      this.#writer.length = start;
      throw error;
    }
    return this.#writer.subarray(start);
  }

  #write(document: ValueObject, key: string): void {
    const names = Object.keys(document);
    const count = names.length + (Object.hasOwn(document, '_key') ? 0 : 1);
    if (count > this.#limits.attributesMax)
      throw themisError('LIMIT_EXCEEDED', {
        message: `the document has ${count} attributes with its key; ${this.#limits.attributesMax} are allowed`,
      });
    encodeMapHeader(this.#writer, count);
    // Names that look like array indexes come first in an object whatever the order they were set in;
    // the system attributes must come first in the encoding.
    encodeString(this.#writer, '_key');
    encodeString(this.#writer, key);
    for (const name of names) {
      if (name !== '_key') encodeAttribute(this.#writer, name, document[name]!, this.#limits);
    }
  }
}

/** AQL's and ArangoDB's update: attributes of `patch` over those of `before`. */
export function mergePatch(
  before: ValueObject,
  patch: ValueObject,
  options: { readonly mergeObjects: boolean; readonly removeNulls: boolean },
): ValueObject {
  const out = makeObject();
  for (const name of Object.keys(before)) out[name] = before[name]!;
  for (const name of Object.keys(patch)) {
    const value = patch[name]!;
    if (value === null && options.removeNulls) delete out[name];
    else out[name] = mergedValue(Object.hasOwn(out, name) ? out[name]! : null, value, options);
  }
  return out;
}

function mergedValue(
  before: Value,
  value: Value,
  options: { readonly mergeObjects: boolean; readonly removeNulls: boolean },
): Value {
  if (!isObject(value)) return value;
  if (options.mergeObjects && isObject(before)) return mergePatch(before, value, options);
  return options.removeNulls ? mergePatch(makeObject(), value, options) : value;
}
