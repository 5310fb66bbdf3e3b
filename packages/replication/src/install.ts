import { assert, hasCode, type Env } from '@themisdb/base';
import type { StateMachine } from '@themisdb/storage';
import { readSnapshotFile, removeSnapshotFiles } from './incoming-snapshot.ts';
import type { ReplicaLog } from './replica-log.ts';

const retryMs = 200;

/**
 * Puts a fetched snapshot in the place of state and log. The log names it as being installed before the
 * first key of the old state goes, and until the last of the new one is durable: whatever happens in
 * between, the same is done again at the next start, from the same file.
 */
export async function finishInstall(parts: {
  readonly env: Pick<Env, 'disk' | 'log' | 'timers'>;
  readonly log: ReplicaLog;
  readonly machine: StateMachine;
  readonly shard: number;
  /** Of a snapshot that was fetched meanwhile. */
  readonly keep?: string | undefined;
  /** Ends the wait for space. */
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const { env, log, machine, shard, keep, signal } = parts;
  const pending = log.state.installing;
  if (pending === undefined) return;
  for (;;) {
    try {
      await machine.install(readSnapshotFile(env.disk, pending.file));
      break;
    } catch (error) {
      // Half a state is there, and the whole one in the file: as with the log, space is waited for.
      if (!hasCode(error, 'DISK_FULL') || log.isGivenUp) throw error;
      env.log.write('warn', 'the engine has no space left for a snapshot; trying again', { shard });
      await env.timers.sleep(retryMs, signal);
    }
  }
  const { index, term } = machine.applied;
  assert(index === pending.index && term === pending.term, 'a snapshot is of the place it names');
  await log.startFrom({ index, term });
  await log.saveState({ installing: undefined });
  await removeSnapshotFiles(env.disk, shard, keep);
  env.log.write('info', 'a snapshot was installed', { shard, index, term });
}
