import { themisError, tryUuid } from '@themisdb/protocol';
import { loadTokenHash } from '@themisdb/sharding';
import { targetOfReference } from '../database/target.ts';
import type { Exchange } from './exchange.ts';

export interface ShardOfKey {
  readonly shard_id: string;
  /** Place on the ring: 16 hexadecimal digits. */
  readonly token: string;
  readonly uuid: string;
}

/** One node is one shard, and owns every token. */
const onlyShard = 'shard-001';

/**
 * Where an entity lives. The key is a uuid, a URN, or `collection/key`; the entity need not exist,
 * but its collection must. INVALID_KEY for any other text, and the errors of references.
 */
export async function shardOfKey(exchange: Exchange, key: string): Promise<ShardOfKey> {
  const uuid = tryUuid(key) ?? uuidOfReference(exchange, key);
  const hash = await loadTokenHash();
  return { shard_id: onlyShard, token: hash(uuid).toString(16).padStart(16, '0'), uuid };
}

function uuidOfReference(exchange: Exchange, key: string): string {
  if (!/[/:]/.test(key)) {
    throw themisError('INVALID_KEY', {
      message: `${JSON.stringify(key.slice(0, 100))} is no shard key: a uuid, a URN or collection/key is wanted`,
    });
  }
  const { store } = exchange.services.database;
  return targetOfReference(store.catalog(), exchange.namespace, key).uuid;
}
