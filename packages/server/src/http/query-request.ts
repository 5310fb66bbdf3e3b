import type { ValueObject } from '@themisdb/base';
import { themisError, type QueryOptionsBody } from '@themisdb/protocol';
import type { QueryOptions, QueryRequest } from '@themisdb/query';
import { timestampOfMs, tryTimestamp, type Timestamp } from '@themisdb/storage';
import { z } from 'zod';
import { checkReadMode } from '../cluster/alone.ts';
import { consistencyLevels } from '../cluster/consistency.ts';
import type { Exchange } from './exchange.ts';
import { isolation, jsonObject } from './routes/schemas.ts';

export const queryOptions: z.ZodObject = z
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
    consistency: z
      .string()
      .max(100)
      .optional()
      .meta({
        description: `How fresh what is read has to be, in place of the header X-Themis-Consistency: ${consistencyLevels}. Default \`strong\`.`,
      }),
    optimizer: z.strictObject({ rules: z.array(z.string()).optional() }).optional(),
  })
  .meta({ id: 'QueryOptions' });

export const queryText: z.ZodString = z.string();

export const queryParams: z.ZodOptional<z.ZodType<ValueObject>> = jsonObject.optional().meta({
  description: 'Values of `@name` under `name`, collections of `@@name` under `@name`.',
});

export const queryRequest: z.ZodType<QueryBody> = z
  .strictObject({ query: queryText, params: queryParams, options: queryOptions.optional() })
  .meta({ id: 'QueryRequest' });

/** Codes a correct client can meet when it runs a query. */
export const queryErrors = [
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

export interface QueryBody {
  readonly query: string;
  readonly params?: ValueObject | undefined;
  readonly options?: object | undefined;
}

/** The engine's request; the body was validated by `queryRequest` or a schema with the same parts. */
export function requestOf(exchange: Exchange, body: QueryBody): QueryRequest {
  const { asOf, consistency, ...rest } = (body.options ?? {}) as QueryOptionsBody;
  if (exchange.services.cluster === undefined && consistency !== undefined) {
    checkReadMode(exchange, consistency);
  }
  const given: QueryOptions = asOf === undefined ? rest : { ...rest, asOf: momentOf(asOf) };
  return {
    text: body.query,
    params: body.params,
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
