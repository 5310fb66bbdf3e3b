import type { Env } from '@themisdb/base';
import type { Replica, ReplicaStatus } from '@themisdb/replication';
import { markDamaged } from '../database/damaged-state.ts';

/** Exit code of a node whose replica has stopped; EX_IOERR of sysexits. */
export const failedReplicaExitCode = 74;

/**
 * A node whose replica has stopped is of no use to anyone, and its peers go on without it: the process
 * ends, to be started again by whatever runs it. Where the engine was found damaged it leaves a mark, so
 * that the next start fetches the state from a peer.
 */
export function endWhenReplicaFails(
  replica: Replica,
  env: Pick<Env, 'disk' | 'log'>,
  end: (status: ReplicaStatus) => void,
): void {
  let isTold = false;
  const tell = (status: ReplicaStatus): void => {
    if (status.role !== 'failed' || isTold) return;
    isTold = true;
    const isDamage = status.failureCode === 'DATA_CORRUPT';
    const marked = isDamage ? markDamaged(env.disk) : Promise.resolve();
    marked
      .catch((error: unknown) => {
        env.log.write('error', 'the damage could not be marked', { error: String(error) });
      })
      .finally(() => {
        env.log.write('error', 'the replica has stopped: the process ends', {
          reason: status.failure,
          willRebuild: isDamage,
        });
        end(status);
      });
  };
  replica.onRoleChange(tell);
  // It may have stopped while the rest was being opened.
  tell(replica.status());
}

export function exitForFailedReplica(): never {
  process.exit(failedReplicaExitCode);
}
