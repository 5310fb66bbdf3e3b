import type { ReplicaStatus } from '@themisdb/replication';
import { expect, test } from 'vitest';
import type { DatabaseParts } from '../database/database.ts';
import { ServerMetrics } from './metrics.ts';

const status: ReplicaStatus = {
  shard: 1,
  nodeId: 2,
  role: 'follower',
  term: 7,
  leader: 3,
  commitIndex: 41,
  appliedIndex: 38,
  lastIndex: 45,
  firstIndex: 11,
  members: [1, 2, 3].map((id) => ({ id, isVoter: true })),
  failure: undefined,
  failureCode: undefined,
};

/** What a server writes of its replica. */
function metricsOf(given: ReplicaStatus): Record<string, number> {
  const metrics = new ServerMetrics();
  const stats = { commits: 0, conflicts: 0, appliedIndex: 0, flushedIndex: 0 };
  const counts = { bytes: 0, syncs: 0, records: 0, gets: 0, scans: 0, operations: 0 };
  const database = {
    store: { stats: () => stats },
    queries: { running: () => [] },
    stats: { wal: () => counts, engine: () => counts },
    replica: { status: () => given },
  } as unknown as DatabaseParts;
  const none = { count: 0 };
  metrics.watch({ database, cluster: undefined, cursors: none, transactions: none, startedMs: 0 });
  const lines = metrics.registry.text().matchAll(/^themis_raft_(\w+) (\S+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

test('a follower tells how far it is, and how far behind what is committed', () => {
  expect(metricsOf(status)).toEqual({
    is_leader: 0,
    has_leader: 1,
    term: 7,
    commit_index: 41,
    applied_index: 38,
    last_index: 45,
    lag_entries: 3,
    members: 3,
  });
});

test('one that leads says so; one that has applied all, or knows of no leader, too', () => {
  expect(metricsOf({ ...status, role: 'leader', leader: 2 })).toMatchObject({
    is_leader: 1,
    has_leader: 1,
  });
  expect(metricsOf({ ...status, leader: undefined, appliedIndex: 41 })).toMatchObject({
    is_leader: 0,
    has_leader: 0,
    lag_entries: 0,
  });
});
