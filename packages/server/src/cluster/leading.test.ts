import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '@themisdb/base';
import type { Replica, ReplicaStatus } from '@themisdb/replication';
import { makeConfig } from '../config/config.ts';
import { makeNodeEnv, nodeNetwork } from '../env/index.ts';
import { Cluster } from './cluster.ts';

let cluster: Cluster;
/** Those who wait until a majority has answered. */
let waiting: (() => void)[];
let change: (status: Partial<ReplicaStatus>) => void;

beforeEach(async () => {
  const config = makeConfig({
    'cluster-node': 1,
    'cluster-listen': '127.0.0.1:0',
    'cluster-peers': '2=127.0.0.1:9=http://127.0.0.1:9',
  });
  cluster = await Cluster.listen({
    config,
    env: makeNodeEnv({ dataRoot: tmpdir(), log: silentLog }),
    network: nodeNetwork,
    run: 'AAAA',
    onDefect: () => {},
  });
  waiting = [];
  let status = { role: 'leader', term: 1, leader: 1 } as ReplicaStatus;
  const listeners: ((status: ReplicaStatus) => void)[] = [];
  change = (next) => {
    status = { ...status, ...next };
    for (const listener of listeners) listener(status);
  };
  const replica = {
    isAlone: false,
    status: () => status,
    awaitReadable: () => new Promise<void>((resolve) => waiting.push(resolve)),
    onRoleChange: (listener: (status: ReplicaStatus) => void) => listeners.push(listener),
  } as unknown as Replica;
  const handle = (): Promise<void> => Promise.resolve();
  cluster.serve({ replica, handle, status: () => null }, 'http://127.0.0.1:1');
  // Of the cluster itself, which wants to know when it has caught up.
  for (const answer of waiting.splice(0)) answer();
});
afterEach(() => cluster.close());

test('the first requests of a term wait until the leader has what was committed before, others do not', async () => {
  let begun = 0;
  const first = cluster.beginLeading({ timeoutMs: 1000 }).then(() => begun++);
  await Promise.resolve();
  expect([begun, waiting.length]).toEqual([0, 1]);
  waiting.pop()!();
  await first;
  expect(await cluster.beginLeading({ timeoutMs: 1000 })).toBe(1);
  expect(waiting).toEqual([]);
  change({ term: 3 });
  const again = cluster.beginLeading({ timeoutMs: 1000 });
  expect(waiting).toHaveLength(1);
  waiting.pop()!();
  expect(await again).toBe(3);
});

test('one that leads no more, or leads anew, proves nothing', async () => {
  const begin = cluster.beginLeading({ timeoutMs: 1000 });
  change({ role: 'follower', leader: 2, term: 2 });
  waiting.pop()!();
  await expect(begin).rejects.toMatchObject({ code: 'NOT_LEADER', details: { leader: 2 } });
  const confirm = cluster.confirmLeading(1, { timeoutMs: 1000 });
  change({ role: 'leader', leader: 1, term: 3 });
  waiting.pop()!();
  await expect(confirm).rejects.toMatchObject({ code: 'NOT_LEADER' });
});
