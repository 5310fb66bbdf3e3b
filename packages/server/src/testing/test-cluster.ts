import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@themisdb/base';
import type { ReplicaStatus } from '@themisdb/replication';
import { freePorts } from '@themisdb/testing/server-process';
import type { ConfigInput } from '../config/config.ts';
import { makeConfig } from '../config/config.ts';
import { makeNodeEnv } from '../env/index.ts';
import { startServer, type RunningServer } from '../server.ts';
import { testClient, type TestClient } from './test-server.ts';

/** One node of a cluster in this process. `running` is undefined while it is down. */
export interface TestNode extends TestClient {
  readonly id: number;
  running: RunningServer | undefined;
  /** What its replica said when it stopped for good; a process would have ended. */
  failed: ReplicaStatus | undefined;
}

/**
 * An election takes a second. Much shorter, and a process of three nodes on a busy machine would have
 * them all the time: a loop that stands still for so long gives leadership away.
 */
const timing = {
  'cluster-tick-ms': '20',
  'cluster-heartbeat-ms': '60',
  'cluster-election-ms': '1000',
};

/** Real servers with in-memory engines, connected over loopback. Node n + 1 stands at index n. */
export class TestCluster {
  readonly nodes: TestNode[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'themis-cluster-'));
  readonly #flags: ConfigInput['flags'];
  readonly #peerPorts: readonly number[];
  readonly #first: number;
  #peers: string;

  private constructor(ports: readonly number[], first: number, flags: ConfigInput['flags']) {
    const count = ports.length / 2;
    this.#flags = flags;
    this.#first = first;
    this.#peerPorts = ports.slice(count);
    const urls = ports.slice(0, count).map((port) => `http://127.0.0.1:${port}`);
    this.#peers = urls
      .map((url, n) => `${n + 1}=127.0.0.1:${this.#peerPorts[n]}=${url}`)
      .slice(0, first)
      .join(',');
    for (const [n, url] of urls.entries()) {
      this.nodes.push({ ...testClient(url), id: n + 1, running: undefined, failed: undefined });
    }
  }

  /** Of `nodes`, those beyond `first` know the others but are no members, and are not started. */
  static async start(
    nodes = 3,
    flags: ConfigInput['flags'] = {},
    first: number = nodes,
  ): Promise<TestCluster> {
    const cluster = new TestCluster(await freePorts(2 * nodes), first, flags);
    await Promise.all(cluster.nodes.slice(0, first).map((node) => cluster.startNode(node)));
    await Promise.all(cluster.nodes.slice(0, first).map((node) => cluster.untilReady(node)));
    return cluster;
  }

  async startNode(node: TestNode, flags: ConfigInput['flags'] = {}): Promise<void> {
    const folder = this.folderOf(node);
    mkdirSync(folder, { recursive: true });
    const config = makeConfig({
      port: Number(new URL(node.url).port),
      engine: 'memory',
      data: folder,
      'cluster-node': node.id,
      'cluster-listen': `127.0.0.1:${this.#peerPorts[node.id - 1]}`,
      'cluster-peers': this.#peers,
      'cluster-join': node.id > this.#first,
      ...timing,
      ...this.#flags,
      ...flags,
    });
    const env = makeNodeEnv({ dataRoot: folder, log: silentLog });
    node.failed = undefined;
    const onReplicaFailed = (status: ReplicaStatus): void => void (node.failed = status);
    node.running = await startServer(config, { log: silentLog, env, onReplicaFailed });
  }

  /** Where the node keeps its data. */
  folderOf({ id }: TestNode): string {
    return join(this.#folder, `node${id}`);
  }

  async untilReady(node: TestNode): Promise<void> {
    while ((await node.send('GET', '/readyz')).status !== 200) await sleep(10);
  }

  async stopNode(node: TestNode): Promise<void> {
    const { running } = node;
    node.running = undefined;
    await running?.stop({ graceMs: 1000 });
  }

  /** The node that leads, as the others see it too. */
  async leader(): Promise<TestNode> {
    for (;;) {
      for (const node of this.nodes) {
        if (node.running === undefined) continue;
        const { headers } = await node.send('GET', '/livez');
        const leader = this.nodes.find(({ url }) => url === headers['x-themis-leader']);
        if (leader?.running !== undefined) return leader;
      }
      await sleep(10);
    }
  }

  async followers(): Promise<TestNode[]> {
    const leader = await this.leader();
    return this.nodes.filter((node) => node !== leader && node.running !== undefined);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.stopNode(node)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
