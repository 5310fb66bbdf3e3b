import type { QueryRequest, QueryRun } from '@themisdb/query';
import { formatTimestamp } from '@themisdb/storage';
import { attemptsDefault, transact } from '../database/transact.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { Remember } from './idempotency.ts';
import { jsonType, ndjsonType, negotiate } from './media-type.ts';
import { pageAnswer, tokenOf } from './query-answer.ts';
import { mayModify } from './query-place.ts';
import { streamRun } from './query-stream.ts';
import { refuseIdempotencyKey } from './units-of-work.ts';

/** How the results of a run become an answer. Both take the run over and close it. */
export interface ResultForm {
  /** May leave results behind a cursor or a stream. */
  begin(run: QueryRun): Promise<Answer>;
  /** All results in one answer: inside a transaction nothing may wait behind a cursor. */
  whole(run: QueryRun): Promise<Answer>;
}

/**
 * Runs a query in the transaction of the header, or on its own; one that modifies is remembered
 * under the request's Idempotency-Key.
 */
export async function runQuery(
  exchange: Exchange,
  query: QueryRequest,
  raw: Uint8Array,
  form: ResultForm,
): Promise<Answer> {
  const { database, transactions, idempotency } = exchange.services;
  const id = exchange.header('x-themis-transaction');
  if (id !== undefined) {
    refuseIdempotencyKey(exchange);
    return transactions.use(exchange, id, async (transaction) =>
      form.whole(await database.queries.execute({ ...query, transaction })),
    );
  }
  if (exchange.header('idempotency-key') !== undefined && mayModify(query.text)) {
    return idempotency.run(exchange, raw, (remember) => runOnce(exchange, query, form, remember));
  }
  if (mayModify(query.text)) exchange.checkDeadline();
  const run = await database.queries.execute(query);
  exchange.hasOnlyRead = run.commitTimestamp === undefined || run.stats.writesExecuted === 0;
  return form.begin(run);
}

/** Pages and cursors, or NDJSON, as the request's Accept header wants it. */
export function pagesOrStream(exchange: Exchange): ResultForm {
  return negotiate(exchange.header('accept'), [jsonType, ndjsonType]) === jsonType
    ? pages(exchange)
    : lines(exchange);
}

function pages(exchange: Exchange): ResultForm {
  return {
    begin: async (run) =>
      pageAnswer(await exchange.services.cursors.start(run, exchange.namespace)),
    whole: async (run) => pageAnswer({ run, rows: await run.all(), cursor: undefined }),
  };
}

function lines(exchange: Exchange): ResultForm {
  return {
    async begin(run) {
      const stream = streamRun(exchange, run);
      return { status: 200, contentType: ndjsonType, headers: tokenOf(run), stream };
    },
    async whole(run) {
      let body = '';
      for await (const piece of streamRun(exchange, run)) body += piece;
      return { status: 200, contentType: ndjsonType, body };
    },
  };
}

/** In one transaction with the memory of its answer, so all results must be there before the commit. */
async function runOnce(
  exchange: Exchange,
  query: QueryRequest,
  form: ResultForm,
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
      const answer = await form.whole(run);
      if (run.modifies) remember?.(transaction, answer);
      const provisional = formatTimestamp(transaction.provisionalVersion);
      return { answer, provisional, modifies: run.modifies };
    },
  );
  const { answer, provisional, modifies } = result;
  if (!modifies) {
    exchange.hasOnlyRead = true;
    return answer;
  }
  const token = formatTimestamp(timestamp);
  return {
    ...answer,
    body: answer.body!.replaceAll(provisional, token),
    headers: { ...answer.headers, 'x-themis-token': token },
  };
}
