import type { Value } from '@themisdb/base';
import { themisError, type QueryOptionsBody } from '@themisdb/protocol';
import type { QueryOptions, QueryRequest, QueryRun } from '@themisdb/query';
import { formatTimestamp, timestampOfMs, tryTimestamp, type Timestamp } from '@themisdb/storage';
import { z } from 'zod';
import { attemptsDefault, transact } from '../../database/transact.ts';
import { empty, json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import type { Remember } from '../idempotency.ts';
import { jsonType, ndjsonType, negotiate } from '../media-type.ts';
import { pageAnswer, tokenOf } from '../query-answer.ts';
import { streamRun } from '../query-stream.ts';
import { defineRoute, type Route } from '../route.ts';
import { refuseIdempotencyKey } from '../units-of-work.ts';
import { anyJson, isolation, jsonObject } from './schemas.ts';

const options = z
  .strictObject({
    batchSize: z.int().min(1).max(100_000).optional(),
    fullCount: z.boolean().optional(),
    maxRuntime: z.number().min(0).optional().meta({ description: 'Seconds.' }),
    maxRuntimeMs: z.number().min(0).optional(),
    memoryLimit: z.int().min(0).optional().meta({ description: 'Bytes.' }),
    maxRows: z.int().min(0).optional(),
    failOnWarning: z.boolean().optional(),
    maxWarningCount: z.int().min(0).optional(),
    profile: z.boolean().optional(),
    asOf: z
      .union([z.string(), z.number()])
      .optional()
      .meta({ description: 'A version, milliseconds since 1970, or an ISO 8601 date.' }),
    isolation: isolation.optional(),
    optimizer: z.strictObject({ rules: z.array(z.string()).optional() }).optional(),
  })
  .meta({ id: 'QueryOptions' });

const request = z
  .strictObject({
    query: z.string(),
    params: jsonObject.optional().meta({
      description: 'Values of `@name` under `name`, collections of `@@name` under `@name`.',
    }),
    options: options.optional(),
  })
  .meta({ id: 'QueryRequest' });

const warning = z.object({
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
    warnings: z.array(warning),
    profile: anyJson.optional(),
  })
  .meta({ id: 'QueryAnswer' });

const errors = [
  'AQL_PARSE',
  'AQL_UNKNOWN_FUNCTION',
  'AQL_BIND_MISSING',
  'AQL_BIND_UNUSED',
  'COLLECTION_NOT_FOUND',
  'NOT_IMPLEMENTED',
  'QUERY_TIMEOUT',
  'QUERY_MEMORY',
  'QUERY_ROWS',
  'QUERY_KILLED',
  'WRITE_CONFLICT',
  'TOO_MANY_REQUESTS',
] as const;

const place = { tag: 'query', permission: 'query:run' } as const;
const cursorParams = { id: 'Id of the cursor, from `cursor` of an answer.' };

export const queryRoutes: readonly Route[] = [
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql',
    summary: 'Run AQL.',
    description:
      'A query that modifies data is one transaction, committed before the answer. More than `batchSize` results wait behind a cursor. With `Accept: application/x-ndjson` all results come as one stream: a line `{"row": …}` for each, then `{"end": {…}}` with statistics, or `{"error": {…}}`; a stream without either was cut off.',
    headers: ['Accept', 'Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: request },
    answers: {
      200: {
        description: 'The first page, or the stream.',
        schema: queryAnswer,
        mediaTypes: [jsonType, ndjsonType],
      },
    },
    errors: [...errors, 'IDEMPOTENCY_MISMATCH'],
    handle: (exchange, { body, raw }) => runQuery(exchange, requestOf(exchange, body), raw),
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/explain',
    summary: 'Plan a query without running it.',
    body: { schema: request },
    answers: { 200: { description: 'The plan, as data and as text.', schema: anyJson } },
    errors,
    handle(exchange, { body }) {
      const { database } = exchange.services;
      return json(200, database.queries.explain(requestOf(exchange, body)));
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/profile',
    summary: 'Run a query and measure each of its operators.',
    headers: ['Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: request },
    answers: { 200: { description: 'The first page, with `profile`.', schema: queryAnswer } },
    errors,
    handle(exchange, { body, raw }) {
      const query = requestOf(exchange, body);
      return runQuery(exchange, { ...query, options: { ...query.options, profile: true } }, raw);
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/query/aql/parse',
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
    permission: 'query:manage',
    summary: 'Stop a query.',
    params: { id: 'Id of the query, from GET /queries or `query_id`.' },
    answers: { 204: { description: 'It fails with QUERY_KILLED at its next step.' } },
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

function requestOf(exchange: Exchange, body: z.output<typeof request>): QueryRequest {
  const { asOf, ...rest } = (body.options ?? {}) as QueryOptionsBody;
  const given: QueryOptions = asOf === undefined ? rest : { ...rest, asOf: momentOf(asOf) };
  return {
    text: body.query,
    params: body.params as Readonly<Record<string, Value>> | undefined,
    namespace: exchange.namespace,
    options: given,
    signal: exchange.signal,
  };
}

function momentOf(asOf: string | number): Timestamp {
  const moment =
    typeof asOf === 'number' ? millis(asOf) : (tryTimestamp(asOf) ?? millis(Date.parse(asOf)));
  if (moment !== undefined) return moment;
  throw themisError('INVALID_FIELD', {
    message:
      'body field options.asOf must be a version of 16 hexadecimal digits, milliseconds since 1970, or an ISO 8601 date',
    details: { path: ['options', 'asOf'] },
  });
}

/** The last moment of that millisecond, so that what was written in it is seen. */
function millis(ms: number): Timestamp | undefined {
  return Number.isFinite(ms) && ms >= 0 ? timestampOfMs(ms) + 0xffffn : undefined;
}

async function runQuery(exchange: Exchange, query: QueryRequest, raw: Uint8Array): Promise<Answer> {
  const type = negotiate(exchange.header('accept'), [jsonType, ndjsonType]);
  const { database, transactions, cursors, idempotency } = exchange.services;
  const id = exchange.header('x-themis-transaction');
  if (id !== undefined) {
    refuseIdempotencyKey(exchange);
    return transactions.use(id, exchange.namespace, async (transaction) => {
      const run = await database.queries.execute({ ...query, transaction });
      return wholeAnswer(exchange, run, type);
    });
  }
  if (exchange.header('idempotency-key') !== undefined && mayModify(query.text)) {
    return idempotency.run(exchange, raw, (remember) => runOnce(exchange, query, type, remember));
  }
  const run = await database.queries.execute(query);
  if (type === jsonType) return pageAnswer(await cursors.start(run, exchange.namespace));
  const stream = streamRun(exchange, run);
  return { status: 200, contentType: ndjsonType, headers: tokenOf(run), stream };
}

// Reading AQL to the letter is the engine's business: a word that only looks like a clause costs
// nothing but a transaction that could have been read-only.
const modifyingWords = /\b(insert|update|replace|remove|upsert)\b/i;

function mayModify(text: string): boolean {
  return modifyingWords.test(text);
}

/** In one transaction with the memory of its answer, so all results must be there before the commit. */
async function runOnce(
  exchange: Exchange,
  query: QueryRequest,
  type: string,
  remember: Remember,
): Promise<Answer> {
  const { database, env } = exchange.services;
  const check = (): void => exchange.checkDeadline();
  const { result, timestamp } = await transact(
    database.store,
    env,
    { options: { isolation: query.options?.isolation }, attemptsMax: attemptsDefault, check },
    async (transaction) => {
      const run = await database.queries.execute({ ...query, transaction });
      const answer = await wholeAnswer(exchange, run, type);
      if (run.modifies) remember?.(transaction, answer);
      const provisional = formatTimestamp(transaction.provisionalVersion);
      return { answer, provisional, modifies: run.modifies };
    },
  );
  const { answer, provisional, modifies } = result;
  if (!modifies) return answer;
  const token = formatTimestamp(timestamp);
  return {
    ...answer,
    body: answer.body!.replaceAll(provisional, token),
    headers: { ...answer.headers, 'x-themis-token': token },
  };
}

/** All results in one answer: inside a transaction nothing may wait behind a cursor. */
async function wholeAnswer(exchange: Exchange, run: QueryRun, type: string): Promise<Answer> {
  if (type === ndjsonType) {
    let body = '';
    for await (const piece of streamRun(exchange, run)) body += piece;
    return { status: 200, contentType: ndjsonType, body };
  }
  const rows = await run.all();
  return pageAnswer({ run, rows, cursor: undefined });
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
