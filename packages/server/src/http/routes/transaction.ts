import { themisError, type TransactionAnswer } from '@themisdb/protocol';
import { formatTimestamp } from '@themisdb/storage';
import { z } from 'zod';
import { fresh, leader, type Whereabouts } from '../../cluster/whereabouts.ts';
import { json, type Answer } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { defineRoute, type Route } from '../route.ts';
import type { OpenTransaction } from '../transactions.ts';
import { isolation } from './schemas.ts';

const begin = z
  .strictObject({
    isolation: isolation.optional(),
    read_only: z.boolean().optional(),
    timeout_ms: z.int().min(1).optional().meta({
      description: 'Idle time after which it is rolled back; at most the server setting.',
    }),
  })
  .meta({ id: 'TransactionBegin' });

const named = z
  .strictObject({ id: z.string().optional() })
  .meta({ id: 'TransactionEnd', description: 'The id, unless X-Themis-Transaction gives it.' });

const answer = z
  .object({
    id: z.string(),
    state: z.enum(['open', 'committed', 'rolled-back', 'expired', 'lost', 'unknown']).meta({
      description:
        '`unknown`: its commit was begun, and has not ended, or nobody knows how. `lost`: its node led no more; it had no effect.',
    }),
    read_only: z.boolean(),
    read_timestamp: z.string(),
    writes: z.int(),
    expires: z.string().optional(),
    commit_timestamp: z.string().optional(),
  })
  .meta({ id: 'Transaction' });

const place = { tag: 'transactions', permission: 'transaction:use' } as const;

export const transactionRoutes: readonly Route[] = [
  defineRoute({
    ...place,
    method: 'POST',
    path: '/transaction/begin',
    runs: (_, { body }) => (body.read_only === true ? fresh : leader),
    summary: 'Open a transaction.',
    description:
      'Requests join it by the header X-Themis-Transaction and run one after the other. Nothing is visible to others before the commit.',
    body: { schema: begin, isOptional: true },
    answers: { 201: { description: 'Open.', schema: answer } },
    errors: ['TOO_MANY_REQUESTS'],
    handle(exchange, { body }) {
      const { transactions, config } = exchange.services;
      const options = { isolation: body.isolation, readOnly: body.read_only };
      const idleMs = Math.min(body.timeout_ms ?? Infinity, config.limits.transactionIdleMs);
      // Its snapshot has to be the leader's, not that of one who was deposed.
      exchange.hasOnlyRead = true;
      const open = transactions.begin(exchange.namespace, options, idleMs);
      return transactionAnswer(exchange, open, 201);
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/transaction/commit',
    runs: (exchange, { body }) => ownerOf(idOf(exchange, body.id), true),
    summary: 'Commit a transaction: when this answers, its effect is on disk.',
    headers: ['X-Themis-Transaction', 'Idempotency-Key'],
    body: { schema: named, isOptional: true },
    answers: { 200: { description: 'Committed.', schema: answer, headers: ['X-Themis-Token'] } },
    errors: [
      'TRANSACTION_NOT_FOUND',
      'TRANSACTION_ENDED',
      'WRITE_CONFLICT',
      'IDEMPOTENCY_MISMATCH',
    ],
    handle(exchange, { body, raw }) {
      const { transactions, idempotency } = exchange.services;
      const id = idOf(exchange, body.id);
      return idempotency.run(exchange, raw, async (remember) => {
        exchange.checkDeadline();
        const open = await transactions.commit(exchange, id, (transaction, entry) =>
          remember?.(
            transaction,
            committedAnswer(entry, formatTimestamp(transaction.provisionalVersion)),
          ),
        );
        return committedAnswer(open, formatTimestamp(open.commitTimestamp!));
      });
    },
  }),
  defineRoute({
    ...place,
    method: 'POST',
    path: '/transaction/rollback',
    runs: (exchange, { body }) => ownerOf(idOf(exchange, body.id), false),
    summary: 'Roll a transaction back.',
    headers: ['X-Themis-Transaction'],
    body: { schema: named, isOptional: true },
    answers: { 200: { description: 'Rolled back.', schema: answer } },
    errors: ['TRANSACTION_NOT_FOUND', 'TRANSACTION_ENDED'],
    async handle(exchange, { body }) {
      const id = idOf(exchange, body.id);
      const open = await exchange.services.transactions.rollback(exchange, id);
      return transactionAnswer(exchange, open, 200);
    },
  }),
  defineRoute({
    ...place,
    method: 'GET',
    path: '/transaction/{id}',
    runs: (_, { params }) => ownerOf(params['id']!, false),
    summary: 'See how a transaction stands.',
    params: { id: 'Id of the transaction.' },
    answers: { 200: { description: 'Also of one that ended lately.', schema: answer } },
    errors: ['TRANSACTION_NOT_FOUND'],
    handle(exchange, { params }) {
      const open = exchange.services.transactions.find(params['id']!, exchange.namespace);
      return transactionAnswer(exchange, open, 200);
    },
  }),
];

function ownerOf(id: string, commits: boolean): Whereabouts {
  return { type: 'owner', of: 'transaction', id, commits };
}

function idOf(exchange: Exchange, inBody: string | undefined): string {
  const inHeader = exchange.header('x-themis-transaction');
  if (inHeader !== undefined && inBody !== undefined && inHeader !== inBody) {
    throw themisError('INVALID_FIELD', {
      message: 'body field id and the header X-Themis-Transaction name different transactions',
      details: { path: ['id'] },
    });
  }
  const id = inHeader ?? inBody;
  if (id !== undefined) return id;
  throw themisError('INVALID_FIELD', {
    message: 'name the transaction by the header X-Themis-Transaction or the body field id',
    details: { path: ['id'] },
  });
}

function committedAnswer(open: OpenTransaction, rev: string): Answer {
  const body: TransactionAnswer = {
    ...factsOf(open),
    state: 'committed',
    commit_timestamp: rev,
  };
  return json(200, body, { 'x-themis-token': rev });
}

function transactionAnswer(exchange: Exchange, open: OpenTransaction, status: number): Answer {
  const { clock } = exchange.services.env;
  const leftMs = open.expiresMs - clock.monotonicMs();
  const state = open.state === 'open' && open.isCommitting ? 'unknown' : open.state;
  const body: TransactionAnswer = {
    ...factsOf(open),
    state,
    ...(state === 'open' ? { expires: new Date(clock.nowMs() + leftMs).toISOString() } : {}),
    ...(open.commitTimestamp === undefined
      ? {}
      : { commit_timestamp: formatTimestamp(open.commitTimestamp) }),
  };
  return json(status, body);
}

function factsOf({ id, transaction }: OpenTransaction): Omit<TransactionAnswer, 'state'> {
  return {
    id,
    read_only: transaction.readOnly,
    read_timestamp: formatTimestamp(transaction.readTimestamp),
    writes: transaction.writes,
  };
}
