import { hasCode, type Env } from '@themisdb/base';
import type { Store, Timestamp, Transaction, TransactionOptions } from '@themisdb/storage';

export interface Transact {
  readonly options?: TransactionOptions | undefined;
  /** Runs of the work before WRITE_CONFLICT is passed on. */
  readonly attemptsMax: number;
  /** Throws when it is too late to go on; asked before each attempt and each commit. */
  readonly check?: (() => void) | undefined;
}

export const attemptsDefault = 10;
const firstDelayMs = 1;
const longestDelayMs = 100;

/**
 * Runs `work` in a transaction and commits it; after a WRITE_CONFLICT again, after a random pause
 * that grows (full jitter), so that two that met do not meet again. Any other error rolls back.
 */
export async function transact<Result>(
  store: Store,
  env: Pick<Env, 'timers' | 'random'>,
  { options, attemptsMax, check }: Transact,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<{ readonly result: Result; readonly timestamp: Timestamp }> {
  for (let attempt = 1; ; attempt++) {
    check?.();
    const transaction = store.begin(options);
    try {
      const result = await work(transaction);
      check?.();
      return { result, timestamp: await transaction.commit() };
    } catch (error) {
      transaction.rollback();
      if (attempt >= attemptsMax || !hasCode(error, 'WRITE_CONFLICT')) throw error;
      const most = Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
      await env.timers.sleep(env.random.float() * most);
    }
  }
}
