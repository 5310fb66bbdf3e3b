import { isObject, type Value, type ValueObject } from '@themisdb/base';
import {
  themisError,
  type BatchDeleteRequest,
  type BatchPutRequest,
  type BatchWriteResult,
  type ErrorBody,
} from '@themisdb/protocol';
import type { Catalog, StoredRecord, Transaction } from '@themisdb/storage';
import { z } from 'zod';
import { removeEntity, versionOf, writeEntity } from '../../database/entities.ts';
import { entityNotFound, mustCollection } from '../../database/errors.ts';
import { checkKey, targetOfKey, targetOfReference, type Target } from '../../database/target.ts';
import { json, type Answer } from '../answer.ts';
import { fresh, leader } from '../../cluster/whereabouts.ts';
import type { Exchange } from '../exchange.ts';
import { atItem, itemErrorBody } from '../problem.ts';
import { defineRoute, type Route } from '../route.ts';
import { read, write } from '../units-of-work.ts';
import { validate } from '../validate.ts';
import { metaOf, metaOfRecord } from './entity.ts';
import { entity, entityMeta, errorBody, jsonObject, reference, rev } from './schemas.ts';

const getRequest = z.strictObject({ items: z.array(reference) }).meta({ id: 'BatchGetRequest' });
const putRequest = z
  .strictObject({
    items: z.array(
      z.strictObject({
        ref: reference.optional(),
        collection: z.string().optional(),
        entity: jsonObject,
        mode: z.enum(['put', 'insert', 'replace', 'update']).optional(),
        if_match: rev.optional(),
      }),
    ),
    atomic: z.boolean().optional(),
  })
  .meta({ id: 'BatchPutRequest' });
const deleteRequest = z
  .strictObject({
    items: z.array(
      z.union([reference, z.strictObject({ ref: reference, if_match: rev.optional() })]),
    ),
    atomic: z.boolean().optional(),
  })
  .meta({ id: 'BatchDeleteRequest' });

const getAnswer = z
  .object({
    results: z.array(
      z.union([
        z.object({ ref: reference, entity }),
        z.object({ ref: reference, error: errorBody }),
      ]),
    ),
    found: z.int(),
    failed: z.int(),
  })
  .meta({ id: 'BatchGetAnswer' });
const writeAnswers = z
  .object({
    results: z.array(
      z.union([
        entityMeta.extend({ created: z.boolean().optional() }),
        z.object({ ref: z.string().optional(), error: errorBody }),
      ]),
    ),
    written: z.int(),
    failed: z.int(),
  })
  .meta({ id: 'BatchWriteAnswer' });

export const batchRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/batch/get',
    runs: fresh,
    tag: 'entities',
    permission: 'entity:read',
    summary: 'Read many entities.',
    description: 'Results stand in the order of the items; one that failed has an error instead.',
    headers: ['X-Themis-Transaction'],
    body: { schema: getRequest, kind: 'value' },
    answers: { 200: { description: 'One result for each item.', schema: getAnswer } },
    errors: ['LIMIT_EXCEEDED', 'TRANSACTION_NOT_FOUND'],
    handle: (exchange, { body }) => batchGet(exchange, mustItems(exchange, body as Value)),
  }),
  defineRoute({
    method: 'POST',
    path: '/batch/put',
    runs: leader,
    tag: 'entities',
    permission: 'entity:write',
    summary: 'Write many entities in one transaction.',
    description:
      'What can be written is; each failure is named in its place. With `atomic` the first failure refuses all.',
    headers: ['Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: putRequest },
    answers: { 200: { description: 'One result for each item.', schema: writeAnswers } },
    errors: ['LIMIT_EXCEEDED', 'WRITE_CONFLICT', 'TRANSACTION_TOO_LARGE', 'IDEMPOTENCY_MISMATCH'],
    handle: (exchange, { body, raw }) => batchPut(exchange, body as BatchPutRequest, raw),
  }),
  defineRoute({
    method: 'POST',
    path: '/batch/delete',
    runs: leader,
    tag: 'entities',
    permission: 'entity:write',
    summary: 'Remove many entities in one transaction.',
    headers: ['Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: deleteRequest },
    answers: { 200: { description: 'One result for each item.', schema: writeAnswers } },
    errors: ['LIMIT_EXCEEDED', 'WRITE_CONFLICT', 'TRANSACTION_TOO_LARGE', 'IDEMPOTENCY_MISMATCH'],
    handle: (exchange, { body, raw }) => batchDelete(exchange, body as BatchDeleteRequest, raw),
  }),
];

/** Checked by hand: point reads of many clients arrive here gathered, and it is the hottest body. */
function mustItems(exchange: Exchange, body: Value): readonly string[] {
  const items = isObject(body) ? body['items'] : undefined;
  const isGood =
    Array.isArray(items) &&
    items.every((item) => typeof item === 'string') &&
    Object.keys(body as ValueObject).length === 1;
  if (!isGood) getRequestFault(body);
  checkCount(exchange, (items as string[]).length);
  return items as string[];
}

/** Lets the schema say what is wrong. */
function getRequestFault(body: Value): never {
  validate(getRequest, body, 'body');
  throw themisError('INVALID_FIELD', { message: 'body field items must be an array of strings' });
}

function checkCount(exchange: Exchange, count: number): void {
  const { batchItemsMax } = exchange.services.config.limits;
  if (count <= batchItemsMax) return;
  throw themisError('LIMIT_EXCEEDED', {
    message: `the batch has ${count} items; ${batchItemsMax} are allowed (setting limits.batchItemsMax)`,
    details: { limit: 'items', max: batchItemsMax },
  });
}

async function batchGet(exchange: Exchange, items: readonly string[]): Promise<Answer> {
  const { namespace } = exchange;
  const { targets, records } = await read(exchange, async (tx) => {
    const found = items.map((item) =>
      attempt(() => targetOfReference(tx.catalog, namespace, item)),
    );
    return { targets: found, records: await readTargets(tx, found) };
  });
  let found = 0;
  const parts = items.map((ref, i) => {
    const target = targets[i]!;
    const record = records[i];
    const head = `{"ref":${JSON.stringify(ref)},`;
    if (record !== undefined) {
      found++;
      return `${head}"entity":${JSON.stringify(record.document())}}`;
    }
    const error =
      'error' in target ? target.error : itemErrorBody(entityNotFound(target.collection));
    return `${head}"error":${JSON.stringify(error)}}`;
  });
  const body = `{"results":[${parts.join(',')}],"found":${found},"failed":${items.length - found}}`;
  return { status: 200, body };
}

type Tried<T> = T | { readonly error: ErrorBody };

function attempt<T extends object>(run: () => T): Tried<T> {
  try {
    return run();
  } catch (error) {
    return { error: itemErrorBody(error) };
  }
}

/** One look-up a collection; results in the order of the targets. */
async function readTargets(
  transaction: Transaction,
  targets: readonly Tried<Target>[],
): Promise<(StoredRecord | undefined)[]> {
  const out: (StoredRecord | undefined)[] = new Array<StoredRecord | undefined>(targets.length);
  const groups = new Map<number, number[]>();
  targets.forEach((target, i) => {
    if ('error' in target) return;
    const group = groups.get(target.collection.id);
    if (group === undefined) groups.set(target.collection.id, [i]);
    else group.push(i);
  });
  const reads = [...groups.values()].map(async (places) => {
    const { collection } = targets[places[0]!] as Target;
    const uuids = places.map((place) => (targets[place] as Target).uuid);
    const records = await transaction.getMany(collection, uuids);
    records.forEach((record, i) => (out[places[i]!] = record));
  });
  await Promise.all(reads);
  return out;
}

function batchPut(exchange: Exchange, request: BatchPutRequest, raw: Uint8Array): Promise<Answer> {
  return writeBatch(exchange, request, raw, request.items, async (tx, item) => {
    const target = putTarget(tx.catalog, exchange.namespace, item);
    const mode = item.mode ?? 'put';
    const options = { ifVersion: versionOf(item.if_match, 'if_match') };
    const result =
      'uuid' in target
        ? await writeEntity(tx, target, item.entity, mode, options)
        : await tx.insert(target.collection, item.entity);
    const created = result.before === undefined;
    const meta = metaOfRecord(result.after!);
    return (version) => ({ ...meta, _rev: version, created });
  });
}

type PutItem = BatchPutRequest['items'][number];

/** Named by reference, or by collection and the entity's own `_key`; without a key one is made. */
function putTarget(
  catalog: Catalog,
  namespace: string,
  item: PutItem,
): Target | { readonly collection: Target['collection'] } {
  if ((item.ref === undefined) === (item.collection === undefined)) {
    throw themisError('INVALID_FIELD', {
      message: 'an item names its entity by ref, or its collection by collection: one of the two',
      details: { path: ['ref'] },
    });
  }
  if (item.ref !== undefined) return targetOfReference(catalog, namespace, item.ref);
  const collection = mustCollection(catalog, namespace, item.collection!);
  const key = item.entity['_key'];
  if (key !== undefined) {
    checkKey(key);
    return targetOfKey(collection, key);
  }
  if (item.mode === 'replace' || item.mode === 'update') {
    throw themisError('INVALID_KEY', { message: `mode ${item.mode} needs a ref or a _key` });
  }
  return { collection };
}

function batchDelete(
  exchange: Exchange,
  request: BatchDeleteRequest,
  raw: Uint8Array,
): Promise<Answer> {
  return writeBatch(exchange, request, raw, request.items, async (tx, item) => {
    const { ref, if_match } = typeof item === 'string' ? { ref: item, if_match: undefined } : item;
    const target = targetOfReference(tx.catalog, exchange.namespace, ref);
    const options = { ifVersion: versionOf(if_match, 'if_match') };
    const meta = metaOf((await removeEntity(tx, target, options)).before!.document());
    return () => meta;
  });
}

/** A result whose version becomes known with the commit. */
type ItemWritten = (rev: string) => BatchWriteResult;

function writeBatch<Item>(
  exchange: Exchange,
  request: { readonly atomic?: boolean },
  raw: Uint8Array,
  items: readonly Item[],
  writeItem: (tx: Transaction, item: Item) => Promise<ItemWritten>,
): Promise<Answer> {
  checkCount(exchange, items.length);
  return write(exchange, raw, async (tx) => {
    const results: ItemWritten[] = [];
    let failed = 0;
    for (const [i, item] of items.entries()) {
      try {
        results.push(await writeItem(tx, item));
      } catch (error) {
        if (request.atomic === true) throw atItem(error, i);
        const failure = { ...refOf(item), error: itemErrorBody(error) };
        results.push(() => failure);
        failed++;
      }
    }
    return (version) =>
      json(200, {
        results: results.map((result) => result(version)),
        written: items.length - failed,
        failed,
      });
  });
}

function refOf(item: unknown): { ref?: string } {
  if (typeof item === 'string') return { ref: item };
  const { ref } = item as { ref?: string };
  return ref === undefined ? {} : { ref };
}
