import { themisError } from '@themisdb/protocol';
import { formatTimestamp } from '@themisdb/storage';
import type { Exchange } from '../http/exchange.ts';
import { readModeOf } from './consistency.ts';

/**
 * A node alone reads strongly in every case; only a value that is wrong, or a token of another database,
 * makes a difference.
 */
export function checkReadMode(exchange: Exchange, inBody?: string): void {
  const text = inBody ?? exchange.header('x-themis-consistency');
  if (text === undefined) return;
  const mode = readModeOf(text, inBody === undefined ? 'header' : 'body');
  if (mode.type !== 'atLeast') return;
  const { lastCommit } = exchange.services.database.store;
  if (mode.timestamp <= lastCommit) return;
  const what = inBody === undefined ? 'X-Themis-Consistency' : 'body field consistency';
  throw themisError('INVALID_FIELD', {
    message: `${what}: the token is ahead of this database, whose last commit is ${formatTimestamp(lastCommit)}`,
    details: inBody === undefined ? { header: what } : { path: ['consistency'] },
  });
}
