import { attribute, isObject, makeObject, utf8Encode, type Value } from '@themisdb/base';
import { hasCode } from '@themisdb/base';
import { keyBytesMax, looksLikeUrn, parseUrn } from '@themisdb/protocol';
import type { AqlFunction } from './contract.ts';
import { define1, define2, wrongType } from './define.ts';

interface Identifier {
  readonly collection: string;
  readonly key: string;
}

/**
 * The parts of `collection/key`, of a URN, or of a document's `_id`. Keys may hold slashes,
 * collection names do not.
 */
function tryIdentifier(value: Value): Identifier | undefined {
  const text = isObject(value) ? attribute(value, '_id') : value;
  if (typeof text !== 'string') return undefined;
  if (looksLikeUrn(text)) return tryUrn(text);
  const slash = text.indexOf('/');
  return slash < 0 ? undefined : { collection: text.slice(0, slash), key: text.slice(slash + 1) };
}

function tryUrn(text: string): Identifier | undefined {
  try {
    const urn = parseUrn(text);
    return { collection: urn.collection, key: urn.uuid };
  } catch (error) {
    if (hasCode(error, 'INVALID_URN')) return undefined;
    throw error;
  }
}

/** The collection of an identifier, or a collection name by itself. */
function collectionOf(value: Value): string | undefined {
  if (typeof value === 'string' && !value.includes('/') && !looksLikeUrn(value)) return value;
  return tryIdentifier(value)?.collection;
}

function parsing(
  signature: string,
  summary: string,
  part: (identifier: Identifier) => Value,
): AqlFunction {
  const name = signature.slice(0, signature.indexOf('('));
  return define1(signature, summary, (value, context) => {
    const identifier = tryIdentifier(value);
    return identifier === undefined ? wrongType(context, name) : part(identifier);
  });
}

export const identifierFunctions: readonly AqlFunction[] = [
  parsing(
    'PARSE_IDENTIFIER(identifier) → object',
    'Collection and key of an _id, a URN or a document.',
    (identifier) => {
      const out = makeObject();
      out['collection'] = identifier.collection;
      out['key'] = identifier.key;
      return out;
    },
  ),
  parsing(
    'PARSE_COLLECTION(identifier) → string',
    'The collection of an _id, a URN or a document.',
    (identifier) => identifier.collection,
  ),
  parsing(
    'PARSE_KEY(identifier) → string',
    'The key in an _id, a URN or a document.',
    (identifier) => identifier.key,
  ),
  define2(
    'IS_SAME_COLLECTION(collection, document) → bool',
    'Whether a document or its _id belongs to a collection.',
    (collection, document, context) => {
      const first = collectionOf(collection);
      const second = collectionOf(document);
      if (first === undefined || second === undefined) {
        return wrongType(context, 'IS_SAME_COLLECTION');
      }
      return first === second;
    },
  ),
  define1('IS_KEY(value) → bool', 'Whether it can be the _key of a document.', (value) => {
    const bytes = typeof value === 'string' ? utf8Encode(value).length : 0;
    return bytes >= 1 && bytes <= keyBytesMax;
  }),
];
