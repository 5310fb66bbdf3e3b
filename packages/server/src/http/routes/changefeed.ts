import type { ChangefeedAnswer } from '@themisdb/protocol';
import type { ChangesPage, ChangeToken } from '@themisdb/storage';
import { z } from 'zod';
import { here } from '../../cluster/whereabouts.ts';
import { empty, json } from '../answer.ts';
import { changeBody, firstPage, tokenText } from '../changes.ts';
import { eventHeaders, streamChanges } from '../change-stream.ts';
import type { Exchange } from '../exchange.ts';
import { eventStreamType, negotiate } from '../media-type.ts';
import { defineRoute, type Route } from '../route.ts';
import { entity } from './schemas.ts';

const limitDefault = 1000;
/** Changes read at a time; documents may be large. */
const streamPage = 100;

const after = z.string().optional().meta({
  description:
    'Token of the last change seen (`next` of the last answer), or `now`. Without it: from the oldest change that is kept.',
});

const query = z.strictObject({
  after,
  limit: z.int().min(1).max(10_000).optional(),
  wait_ms: z.int().min(0).optional().meta({
    description:
      'How long to wait when there is nothing yet. Default 0; at most the server setting.',
  }),
  collection: z.string().optional(),
});

const change = z
  .object({
    token: z.string(),
    timestamp: z.string(),
    operation: z.enum(['insert', 'update', 'remove', 'truncate', 'drop']),
    namespace: z.string(),
    collection: z.string(),
    urn: z.string().optional(),
    document: entity.optional(),
    previous_rev: z.string().optional(),
  })
  .meta({ id: 'Change' });

export const changefeedRoutes: readonly Route[] = [
  defineRoute({
    tag: 'changes',
    method: 'GET',
    path: '/changefeed',
    runs: here,
    permission: 'changes:read',
    summary: 'Read the changes of the namespace, in order; waits for news when asked to.',
    description:
      'Resume with `after` = `next` of the last answer: nothing is lost or told twice, also over restarts.',
    query,
    answers: {
      200: {
        description: 'The next changes; none when nothing came in time.',
        schema: z.object({ changes: z.array(change), next: z.string() }),
      },
    },
    errors: ['CHANGES_TRIMMED'],
    async handle(exchange, input) {
      const { after, limit = limitDefault, wait_ms = 0, collection } = input.query;
      const { store } = exchange.services.database;
      const request = { limit, namespace: exchange.namespace, collection };
      let page = await firstPage(exchange, request, after);
      if (wait_ms > 0) {
        const patience = new Patience(exchange, wait_ms);
        try {
          while (page.changes.length === 0 && (await patience.wait(page.next))) {
            page = await store.readChanges({ ...request, after: page.next });
          }
        } finally {
          patience.end();
        }
      }
      return json(200, answerOf(page));
    },
  }),
  defineRoute({
    tag: 'changes',
    method: 'GET',
    path: '/changefeed/stream',
    runs: here,
    permission: 'changes:read',
    summary: 'Follow the changes of the namespace as server-sent events.',
    description:
      'Each change is one event: its `id` is the token to resume from, its data the change as GET /changefeed shows it. Browsers resume by themselves, with `Last-Event-ID`. While there is nothing to tell, a comment comes every `limits.changefeedHeartbeatMs`, with the id up to which was read. An event `problem` with a problem document is the last of a stream that failed. The stream has no end of its own, unless X-Request-Timeout gives it one.',
    query: z.strictObject({ after, collection: z.string().optional() }),
    headers: ['Accept', 'Last-Event-ID'],
    answers: {
      200: { description: 'The stream.', schema: change, mediaTypes: [eventStreamType] },
    },
    errors: ['CHANGES_TRIMMED'],
    async handle(exchange, input) {
      negotiate(exchange.header('accept'), [eventStreamType]);
      const from = exchange.header('last-event-id') ?? input.query.after;
      const filter = {
        limit: streamPage,
        namespace: exchange.namespace,
        collection: input.query.collection,
      };
      const page = await firstPage(exchange, filter, from);
      if (exchange.method === 'HEAD') return empty(200, { 'content-type': eventStreamType });
      const stream = streamChanges(exchange, filter, page);
      return { status: 200, contentType: eventStreamType, headers: eventHeaders, stream };
    },
  }),
];

/** Waits for changes until the time is over, the client is gone, or the server stops. */
class Patience {
  readonly #exchange: Exchange;
  readonly #end = new AbortController();
  readonly #onEnd: (() => void)[] = [];

  constructor(exchange: Exchange, waitMs: number) {
    this.#exchange = exchange;
    const { env, config, stopping } = exchange.services;
    const longest = Math.max(
      0,
      Math.min(waitMs, config.limits.changefeedWaitMs, exchange.remainingMs()),
    );
    const timer = env.timers.after(longest, () => this.#end.abort());
    this.#onEnd.push(() => timer.cancel());
    for (const signal of [exchange.signal, stopping]) {
      const abort = (): void => this.#end.abort();
      signal.addEventListener('abort', abort);
      this.#onEnd.push(() => signal.removeEventListener('abort', abort));
      if (signal.aborted) this.#end.abort();
    }
  }

  /** True when there may be news after `token`; false when waiting is over. */
  async wait(token: ChangeToken): Promise<boolean> {
    if (this.#end.signal.aborted) return false;
    try {
      await this.#exchange.services.database.store.waitForChange(token, this.#end.signal);
      return !this.#end.signal.aborted;
    } catch (error) {
      if (this.#end.signal.aborted) return false;
      throw error;
    }
  }

  end(): void {
    for (const run of this.#onEnd) run();
  }
}

function answerOf(page: ChangesPage): ChangefeedAnswer {
  return { changes: page.changes.map(changeBody), next: tokenText(page.next) };
}
