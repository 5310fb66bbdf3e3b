import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, type Disk } from '@themisdb/base';
import type { ReplicaStatus } from '@themisdb/replication';
import { freePorts } from '@themisdb/testing/server-process';
import { makeConfig, type ConfigInput } from '../config/config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { makeNodeEnv } from '../env/index.ts';
import { startServer, type RunningServer } from '../server.ts';
import { CuttableNetwork } from './cuttable-network.ts';
import { testClient, type TestClient } from './test-server.ts';

/** One node of a cluster in this process. `running` is undefined while it is down. */
export interface TestNode extends TestClient {
  readonly id: number;
  /** Between it and the others. */
  readonly network: CuttableNetwork;
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

export interface TestClusterOptions {
  /** What a node writes to, in the place of the real disk. */
  readonly diskOf?: (id: number, real: Disk) => Disk;
}

/** Real servers with in-memory engines, connected over loopback. Node n + 1 stands at index n. */
export class TestCluster {
  readonly nodes: TestNode[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'themis-cluster-'));
  readonly #flags: ConfigInput['flags'];
  readonly #options: TestClusterOptions;
  readonly #peerPorts = new Map<TestNode, number>();

  private constructor(flags: ConfigInput['flags'], options: TestClusterOptions) {
    this.#flags = flags;
    this.#options = options;
  }

  static async start(
    count = 3,
    flags: ConfigInput['flags'] = {},
    options: TestClusterOptions = {},
  ): Promise<TestCluster> {
    const cluster = new TestCluster(flags, options);
    for (let n = 0; n < count; n++) await cluster.#addNode();
    await Promise.all(cluster.nodes.map((node) => cluster.startNode(node)));
    await Promise.all(cluster.nodes.map((node) => cluster.untilReady(node)));
    return cluster;
  }

  async #addNode(): Promise<TestNode> {
    const [port, peerPort] = (await freePorts(2)) as [number, number];
    const client = testClient(`http://127.0.0.1:${port}`);
    const network = new CuttableNetwork();
    const id = this.nodes.length + 1;
    const node: TestNode = { ...client, id, network, running: undefined, failed: undefined };
    this.nodes.push(node);
    this.#peerPorts.set(node, peerPort);
    return node;
  }

  /** One more, that knows the others and waits to be added. They do not know it yet. */
  async startNewNode(): Promise<TestNode> {
    const node = await this.#addNode();
    await this.startNode(node, { 'cluster-join': true });
    return node;
  }

  /** As if their configuration files were changed and read anew. */
  async reloadPeers(nodes: readonly TestNode[]): Promise<void> {
    for (const node of nodes) node.running?.reload(this.#config(node, nodes));
    await Promise.all(nodes.map((node) => this.#untilConnected(node, nodes.length - 1)));
  }

  async startNode(node: TestNode, flags: ConfigInput['flags'] = {}): Promise<void> {
    const config = this.#config(node, this.nodes, flags);
    mkdirSync(config.data, { recursive: true });
    const real = makeNodeEnv({ dataRoot: config.data, log: silentLog });
    const env = { ...real, disk: this.#options.diskOf?.(node.id, real.disk) ?? real.disk };
    node.failed = undefined;
    const onReplicaFailed = (status: ReplicaStatus): void => void (node.failed = status);
    node.running = await startServer(config, {
      log: silentLog,
      env,
      network: node.network,
      onReplicaFailed,
    });
  }

  /** Where the node keeps its data. */
  folderOf({ id }: TestNode): string {
    return join(this.#folder, `node${id}`);
  }

  #config(
    node: TestNode,
    peers: readonly TestNode[],
    flags: ConfigInput['flags'] = {},
  ): ServerConfig {
    const list = peers.map(
      (peer) => `${peer.id}=127.0.0.1:${this.#peerPorts.get(peer)}=${peer.url}`,
    );
    return makeConfig({
      port: Number(new URL(node.url).port),
      engine: 'memory',
      data: this.folderOf(node),
      'cluster-node': node.id,
      'cluster-listen': `127.0.0.1:${this.#peerPorts.get(node)}`,
      'cluster-peers': list.join(','),
      ...timing,
      ...this.#flags,
      ...flags,
    });
  }

  async #untilConnected(node: TestNode, count: number): Promise<void> {
    const line = `themis_cluster_peers_up ${count}\n`;
    while (!(await node.send('GET', '/metrics')).text.includes(line)) await sleep(10);
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
