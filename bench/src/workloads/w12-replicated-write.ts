import { join } from 'node:path';
import { cpuSecondsOf } from '@themisdb/testing/server-process';
import { startEtcd } from '../etcd.ts';
import { buildLoadProgram, runLoad, type LoadOptions } from '../load-program.ts';
import { startThemisCluster } from '../themis-cluster.ts';
import type { ClusterContext, ClusterWorkload, Result } from '../workload.ts';

const size = 256;
const clientCounts = [1, 16, 64];

/**
 * Both sides are loaded by the same program (bench/etcd-load), one after the other: at the leader, and
 * spread over all nodes. etcd is reached by its own gRPC client and by its JSON gateway; the first counts.
 */
export const w12: ClusterWorkload = {
  name: 'W12',
  title: `quorum-durable writes of ${size} bytes, new keys, each acknowledged after the fsync of a majority`,
  async runClusters(context) {
    const reason = buildLoadProgram();
    if (reason !== undefined) {
      console.log(`  skipped: ${reason}`);
      return [];
    }
    return [...(await measureThemis(context)), ...(await measureEtcd(context))];
  },
};

async function measureThemis(context: ClusterContext): Promise<Result[]> {
  const cluster = await startThemisCluster(join(context.folder, 'w12-themis'), context.nodes);
  try {
    const leader = await cluster.leader();
    await cluster.createCollection('w12');
    const hosts = cluster.nodes.map(({ url }) => url.replace('http://', ''));
    return await measure(context, {
      system: 'ThemisDB',
      target: 'themis',
      leader: leader.url.replace('http://', ''),
      all: hosts,
      pids: cluster.nodes.map(({ pid }) => pid!),
    });
  } finally {
    await cluster.stop();
  }
}

async function measureEtcd(context: ClusterContext): Promise<Result[]> {
  const etcd = await startEtcd(join(context.folder, 'w12-etcd'), context.nodes);
  if (etcd === undefined) return [];
  console.log(`  peer: etcd ${etcd.version}, ${context.nodes} members, fsync as it ships (on)`);
  try {
    const side = {
      leader: (await etcd.leader()).endpoint,
      all: etcd.members.map(({ endpoint }) => endpoint),
      pids: etcd.members.map(({ pid }) => pid),
    };
    return [
      ...(await measure(context, { ...side, system: 'etcd', target: 'etcd' })),
      ...(await measure(context, { ...side, system: 'etcd JSON', target: 'gateway' })),
    ];
  } finally {
    await etcd.stop();
  }
}

interface Side {
  readonly system: string;
  readonly target: LoadOptions['target'];
  readonly leader: string;
  readonly all: readonly string[];
  readonly pids: readonly number[];
}

async function measure(context: ClusterContext, side: Side): Promise<Result[]> {
  const results: Result[] = [];
  const places: [string, readonly string[]][] = [['at the leader', [side.leader]]];
  if (context.nodes > 1) places.push(['at all nodes', side.all]);
  for (const [place, endpoints] of places) {
    for (const clients of clientCounts) {
      const before = cpuOf(side.pids);
      const { target } = side;
      const report = await runLoad({ target, endpoints, clients, seconds: context.seconds, size });
      const cpu = cpuOf(side.pids) - before;
      const per1000 = (seconds: number, writes: number): string =>
        ((seconds / writes) * 1000).toFixed(3);
      results.push({
        workload: 'W12',
        system: side.system,
        what: `${context.nodes} node${context.nodes === 1 ? '' : 's'}, ${clients} clients ${place}`,
        value: report.writes / report.seconds,
        unit: 'writes/s',
        p50Ms: report.p50Ms,
        p99Ms: report.p99Ms,
        note: `CPU s per 1,000 writes: servers ${per1000(cpu, report.allWrites)}, client ${per1000(report.clientCpuSeconds, report.writes)}`,
      });
    }
  }
  return results;
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}
