import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { themisError, type ErrorCode } from '@themisdb/protocol';
import type { Store, Transaction } from '@themisdb/storage';
import { makeFakeTime } from '../testing/fake-time.ts';
import { Transactions, type TransactionUser } from './transactions.ts';

const user: TransactionUser = { namespace: 'default', wait: (turn) => turn };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'themis-transactions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** One transaction, whose commit ends like this. */
function begin(end: Error): { transactions: Transactions; id: string } {
  const transaction = { commit: () => Promise.reject(end), rollback: () => undefined };
  const store = { begin: () => transaction as unknown as Transaction } as unknown as Store;
  const transactions = new Transactions({
    env: makeFakeTime(folder).env,
    store,
    openMax: 1,
    idleMs: 1000,
    lifeMs: 1000,
    makeId: () => 'one',
  });
  return { transactions, id: transactions.begin('default', {}, undefined).id };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: unknown }) => error.code,
  );

test.each(['UNKNOWN_OUTCOME', 'STORE_FAILED'] as const)(
  'a commit that ended with %s may have had its effect, and says so ever after',
  async (code) => {
    const { transactions, id } = begin(themisError(code, { message: 'm' }));
    expect(await codeOf(transactions.commit(user, id))).toBe(code);
    expect(transactions.find(id, 'default').state).toBe('unknown');
    const later = [
      transactions.commit(user, id),
      transactions.rollback(user, id),
      transactions.use(user, id, () => Promise.resolve()),
    ];
    for (const each of later) expect(await codeOf(each)).toBe('UNKNOWN_OUTCOME');
  },
);

test('so may one that ended by a defect', async () => {
  const { transactions, id } = begin(new Error('a defect'));
  await codeOf(transactions.commit(user, id));
  expect(transactions.find(id, 'default').state).toBe('unknown');
});

test.each([
  ['WRITE_CONFLICT', 'WRITE_CONFLICT', 'rolled-back'],
  ['DISK_FULL', 'DISK_FULL', 'rolled-back'],
  ['NOT_LEADER', 'TRANSACTION_LOST', 'lost'],
] as const)('a commit refused with %s has had none', async (code: ErrorCode, told, state) => {
  const { transactions, id } = begin(themisError(code, { message: 'm' }));
  expect(await codeOf(transactions.commit(user, id))).toBe(told);
  expect(transactions.find(id, 'default').state).toBe(state);
});
