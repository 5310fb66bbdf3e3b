import { themisError } from '@themisdb/protocol';
import { z } from 'zod';
import { empty, json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { jsonType, ndjsonType } from '../media-type.ts';
import { fresh, here, type Whereabouts } from '../../cluster/whereabouts.ts';
import { pageAnswer } from '../query-answer.ts';
import { whereOfQuery } from '../query-place.ts';
import { queryErrors, queryRequest, requestOf } from '../query-request.ts';
import { defineRoute, type Route } from '../route.ts';
import { pagesOrStream, runQuery } from '../run-query.ts';
import { anyJson } from './schemas.ts';

export const queryWarning: z.ZodObject = z.object({
  code: z.string(),
  message: z.string(),
  arangoErrorNum: z.int().optional(),
});

const queryAnswer = z
  .object({
    results: z.array(anyJson),
    has_more: z.boolean(),
    cursor: z.string().optional(),
    query_id: z.string(),
    stats: z.looseObject({ executionTimeMs: z.number(), rowsReturned: z.int() }),
    warnings: z.array(queryWarning),
    profile: anyJson.optional(),
  })
  .meta({ id: 'QueryAnswer' });

const place = { tag: 'query', permission: 'query:run' } as const;
const cursorParams = { id: 'Id of the cursor, from `cursor` of an answer.' };

export const queryRoutes: readonly Route[] = [
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql',
    runs: whereOfQuery,
    summary: 'Run AQL.',
    description:
      'A query that modifies data is one transaction, committed before the answer. More than `batchSize` results wait behind a cursor. With `Accept: application/x-ndjson` all results come as one stream: a line `{"row": …}` for each, then `{"end": {…}}` with statistics, or `{"error": {…}}`; a stream without either was cut off.',
    headers: ['Accept', 'Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: queryRequest },
    answers: {
      200: {
        description: 'The first page, or the stream.',
        schema: queryAnswer,
        mediaTypes: [jsonType, ndjsonType],
      },
    },
    errors: [...queryErrors, 'IDEMPOTENCY_MISMATCH'],
    handle: (exchange, { body, raw }) =>
      runQuery(exchange, requestOf(exchange, body), raw, pagesOrStream(exchange)),
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/explain',
    runs: fresh,
    summary: 'Plan a query without running it.',
    body: { schema: queryRequest },
    answers: { 200: { description: 'The plan, as data and as text.', schema: anyJson } },
    errors: queryErrors,
    handle(exchange, { body }) {
      const { database } = exchange.services;
      return json(200, database.queries.explain(requestOf(exchange, body)));
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/profile',
    runs: whereOfQuery,
    summary: 'Run a query and measure each of its operators.',
    headers: ['Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: queryRequest },
    answers: { 200: { description: 'The first page, with `profile`.', schema: queryAnswer } },
    errors: queryErrors,
    handle(exchange, { body, raw }) {
      const query = requestOf(exchange, body);
      const profiled = { ...query, options: { ...query.options, profile: true } };
      return runQuery(exchange, profiled, raw, pagesOrStream(exchange));
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/parse',
    runs: here,
    summary: 'Parse a query: its tree, collections and bind parameters.',
    body: { schema: z.strictObject({ query: z.string() }).meta({ id: 'ParseRequest' }) },
    answers: { 200: { description: 'The syntax tree.', schema: anyJson } },
    errors: ['AQL_PARSE'],
    handle(exchange, { body }) {
      const { ast, collections, bindParameters } = exchange.services.database.queries.parse(
        body.query,
      );
      return json(200, { ast, collections, bind_parameters: bindParameters });
    },
  }),
  defineRoute({
    ...place,
    method: 'GET',
    path: '/cursor/{id}',
    runs: ofCursor,
    summary: 'Read the next page of a cursor.',
    params: cursorParams,
    answers: { 200: { description: 'The next page.', schema: queryAnswer } },
    errors: ['CURSOR_NOT_FOUND', 'CURSOR_BUSY', 'QUERY_TIMEOUT', 'QUERY_KILLED'],
    async handle(exchange, { params }) {
      const { cursors } = exchange.services;
      const id = params['id']!;
      return pageAnswer(await cursors.next(id, exchange.namespace, exchange.signal));
    },
  }),
  defineRoute({
    ...place,
    method: 'DELETE',
    path: '/cursor/{id}',
    runs: ofCursor,
    summary: 'Close a cursor.',
    params: cursorParams,
    answers: { 204: { description: 'Closed.' } },
    errors: ['CURSOR_NOT_FOUND'],
    async handle(exchange, { params }) {
      await exchange.services.cursors.close(params['id']!, exchange.namespace);
      return empty(204);
    },
  }),
  defineRoute({
    ...place,
    method: 'GET',
    path: '/queries',
    runs: here,
    permission: 'query:manage',
    summary: 'List the queries under way in the namespace.',
    answers: {
      200: {
        description: 'Oldest first.',
        schema: z.object({
          queries: z.array(
            z.object({
              id: z.string(),
              namespace: z.string(),
              query: z.string(),
              started: z.string(),
              runtime_ms: z.number(),
              memory_bytes: z.number(),
              rows: z.number(),
              modifies: z.boolean(),
              state: z.enum(['running', 'killed']),
            }),
          ),
        }),
      },
    },
    errors: [],
    handle: (exchange) => listQueries(exchange),
  }),
  defineRoute({
    ...place,
    method: 'DELETE',
    path: '/queries/{id}',
    runs: here,
    permission: 'query:manage',
    summary: 'Stop a query.',
    params: { id: 'Id of the query, from GET /queries or `query_id`.' },
    answers: {
      204: {
        description:
          'It fails with QUERY_KILLED at its next step, unless it has begun to commit what it wrote.',
      },
    },
    errors: ['QUERY_NOT_FOUND'],
    handle(exchange, { params }) {
      const { queries } = exchange.services.database;
      const id = params['id']!;
      const found = queries.running().find((query) => query.id === id);
      if (found?.namespace !== exchange.namespace) {
        throw themisError('QUERY_NOT_FOUND', {
          message: `there is no running query ${JSON.stringify(id.slice(0, 100))}`,
        });
      }
      queries.kill(id);
      return empty(204);
    },
  }),
];

function ofCursor(
  _: Exchange,
  { params }: { readonly params: Readonly<Record<string, string>> },
): Whereabouts {
  return { type: 'owner', of: 'cursor', id: params['id']! };
}

function listQueries(exchange: Exchange): Answer {
  const { queries } = exchange.services.database;
  const own = queries.running().filter((query) => query.namespace === exchange.namespace);
  return json(200, {
    queries: own.map((query) => ({
      id: query.id,
      namespace: query.namespace,
      query: query.text,
      started: new Date(query.startedMs).toISOString(),
      runtime_ms: query.runtimeMs,
      memory_bytes: query.memoryBytes,
      rows: query.rows,
      modifies: query.modifies,
      state: query.state,
    })),
  });
}
