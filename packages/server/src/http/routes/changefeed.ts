import { hasCode } from '@themisdb/base';
import { themisError, type ChangeBody, type ChangefeedAnswer } from '@themisdb/protocol';
import {
  formatTimestamp,
  type Change,
  type ChangesPage,
  type ChangesRequest,
  type ChangeToken,
} from '@themisdb/storage';
import { z } from 'zod';
import { currentToken, oldestToken } from '../../database/database.ts';
import { json } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';
import { entity } from './schemas.ts';

const limitDefault = 1000;

const query = z.strictObject({
  after: z.string().optional().meta({
    description:
      'Token of the last change seen (`next` of the last answer), or `now`. Without it: from the oldest change that is kept.',
  }),
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
        while (page.changes.length === 0 && (await patience.wait(page.next))) {
          page = await store.readChanges({ ...request, after: page.next });
        }
        patience.end();
      }
      return json(200, answerOf(page));
    },
  }),
];

type Request = Omit<ChangesRequest, 'after'>;

/** Without a token a reader starts at the oldest change that is kept, wherever that is. */
async function firstPage(
  exchange: Exchange,
  request: Request,
  after: string | undefined,
): Promise<ChangesPage> {
  const { store } = exchange.services.database;
  try {
    return await store.readChanges({ ...request, after: tokenOf(exchange, after) });
  } catch (error) {
    if (after !== undefined || !hasCode(error, 'CHANGES_TRIMMED')) throw error;
    const oldest = { index: error.details['oldest'] as number, n: 0xffff };
    return store.readChanges({ ...request, after: oldest });
  }
}

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

function tokenOf(exchange: Exchange, text: string | undefined): ChangeToken {
  if (text === undefined) return oldestToken;
  if (text === 'now') return currentToken(exchange.services.database.store);
  const match = /^(\d{1,15})\.(\d{1,5})$/.exec(text);
  if (match !== null) return mustHaveHappened(exchange, Number(match[1]), Number(match[2]));
  throw themisError('INVALID_FIELD', {
    message: 'query field after must be a token of this feed (as 1234.0), or now',
    details: { path: ['after'] },
  });
}

/** A token ahead of the log is another database's: waiting after it would lose what comes before. */
function mustHaveHappened(exchange: Exchange, index: number, n: number): ChangeToken {
  const { appliedIndex } = exchange.services.database.store.stats();
  if (index <= appliedIndex) return { index, n };
  throw themisError('INVALID_FIELD', {
    message: `query field after is ahead of this database, whose last change is in record ${appliedIndex}: was the data folder replaced? Read the data anew, then go on from now`,
    details: { path: ['after'], appliedIndex },
  });
}

function answerOf(page: ChangesPage): ChangefeedAnswer {
  return { changes: page.changes.map(bodyOf), next: textOf(page.next) };
}

function textOf({ index, n }: ChangeToken): string {
  return `${index}.${n}`;
}

function bodyOf(change: Change): ChangeBody {
  const { token, timestamp, operation, namespace, collection, urn, document, previousVersion } =
    change;
  return {
    token: textOf(token),
    timestamp: formatTimestamp(timestamp),
    operation,
    namespace,
    collection,
    ...(urn === undefined ? {} : { urn }),
    ...(document === undefined ? {} : { document }),
    ...(previousVersion === undefined ? {} : { previous_rev: formatTimestamp(previousVersion) }),
  };
}
