import { z } from 'zod';
import { json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';

const place = {
  tag: 'server',
  method: 'GET',
  permission: 'server:observe',
  isAlwaysServed: true,
  errors: [],
} as const;
const health = z.object({ status: z.enum(['ok', 'stopping']) });

export const healthRoutes: readonly Route[] = [
  defineRoute({
    ...place,
    path: '/livez',
    summary: 'Whether the process is alive.',
    answers: { 200: { description: 'Alive.', schema: health } },
    handle: () => json(200, { status: 'ok' }),
  }),
  defineRoute({
    ...place,
    path: '/startupz',
    summary: 'Whether the server has started: its data is open.',
    answers: { 200: { description: 'Started.', schema: health } },
    handle: () => json(200, { status: 'ok' }),
  }),
  defineRoute({
    ...place,
    path: '/readyz',
    summary: 'Whether the server takes requests.',
    query: z.strictObject({ verbose: z.boolean().optional() }),
    answers: {
      200: { description: 'Ready.', schema: health },
      503: { description: 'Stopping.', schema: health },
    },
    handle: (exchange, { query }) => readiness(exchange, query.verbose === true),
  }),
  defineRoute({
    ...place,
    path: '/metrics',
    summary: 'Metrics in the text format of Prometheus.',
    answers: { 200: { description: 'All metrics.', mediaTypes: ['text/plain'] } },
    handle: (exchange) => ({
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: exchange.services.metrics.registry.text(),
    }),
  }),
  defineRoute({
    ...place,
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    answers: { 200: { description: 'The document.', schema: z.looseObject({}) } },
    handle: (exchange) => ({ status: 200, body: exchange.services.openApi() }),
  }),
];

function readiness(exchange: Exchange, isVerbose: boolean): Answer {
  const { stopping, database, cursors, transactions } = exchange.services;
  const isReady = !stopping.aborted;
  const status = isReady ? 'ok' : 'stopping';
  if (!isVerbose) return json(isReady ? 200 : 503, { status });
  return json(isReady ? 200 : 503, {
    status,
    store: database.store.stats(),
    log: database.stats.wal(),
    engine: database.stats.engine(),
    cursors: cursors.count,
    transactions: transactions.count,
  });
}
