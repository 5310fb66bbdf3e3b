import type { ValueObject } from '@themisdb/base';
import { isObject } from '@themisdb/base';
import { themisError, type EntityMeta } from '@themisdb/protocol';
import {
  formatTimestamp,
  type StoredRecord,
  type Transaction,
  type WriteResult,
} from '@themisdb/storage';
import { z } from 'zod';
import {
  removeEntity,
  writeEntity,
  type Precondition,
  type WriteMode,
} from '../../database/entities.ts';
import { entityNotFound } from '../../database/errors.ts';
import { targetOfReference, type Target } from '../../database/target.ts';
import { empty, json, type Answer } from '../answer.ts';
import { isNotModified, preconditions } from '../conditional.ts';
import { fresh, leader } from '../../cluster/whereabouts.ts';
import type { Exchange } from '../exchange.ts';
import { jsonType, mergePatchType } from '../media-type.ts';
import { defineRoute, type Route } from '../route.ts';
import { read, write, type Written } from '../units-of-work.ts';
import { entity, jsonObject, writeAnswer } from './schemas.ts';

const returns = {
  return_new: z.boolean().optional().meta({ description: 'Answer with the entity as written.' }),
  return_old: z.boolean().optional().meta({ description: 'Answer with the entity as it was.' }),
};
const writeErrors = [
  'INVALID_URN',
  'INVALID_KEY',
  'NAMESPACE_MISMATCH',
  'COLLECTION_NOT_FOUND',
  'MODEL_MISMATCH',
  'PRECONDITION_FAILED',
  'UNIQUE_VIOLATION',
  'SCHEMA_VIOLATION',
  'FOREIGN_KEY_VIOLATION',
  'INVALID_EDGE',
  'WRITE_CONFLICT',
  'IDEMPOTENCY_MISMATCH',
] as const;
const conditional = ['If-Match', 'If-None-Match', 'Idempotency-Key', 'X-Themis-Transaction'];

const place = {
  tag: 'entities',
  takesRest: true,
  params: {
    urn: 'URN, or `collection/key` or `collection:key`. The first slash or colon ends the name of the collection, all that follows is the key: it may hold more of them, plain or as `%2F`. Everything else a path cannot hold is percent-encoded; so is the slash of a key with `.` or `..` as a part, which clients fold away.',
  },
};

/** `/entity/{urn}` and the name it had in the first version of the API, `/entities/{urn}`. */
export const entityRoutes: readonly Route[] = ['/entity/{urn}', '/entities/{urn}'].flatMap(
  (path) => [getRoute(path), putRoute(path), patchRoute(path), deleteRoute(path)],
);

function getRoute(path: string): Route {
  return defineRoute({
    ...place,
    method: 'GET',
    path,
    runs: fresh,
    permission: 'entity:read',
    summary: 'Read an entity.',
    headers: ['If-None-Match', 'X-Themis-Transaction'],
    answers: {
      200: { description: 'The entity.', schema: entity, headers: ['ETag'] },
      304: { description: 'The version named by If-None-Match is the current one.' },
    },
    errors: [
      'INVALID_URN',
      'INVALID_KEY',
      'NAMESPACE_MISMATCH',
      'COLLECTION_NOT_FOUND',
      'MODEL_MISMATCH',
      'ENTITY_NOT_FOUND',
    ],
    async handle(exchange, { params }) {
      const record = await read(exchange, async (tx) => {
        const target = targetOfReference(tx.catalog, exchange.namespace, params['urn']!);
        const found = await tx.get(target.collection, target.uuid);
        if (found === undefined) throw entityNotFound(target.collection);
        return found;
      });
      const rev = formatTimestamp(record.version);
      const headers = { etag: `"${rev}"` };
      if (isNotModified(exchange.header('if-none-match'), rev)) return empty(304, headers);
      return json(200, record.document(), headers);
    },
  });
}

function putRoute(path: string): Route {
  return defineRoute({
    ...place,
    method: 'PUT',
    path,
    runs: leader,
    permission: 'entity:write',
    summary: 'Create or replace an entity.',
    description:
      'With `If-None-Match: *` it only creates, with `If-Match` it only replaces that version.',
    query: z.strictObject(returns),
    headers: conditional,
    body: { schema: jsonObject, kind: 'value' },
    answers: {
      200: { description: 'Replaced.', schema: writeAnswer, headers: ['ETag', 'X-Themis-Token'] },
      201: { description: 'Created.', schema: writeAnswer, headers: ['ETag', 'X-Themis-Token'] },
    },
    errors: [...writeErrors, 'IMMUTABLE_ATTRIBUTE'],
    handle: (exchange, { params, query, body, raw }) =>
      put(exchange, params['urn']!, mustDocument(body), 'put', query, raw),
  });
}

function patchRoute(path: string): Route {
  return defineRoute({
    ...place,
    method: 'PATCH',
    path,
    runs: leader,
    permission: 'entity:write',
    summary: 'Merge into an entity.',
    description:
      'Objects are merged, other values replaced. Nulls are kept, unless `keep_null=false` or the content type is `application/merge-patch+json` (RFC 7396): then they remove.',
    query: z.strictObject({
      ...returns,
      keep_null: z.boolean().optional(),
      merge_objects: z.boolean().optional(),
    }),
    headers: conditional,
    body: { schema: jsonObject, kind: 'value', mediaTypes: [jsonType, mergePatchType] },
    answers: {
      200: { description: 'Changed.', schema: writeAnswer, headers: ['ETag', 'X-Themis-Token'] },
    },
    errors: [...writeErrors, 'ENTITY_NOT_FOUND', 'IMMUTABLE_ATTRIBUTE'],
    handle: (exchange, { params, query, body, raw }) =>
      put(exchange, params['urn']!, mustDocument(body), 'update', query, raw),
  });
}

function deleteRoute(path: string): Route {
  return defineRoute({
    ...place,
    method: 'DELETE',
    path,
    runs: leader,
    permission: 'entity:write',
    summary: 'Remove an entity.',
    query: z.strictObject({ return_old: returns.return_old }),
    headers: conditional,
    answers: {
      200: { description: 'Removed; `_rev` is the version that was.', schema: writeAnswer },
    },
    errors: [...writeErrors, 'ENTITY_NOT_FOUND'],
    handle: (exchange, { params, query, raw }) =>
      writeOne(exchange, params['urn']!, raw, async (tx, target) => {
        const result = await removeEntity(tx, target, undefined, preconditionOf(exchange));
        const old = result.before!.document();
        const body = { ...metaOf(old), ...(query.return_old ? { old } : {}) };
        return () => json(200, body);
      }),
  });
}

interface PutQuery {
  readonly return_new?: boolean | undefined;
  readonly return_old?: boolean | undefined;
  readonly keep_null?: boolean | undefined;
  readonly merge_objects?: boolean | undefined;
}

function put(
  exchange: Exchange,
  urn: string,
  document: ValueObject,
  mode: WriteMode,
  query: PutQuery,
  raw: Uint8Array,
): Promise<Answer> {
  const isMergePatch = exchange.header('content-type')?.startsWith(mergePatchType) === true;
  const options = {
    removeNulls: query.keep_null === undefined ? isMergePatch : !query.keep_null,
    mergeObjects: query.merge_objects ?? true,
  };
  return writeOne(exchange, urn, raw, async (tx, target) => {
    const precondition = preconditionOf(exchange);
    const result = await writeEntity(tx, target, document, mode, options, precondition);
    return writtenAnswer(result, query);
  });
}

function writeOne(
  exchange: Exchange,
  urn: string,
  raw: Uint8Array,
  work: (transaction: Transaction, target: Target) => Promise<Written>,
): Promise<Answer> {
  const { namespace } = exchange;
  const run = (tx: Transaction): Promise<Written> =>
    work(tx, targetOfReference(tx.catalog, namespace, urn));
  return write(exchange, raw, run, `${namespace}/${urn}`);
}

/** The answer to a write of one entity, once its version is known. */
export function writtenAnswer(result: WriteResult, query: PutQuery): Written {
  const before = result.before;
  const oldRev = before === undefined ? {} : { _old_rev: formatTimestamp(before.version) };
  const old = before !== undefined && query.return_old === true ? { old: before.document() } : {};
  const after = result.after!;
  const meta = metaOfRecord(after);
  return (rev) => {
    const fresh = query.return_new === true ? { new: { ...after.document(), _rev: rev } } : {};
    const body = { ...meta, _rev: rev, ...oldRev, ...fresh, ...old };
    return json(before === undefined ? 201 : 200, body, { etag: `"${rev}"` });
  };
}

function preconditionOf(exchange: Exchange): Precondition | undefined {
  const ifMatch = exchange.header('if-match');
  const ifNoneMatch = exchange.header('if-none-match');
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  const check = preconditions({ ifMatch, ifNoneMatch });
  return (current) => check(current === undefined ? undefined : formatTimestamp(current.version));
}

const systemPaths = {
  _key: { steps: ['_key'] },
  _id: { steps: ['_id'] },
  _urn: { steps: ['_urn'] },
};

/** Read from the encoded record: the document is not decoded for an answer that does not show it. */
export function metaOfRecord(record: StoredRecord): EntityMeta {
  return {
    _key: record.read(systemPaths._key) as string,
    _id: record.read(systemPaths._id) as string,
    _rev: formatTimestamp(record.version),
    _urn: record.read(systemPaths._urn) as string,
  };
}

export function metaOf(document: ValueObject): EntityMeta {
  const { _key, _id, _rev, _urn } = document as unknown as EntityMeta;
  return { _key, _id, _rev, _urn };
}

export function mustDocument(body: unknown): ValueObject {
  if (isObject(body as ValueObject)) return body as ValueObject;
  throw themisError('INVALID_FIELD', {
    message: 'the body must be a JSON object: an entity is one',
    details: { path: [] },
  });
}
