import type { History } from './history-events.ts';
import { checkLinearizability } from './linearizability.ts';
import type { IsolationLevel } from './list-append/anomaly.ts';
import { checkTransactions } from './list-append/check-transactions.ts';
import { registerModel } from './register.ts';

export interface CheckedHistory {
  /** The worse of both parts; `unknown` is no good verdict. */
  readonly type: 'good' | 'violation' | 'unknown';
  /** A paragraph for each part that is there. */
  readonly text: string;
}

/** Checks registers for linearizability, and transactions at `level`. */
export function checkHistory(
  { operations, transactions }: History,
  { level, stepsMax }: { level: IsolationLevel; stepsMax?: number },
): CheckedHistory {
  const types = new Set<string>();
  const texts: string[] = [];
  if (operations.length > 0) {
    const options = stepsMax === undefined ? {} : { stepsMax };
    const verdict = checkLinearizability(registerModel, operations, options);
    types.add(verdict.type);
    texts.push(`registers: ${verdict.text}`);
  }
  if (transactions.length > 0) {
    const verdict = checkTransactions(transactions, level);
    types.add(verdict.type);
    texts.push(`transactions: ${verdict.text}`);
  }
  // Nothing was seen, so nothing was shown to be right.
  if (texts.length === 0) return { type: 'unknown', text: 'no verdict: the history is empty' };
  const type = types.has('violation') ? 'violation' : types.has('unknown') ? 'unknown' : 'good';
  return { type, text: texts.join('\n') };
}
