import { hasCode } from '@themisdb/base';
import { themisError, type ChangeBody } from '@themisdb/protocol';
import {
  formatTimestamp,
  type Change,
  type ChangesPage,
  type ChangesRequest,
  type ChangeToken,
} from '@themisdb/storage';
import { currentToken, oldestToken } from '../database/database.ts';
import { awaitFresh } from '../cluster/placement.ts';
import type { Exchange } from './exchange.ts';

export type ChangesFilter = Omit<ChangesRequest, 'after'>;

/** Without a token a reader starts at the oldest change that is kept, wherever that is. */
export async function firstPage(
  exchange: Exchange,
  request: ChangesFilter,
  after: string | undefined,
): Promise<ChangesPage> {
  const { store } = exchange.services.database;
  const token = tokenOf(exchange, after);
  await mustHaveHappened(exchange, token);
  try {
    return await store.readChanges({ ...request, after: token });
  } catch (error) {
    if (after !== undefined || !hasCode(error, 'CHANGES_TRIMMED')) throw error;
    const oldest = { index: error.details['oldest'] as number, n: 0xffff };
    return store.readChanges({ ...request, after: oldest });
  }
}

function tokenOf(exchange: Exchange, text: string | undefined): ChangeToken {
  if (text === undefined) return oldestToken;
  if (text === 'now') return currentToken(exchange.services.database.store);
  const match = /^(\d{1,15})\.(\d{1,5})$/.exec(text);
  if (match !== null) return { index: Number(match[1]), n: Number(match[2]) };
  throw themisError('INVALID_FIELD', {
    message: 'query field after must be a token of this feed (as 1234.0), or now',
    details: { path: ['after'] },
  });
}

/**
 * A token ahead of the log is another database's: waiting after it would lose what comes before. It may be
 * another node's, too, that is further than this one.
 */
async function mustHaveHappened(exchange: Exchange, { index }: ChangeToken): Promise<void> {
  const { store } = exchange.services.database;
  const isThere = (): boolean => index <= store.stats().appliedIndex;
  if (isThere()) return;
  const { cluster } = exchange.services;
  if (cluster !== undefined) await awaitFresh(cluster, exchange, 'strong');
  if (isThere()) return;
  const { appliedIndex } = store.stats();
  throw themisError('INVALID_FIELD', {
    message: `query field after is ahead of this database, whose last change is in record ${appliedIndex}: was the data folder replaced? Read the data anew, then go on from now`,
    details: { path: ['after'], appliedIndex },
  });
}

export function tokenText({ index, n }: ChangeToken): string {
  return `${index}.${n}`;
}

export function changeBody(change: Change): ChangeBody {
  const { token, timestamp, operation, namespace, collection, urn, document, previousVersion } =
    change;
  return {
    token: tokenText(token),
    timestamp: formatTimestamp(timestamp),
    operation,
    namespace,
    collection,
    ...(urn === undefined ? {} : { urn }),
    ...(document === undefined ? {} : { document }),
    ...(previousVersion === undefined ? {} : { previous_rev: formatTimestamp(previousVersion) }),
  };
}
