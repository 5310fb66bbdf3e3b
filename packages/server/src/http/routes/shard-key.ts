import type { QueryRun } from '@themisdb/query';
import { z } from 'zod';
import { checkReadMode } from '../../cluster/alone.ts';
import { consistencyLevels } from '../../cluster/consistency.ts';
import { fresh } from '../../cluster/whereabouts.ts';
import { json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { jsonOrTooLong, tokenOf } from '../query-answer.ts';
import { whereOfQuery } from '../query-place.ts';
import { queryErrors, queryOptions, queryParams, queryText, requestOf } from '../query-request.ts';
import { defineRoute, type Route } from '../route.ts';
import { runQuery, type ResultForm } from '../run-query.ts';
import { shardOfKey } from '../shards.ts';
import { queryWarning } from './query.ts';
import { anyJson } from './schemas.ts';

const shardKey = z
  .string()
  .min(1)
  .max(2000)
  .meta({ description: 'A uuid, a URN, or `collection/key`. The entity need not exist.' });

const request = z
  .strictObject({
    shard_key: shardKey,
    query: queryText,
    params: queryParams,
    consistency: z
      .string()
      .max(100)
      .optional()
      .meta({
        description: `How old what is read may be: ${consistencyLevels}; also \`atLeast(token)\`. Default \`strong\`. One node reads strongly in every case.`,
      }),
    options: queryOptions
      .omit({ batchSize: true, consistency: true, fullCount: true, profile: true })
      .optional(),
  })
  .meta({ id: 'ExecuteRequest' });

const keyErrors = [
  'INVALID_KEY',
  'INVALID_URN',
  'NAMESPACE_MISMATCH',
  'MODEL_MISMATCH',
  'COLLECTION_NOT_FOUND',
] as const;

const place = { tag: 'query', permission: 'query:run' } as const;

export const shardKeyRoutes: readonly Route[] = [
  defineRoute({
    ...place,
    method: 'POST',
    path: '/v1/execute',
    runs: whereOfQuery,
    summary: 'Run AQL on the shard that owns a key.',
    description:
      'All rows come in one answer. On one node there is one shard, `shard-001`, and the query sees everything it would see by `POST /query/aql`.',
    headers: ['Idempotency-Key', 'X-Themis-Transaction'],
    body: { schema: request },
    answers: {
      200: {
        description: 'All rows.',
        headers: ['X-Themis-Token'],
        schema: z
          .object({
            shard_id: z.string(),
            rows: z.array(anyJson),
            row_count: z.int(),
            latency_ms: z.number(),
            warnings: z.array(queryWarning),
          })
          .meta({ id: 'ExecuteAnswer' }),
      },
    },
    errors: [...new Set([...queryErrors, ...keyErrors, 'IDEMPOTENCY_MISMATCH' as const])],
    async handle(exchange, { body, raw }) {
      const startedMs = exchange.services.env.clock.monotonicMs();
      if (exchange.services.cluster === undefined) checkReadMode(exchange, body.consistency);
      const { shard_id } = await shardOfKey(exchange, body.shard_key);
      const query = requestOf(exchange, body);
      return runQuery(exchange, query, raw, allRows(exchange, shard_id, startedMs));
    },
  }),
  defineRoute({
    ...place,
    method: 'GET',
    path: '/v1/shard-for-key',
    runs: fresh,
    summary: 'Tell which shard owns a key.',
    query: z.strictObject({ key: shardKey }),
    answers: {
      200: {
        description: 'The shard, and the token that decides: xxh64 of the uuid.',
        schema: z
          .object({ shard_id: z.string(), token: z.string(), uuid: z.string() })
          .meta({ id: 'ShardOfKey' }),
      },
    },
    errors: keyErrors,
    handle: async (exchange, { query }) => json(200, await shardOfKey(exchange, query.key)),
  }),
];

function allRows(exchange: Exchange, shardId: string, startedMs: number): ResultForm {
  const whole = async (run: QueryRun): Promise<Answer> => {
    const rows = await run.all();
    const elapsedMs = exchange.services.env.clock.monotonicMs() - startedMs;
    const body = {
      shard_id: shardId,
      rows,
      row_count: rows.length,
      latency_ms: Math.round(elapsedMs * 1000) / 1000,
      warnings: run.warnings,
    };
    return jsonOrTooLong(body, tokenOf(run));
  };
  return { begin: whole, whole };
}
