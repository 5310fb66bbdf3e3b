import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { silentLog } from '@themisdb/base';
import type { Replica, ReplicaStatus } from '@themisdb/replication';
import { makeNodeEnv } from '../env/index.ts';
import { endWhenReplicaFails } from './failed-replica.ts';

const env = makeNodeEnv({ dataRoot: tmpdir(), log: silentLog });
const statusOf = (role: string): ReplicaStatus => ({ role, failure: 'why' }) as ReplicaStatus;

test.each([true, false])(
  'a replica that stops is told once, also when it did before anyone listened: %s',
  async (stoppedBefore) => {
    let status = statusOf(stoppedBefore ? 'failed' : 'follower');
    const listeners: ((status: ReplicaStatus) => void)[] = [];
    const replica = {
      status: () => status,
      onRoleChange: (listener: (status: ReplicaStatus) => void) => listeners.push(listener),
    } as unknown as Replica;
    const told: string[] = [];
    const ended = new Promise<void>((resolve) => {
      endWhenReplicaFails(replica, env, ({ role }) => {
        told.push(role);
        resolve();
      });
    });
    if (!stoppedBefore) for (const listener of listeners) listener(status);
    expect(told).toEqual([]);
    status = statusOf('failed');
    if (!stoppedBefore) for (const listener of listeners) listener(status);
    await ended;
    for (const listener of listeners) listener(status);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['failed']);
  },
);
