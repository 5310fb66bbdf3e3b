import { hasCode, type Env } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { RaftTransport } from './contract.ts';
import { IncomingSnapshot } from './incoming-snapshot.ts';
import type { ReplicaLog } from './replica-log.ts';

const pauseMs = 500;

/**
 * Gets the state of a replica whose engine is damaged or gone, while its log and its votes are whole: from
 * any peer, before the replica takes part in anything. A state that ends before the log begins is no
 * use; one that ends behind the log replaces it.
 */
export async function fetchState(parts: {
  readonly env: Env;
  readonly log: ReplicaLog;
  readonly shard: number;
  readonly transport: RaftTransport;
  readonly peers: readonly number[];
  readonly signal: AbortSignal;
}): Promise<void> {
  const { env, log, shard, transport, peers, signal } = parts;
  if (peers.length === 0)
    throw themisError('DATA_CORRUPT', { message: 'the only copy of the data is damaged' });
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const from = peers[attempt % peers.length]!;
    try {
      const incoming = new IncomingSnapshot(env, { shard, id: undefined });
      const { index, term, confState } = await incoming.fetch(transport, from, signal);
      if (index >= log.cache.before.index) {
        await log.saveState({ installing: { index, term, confState, file: incoming.file } });
        return;
      }
    } catch (error) {
      if (hasCode(error, 'STORE_FAILED', 'DISK_IO')) throw error;
      env.log.write('warn', 'a peer did not give its state', { from, error: String(error) });
    }
    await env.timers.sleep(pauseMs, signal);
  }
}
