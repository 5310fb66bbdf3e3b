import { isThemisError } from '@themisdb/base';
import type { Store } from '@themisdb/storage';
import { z } from 'zod';
import { here } from '../../cluster/whereabouts.ts';
import { json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';

const place = {
  tag: 'server',
  method: 'GET',
  permission: 'server:observe',
  isAlwaysServed: true,
  runs: here,
  errors: [],
} as const;
const health = z.object({
  status: z.enum(['ok', 'starting', 'stopping', 'failed', 'no-leader', 'catching-up']),
});

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
      503: {
        description:
          'Stopping; the store failed and must be restarted; or, in a cluster, no node leads, or this one has not caught up since its start.',
        schema: health,
      },
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
  const { stopping, database, cursors, transactions, cluster } = exchange.services;
  const status = stopping.aborted
    ? 'stopping'
    : isAlive(database.store)
      ? (cluster?.hindrance ?? 'ok')
      : 'failed';
  const isReady = status === 'ok';
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

/** After a fatal error of the log or the engine nothing can be begun any more. */
function isAlive(store: Store): boolean {
  try {
    store.begin({ readOnly: true }).rollback();
    return true;
  } catch (error) {
    if (!isThemisError(error)) throw error;
    return false;
  }
}
