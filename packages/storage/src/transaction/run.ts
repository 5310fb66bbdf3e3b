import { hasCode, type Env } from '@themisdb/base';
import type { Store } from '../contract/store.ts';
import type { Transaction, TransactionOptions } from '../contract/transaction.ts';

export interface RunOptions extends TransactionOptions {
  readonly env: Env;
  /** Attempts in all. Default 10. */
  readonly attemptsMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const firstDelayMs = 1;
const delayMsMax = 100;

/**
 * Runs `body` in a transaction and commits it; runs both again on WRITE_CONFLICT, after a random delay
 * that doubles from 1 ms to 100 ms. `body` must have no effect but through the transaction. Rejects
 * with the last conflict when the attempts are used up, and with anything else at once.
 */
export async function runTransaction<T>(
  store: Store,
  options: RunOptions,
  body: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { env, attemptsMax = 10, signal, ...begin } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const transaction = store.begin(begin);
    try {
      const result = await body(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      transaction.rollback();
      if (!hasCode(error, 'WRITE_CONFLICT') || attempt >= attemptsMax) throw error;
      const delayMs = Math.min(delayMsMax, firstDelayMs * 2 ** (attempt - 1));
      await env.timers.sleep(delayMs * env.random.float(), signal);
    }
  }
}
