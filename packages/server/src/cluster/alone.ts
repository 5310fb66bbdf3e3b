import { themisError } from '@themisdb/protocol';
import { formatTimestamp } from '@themisdb/storage';
import type { Exchange } from '../http/exchange.ts';
import { freshnessOf } from './consistency.ts';

/**
 * A node alone reads strongly in every case; only a value that is wrong, or a token of another database,
 * makes a difference.
 */
export function checkReadMode(exchange: Exchange, inBody?: string): void {
  for (const mode of freshnessOf(exchange, inBody)) {
    if (mode.type !== 'atLeast') continue;
    const { lastCommit } = exchange.services.database.store;
    if (mode.timestamp <= lastCommit) continue;
    throw themisError('INVALID_FIELD', {
      message: `the token ${formatTimestamp(mode.timestamp)} is ahead of this database, whose last commit is ${formatTimestamp(lastCommit)}`,
      details: { token: formatTimestamp(mode.timestamp) },
    });
  }
}
