import type { CollectionBody, CollectionSpecBody, IndexBody, SchemaBody } from '@themisdb/protocol';
import type {
  CollectionInfo,
  CollectionSpec,
  IndexInfo,
  SchemaSpec,
  Store,
} from '@themisdb/storage';
import { z } from 'zod';
import { mustIndex } from '../../database/database.ts';
import { mustCollection } from '../../database/errors.ts';
import { fresh, leader } from '../../cluster/whereabouts.ts';
import { empty, json } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';
import { refuseTransaction } from '../units-of-work.ts';
import {
  collectionAnswer,
  collectionSpec,
  columns,
  foreignKeys,
  indexAnswer,
  indexSpec,
  schemaAnswer,
  schemaSpec,
} from './schemas.ts';

const change = z
  .strictObject({
    schema: schemaSpec.nullable().optional(),
    columns: columns.optional(),
    foreignKeys: foreignKeys.optional(),
  })
  .meta({ id: 'CollectionChange' });

const tag = 'collections';
const name = { name: 'Name of the collection.' };
const notFound = ['COLLECTION_NOT_FOUND', 'NAMESPACE_NOT_FOUND'] as const;

export const collectionRoutes: readonly Route[] = [
  defineRoute({
    tag,
    method: 'POST',
    path: '/collections',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Create a collection.',
    body: { schema: collectionSpec },
    answers: { 201: { description: 'Created.', schema: collectionAnswer } },
    errors: ['COLLECTION_EXISTS', 'INVALID_NAME', 'INVALID_SCHEMA', 'INVALID_FIELD'],
    async handle(exchange, { body }) {
      beginChange(exchange);
      const { database } = exchange.services;
      const spec = specOf(body);
      database.checkSpec(exchange.namespace, spec);
      const made = await database.store.createCollection(exchange.namespace, spec);
      return json(201, describe(database.store, made), {
        location: `/collections/${made.name}`,
      });
    },
  }),
  defineRoute({
    tag,
    method: 'GET',
    path: '/collections',
    runs: fresh,
    permission: 'collection:read',
    summary: 'List the collections of the namespace.',
    answers: {
      200: {
        description: 'By name.',
        schema: z.object({ collections: z.array(collectionAnswer) }),
      },
    },
    errors: [],
    handle(exchange) {
      const { store } = exchange.services.database;
      const all = [...store.catalog().collections(exchange.namespace)];
      all.sort((a, b) => (a.name < b.name ? -1 : 1));
      return json(200, { collections: all.map((collection) => describe(store, collection)) });
    },
  }),
  defineRoute({
    tag,
    method: 'GET',
    path: '/collections/{name}',
    runs: fresh,
    permission: 'collection:read',
    summary: 'Describe a collection.',
    params: name,
    query: z.strictObject({
      count: z.enum(['exact']).optional().meta({ description: 'Count the entities one by one.' }),
    }),
    answers: { 200: { description: 'The collection.', schema: collectionAnswer } },
    errors: notFound,
    async handle(exchange, { params, query }) {
      const { store } = exchange.services.database;
      const collection = find(exchange, params);
      const described = describe(store, collection);
      if (query.count === undefined) return json(200, described);
      const transaction = store.begin({ readOnly: true });
      try {
        return json(200, { ...described, count: await transaction.count(collection) });
      } finally {
        transaction.rollback();
      }
    },
  }),
  defineRoute({
    tag,
    method: 'PATCH',
    path: '/collections/{name}',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Change schema, columns or foreign keys of a collection.',
    description:
      'Entities that are there are not validated again. `schema: null` removes the schema.',
    params: name,
    body: { schema: change },
    answers: { 200: { description: 'Changed.', schema: collectionAnswer } },
    errors: [...notFound, 'INVALID_SCHEMA'],
    async handle(exchange, { params, body }) {
      beginChange(exchange);
      return json(200, await alter(exchange, find(exchange, params), body));
    },
  }),
  defineRoute({
    tag,
    method: 'DELETE',
    path: '/collections/{name}',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Drop a collection with all its entities and indexes.',
    params: name,
    answers: { 204: { description: 'Dropped.' } },
    errors: notFound,
    async handle(exchange, { params }) {
      beginChange(exchange);
      await exchange.services.database.store.dropCollection(find(exchange, params));
      return empty(204);
    },
  }),
  defineRoute({
    tag,
    method: 'PUT',
    path: '/collections/{name}/truncate',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Remove all entities of a collection; indexes stay.',
    params: name,
    answers: { 204: { description: 'Emptied.' } },
    errors: notFound,
    async handle(exchange, { params }) {
      beginChange(exchange);
      await exchange.services.database.store.truncateCollection(find(exchange, params));
      return empty(204);
    },
  }),
  defineRoute({
    tag,
    method: 'GET',
    path: '/collections/{name}/schema',
    runs: fresh,
    permission: 'collection:read',
    summary: 'Read the JSON Schema of a collection.',
    params: name,
    answers: {
      200: {
        description: 'The schema; `rule` is absent when there is none.',
        schema: schemaAnswer,
      },
    },
    errors: notFound,
    handle: (exchange, { params }) => json(200, find(exchange, params).schema ?? { level: 'none' }),
  }),
  defineRoute({
    tag,
    method: 'PUT',
    path: '/collections/{name}/schema',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Set the JSON Schema of a collection.',
    params: name,
    body: { schema: schemaSpec },
    answers: { 200: { description: 'Set.', schema: collectionAnswer } },
    errors: [...notFound, 'INVALID_SCHEMA'],
    async handle(exchange, { params, body }) {
      beginChange(exchange);
      return json(200, await alter(exchange, find(exchange, params), { schema: body }));
    },
  }),
  defineRoute({
    tag,
    method: 'POST',
    path: '/collections/{name}/indexes',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Create an index and build it.',
    description: 'An equal definition answers 200 with the index there is.',
    params: name,
    body: { schema: indexSpec },
    answers: {
      200: { description: 'It was there.', schema: indexAnswer },
      201: { description: 'Created and built.', schema: indexAnswer },
    },
    errors: [...notFound, 'INVALID_INDEX', 'INDEX_EXISTS', 'UNIQUE_VIOLATION'],
    async handle(exchange, { params, body }) {
      beginChange(exchange);
      const { store } = exchange.services.database;
      const collection = find(exchange, params);
      const index = await store.createIndex(collection, { ...body, type: 'persistent' });
      const wasThere = collection.indexes.some((other) => other.id === index.id);
      return json(wasThere ? 200 : 201, describeIndex(store, index));
    },
  }),
  defineRoute({
    tag,
    method: 'GET',
    path: '/collections/{name}/indexes',
    runs: fresh,
    permission: 'collection:read',
    summary: 'List the indexes of a collection.',
    params: name,
    answers: {
      200: {
        description: 'In the order of creation.',
        schema: z.object({ indexes: z.array(indexAnswer) }),
      },
    },
    errors: notFound,
    handle(exchange, { params }) {
      const { store } = exchange.services.database;
      const { indexes } = find(exchange, params);
      return json(200, { indexes: indexes.map((index) => describeIndex(store, index)) });
    },
  }),
  defineRoute({
    tag,
    method: 'DELETE',
    path: '/collections/{name}/indexes/{id}',
    runs: leader,
    permission: 'collection:manage',
    summary: 'Drop an index.',
    params: { ...name, id: 'Id or name of the index.' },
    answers: { 204: { description: 'Dropped.' } },
    errors: [...notFound, 'INDEX_NOT_FOUND'],
    async handle(exchange, { params }) {
      beginChange(exchange);
      const collection = find(exchange, params);
      const index = mustIndex(collection, params['id']!);
      await exchange.services.database.store.dropIndex(collection, index);
      return empty(204);
    },
  }),
];

/** Of the catalog: in no transaction, and in the time of the request. */
function beginChange(exchange: Exchange): void {
  refuseTransaction(exchange);
  exchange.checkDeadline();
}

export function find(exchange: Exchange, params: Readonly<Record<string, string>>): CollectionInfo {
  const { store } = exchange.services.database;
  return mustCollection(store.catalog(), exchange.namespace, params['name']!);
}

function specOf(body: CollectionSpecBody): CollectionSpec {
  return { ...body, schema: schemaOf(body.schema) } as CollectionSpec;
}

function schemaOf(schema: SchemaBody | undefined): SchemaSpec | undefined {
  return schema === undefined ? undefined : { ...schema, level: schema.level ?? 'strict' };
}

async function alter(
  exchange: Exchange,
  collection: CollectionInfo,
  body: z.output<typeof change>,
): Promise<CollectionBody> {
  const { store, checkSpec } = exchange.services.database;
  const { name: collectionName, model, type } = collection;
  const next = {
    schema: body.schema === undefined ? collection.schema : schemaOf(body.schema ?? undefined),
    columns: body.columns ?? collection.columns,
    foreignKeys: body.foreignKeys ?? collection.foreignKeys,
  } as Pick<CollectionSpec, 'schema' | 'columns' | 'foreignKeys'>;
  checkSpec(exchange.namespace, { name: collectionName, model, type, ...next });
  return describe(store, await store.alterCollection(collection, next));
}

function describe(store: Store, collection: CollectionInfo): CollectionBody {
  const { id, namespace, model, type, schema, columns: declared, schemaVersion } = collection;
  return {
    id,
    namespace,
    name: collection.name,
    model,
    type,
    ...(schema === undefined ? {} : { schema }),
    ...(declared === undefined ? {} : { columns: declared }),
    ...(collection.foreignKeys === undefined ? {} : { foreignKeys: collection.foreignKeys }),
    indexes: collection.indexes.map((index) => describeIndex(store, index)),
    count: store.approximateCount(collection),
    schemaVersion,
  } as CollectionBody;
}

function describeIndex(store: Store, index: IndexInfo): IndexBody {
  const {
    id,
    name: indexName,
    type,
    fields,
    unique,
    sparse,
    deduplicate,
    storedValues,
    state,
  } = index;
  const { entries, selectivity } = store.indexStatistics(index);
  return {
    id,
    name: indexName,
    type,
    fields,
    unique,
    sparse,
    deduplicate,
    storedValues,
    state,
    entries,
    selectivity,
  };
}
