import { join } from 'node:path';
import { startEtcd, type Etcd } from '../etcd.ts';
import { measureFailover, type FailoverSystem } from '../failover.ts';
import { percentile } from '../percentiles.ts';
import { startThemisCluster, type ThemisCluster } from '../themis-cluster.ts';
import type { ClusterContext, ClusterWorkload, Result } from '../workload.ts';

const clients = 16;
const value = 'v'.repeat(256);

/** Both sides over HTTP: etcd by its JSON gateway, with its settings as they ship. */
export const w13: ClusterWorkload = {
  name: 'W13',
  title: `time to the next acknowledged write after kill -9 of the leader, ${clients} clients`,
  async runClusters(context) {
    if (context.nodes < 3) {
      console.log('  skipped: failover needs three nodes');
      return [];
    }
    return [...(await measureThemis(context)), ...(await measureEtcd(context))];
  },
};

async function measureThemis(context: ClusterContext): Promise<Result[]> {
  const cluster = await startThemisCluster(join(context.folder, 'w13-themis'), context.nodes);
  try {
    await cluster.createCollection('w13');
    return await measure('ThemisDB', themisSystem(cluster), context);
  } finally {
    await cluster.stop();
  }
}

async function measureEtcd(context: ClusterContext): Promise<Result[]> {
  const etcd = await startEtcd(join(context.folder, 'w13-etcd'), context.nodes);
  if (etcd === undefined) return [];
  try {
    return await measure('etcd', etcdSystem(etcd), context);
  } finally {
    await etcd.stop();
  }
}

async function measure(
  system: string,
  under: FailoverSystem,
  { rounds }: ClusterContext,
): Promise<Result[]> {
  const options = { rounds, clients, attemptTimeoutMs: 1000, restMs: 2000 };
  const { failoverMs, firstMs, acknowledged, lost } = await measureFailover(under, options);
  const note = `${rounds} kills, ${acknowledged} acknowledged writes, ${lost} lost`;
  const result = (what: string, times: readonly number[]): Result => ({
    workload: 'W13',
    system,
    what,
    value: percentile(times, 100),
    unit: 'ms max',
    p50Ms: percentile(times, 50),
    p99Ms: percentile(times, 99),
    note,
  });
  return [result('each client', failoverMs), result('the first client', firstMs)];
}

function themisSystem({ nodes, leader }: ThemisCluster): FailoverSystem {
  return {
    nodes: nodes.length,
    put: (node, key, signal) =>
      succeeds(`${nodes[node]!.url}/entity/w13%2F${key}`, 'PUT', { value }, signal),
    leader: async () => nodes.indexOf(await leader()),
    kill: (node) => nodes[node]!.kill(),
    restart: async (node) => {
      nodes[node]!.start();
      await nodes[node]!.untilReady();
    },
    keys: async () => {
      const body = {
        query: 'FOR d IN w13 RETURN d._key',
        options: { batchSize: 100_000 },
      };
      const keys = new Set<string>();
      const { url } = nodes[0]!;
      let page = await post<Page>(`${url}/query/aql`, body);
      for (;;) {
        for (const key of page.results) keys.add(key);
        if (page.cursor === undefined) return keys;
        page = (await (await fetch(`${url}/cursor/${page.cursor}`)).json()) as Page;
      }
    },
  };
}

interface Page {
  readonly results: readonly string[];
  readonly cursor?: string;
}

function etcdSystem({ members, leader }: Etcd): FailoverSystem {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    nodes: members.length,
    put: (node, key, signal) => {
      const body = { key: encode(key), value: encode(value) };
      return succeeds(`http://${members[node]!.endpoint}/v3/kv/put`, 'POST', body, signal);
    },
    leader: async () => members.indexOf(await leader()),
    kill: (node) => members[node]!.end('SIGKILL'),
    restart: async (node) => {
      members[node]!.restart();
      await members[node]!.untilHealthy();
    },
    keys: async () => {
      // A zero byte as the end of the range, and as its beginning: all keys.
      const all = { key: 'AA==', range_end: 'AA==', keys_only: true };
      const { kvs } = await post<{ kvs: { key: string }[] }>(
        `http://${members[0]!.endpoint}/v3/kv/range`,
        all,
      );
      return new Set(kvs.map(({ key }) => Buffer.from(key, 'base64').toString()));
    },
  };
}

async function succeeds(
  url: string,
  method: string,
  body: object,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      method,
      signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    // Refused, broken off or timed out: the client tries elsewhere.
    return false;
  }
}

async function post<Body>(url: string, body: object): Promise<Body> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}
