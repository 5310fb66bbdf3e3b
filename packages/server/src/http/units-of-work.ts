import { themisError } from '@themisdb/protocol';
import { formatTimestamp, type Transaction } from '@themisdb/storage';
import { attemptsDefault, transact } from '../database/transact.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import type { IdempotencyKey } from './idempotency.ts';

/**
 * What a write found and did, as an answer; `rev` stands where the version of what was written will:
 * provisional while the transaction is open, then final.
 */
export type Written = (rev: string) => Answer;

/** Runs `work` in the transaction of the header, or on a snapshot of its own. */
export async function read<Result>(
  exchange: Exchange,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  const { database, transactions } = exchange.services;
  const id = exchange.header('x-themis-transaction');
  if (id !== undefined) return transactions.use(exchange, id, work);
  const transaction = database.store.begin({ readOnly: true });
  try {
    return await work(transaction);
  } finally {
    transaction.rollback();
  }
}

/**
 * Runs `work` in the transaction of the header, or in one of its own that is committed, repeated on
 * conflict, and remembered under the request's Idempotency-Key. The answer of a committed write
 * carries X-Themis-Token. Writes that give the same `turn` wait for each other: those of one entity
 * would otherwise only conflict, and the more of them the longer.
 */
export async function write(
  exchange: Exchange,
  raw: Uint8Array,
  work: (transaction: Transaction) => Promise<Written>,
  turn?: string,
): Promise<Answer> {
  const { transactions, idempotency, turns } = exchange.services;
  const id = exchange.header('x-themis-transaction');
  if (id !== undefined) {
    refuseIdempotencyKey(exchange);
    return transactions.use(exchange, id, async (transaction) => {
      const written = await work(transaction);
      return written(formatTimestamp(transaction.provisionalVersion));
    });
  }
  return idempotency.runChecking(exchange, raw, async (key) => {
    const leave = turn === undefined ? undefined : await turns.enter(turn, exchange);
    try {
      return await committed(exchange, work, key);
    } finally {
      leave?.();
    }
  });
}

async function committed(
  exchange: Exchange,
  work: (transaction: Transaction) => Promise<Written>,
  key: IdempotencyKey | undefined,
): Promise<Answer> {
  const { database } = exchange.services;
  const check = (): void => exchange.checkDeadline();
  const { result, timestamp } = await transact(
    database.store,
    database.env,
    { attemptsMax: attemptsDefault, check },
    async (transaction) => {
      const written = await unlessCarriedOut(key, transaction, work(transaction));
      key?.remember(transaction, written(formatTimestamp(transaction.provisionalVersion)));
      exchange.hasOnlyRead = transaction.writes === 0 && key === undefined;
      return written;
    },
  );
  const rev = formatTimestamp(timestamp);
  const answer = result(rev);
  return { ...answer, headers: { ...answer.headers, 'x-themis-token': rev } };
}

/**
 * The answer is looked for beside the work: both read the same snapshot, in one round. When there is
 * one it counts, however the work ended.
 */
async function unlessCarriedOut<Result>(
  key: IdempotencyKey | undefined,
  transaction: Transaction,
  work: Promise<Result>,
): Promise<Result> {
  if (key === undefined) return work;
  const [checked, done] = await Promise.allSettled([key.check(transaction), work]);
  if (checked.status === 'rejected') throw checked.reason;
  if (done.status === 'rejected') throw done.reason;
  return done.value;
}

export function refuseIdempotencyKey(exchange: Exchange): void {
  if (exchange.header('idempotency-key') === undefined) return;
  throw themisError('BAD_REQUEST', {
    message:
      'Idempotency-Key is not for requests inside a transaction: give it to POST /transaction/commit',
    details: { header: 'Idempotency-Key' },
  });
}

/** For what cannot be part of a transaction: the catalog. */
export function refuseTransaction(exchange: Exchange): void {
  if (exchange.header('x-themis-transaction') === undefined) return;
  throw themisError('NOT_IMPLEMENTED', {
    message: 'collections and indexes cannot be changed inside a transaction',
  });
}
