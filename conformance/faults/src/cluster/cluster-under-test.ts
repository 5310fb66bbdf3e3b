import { findLeader, makeServerCluster } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';
import { sleep } from '../clients/worker.ts';
import { Network } from '../network/network.ts';

export interface ClusterOptions {
  readonly folder: string;
  readonly nodes: number;
  /** For the process of one node. */
  readonly variablesOf?: (node: number) => Readonly<Record<string, string>>;
}

/** Server processes on loopback with a network between them that can be cut. Nodes count from 0. */
export class ClusterUnderTest {
  readonly nodes: readonly ServerProcess[];
  readonly network: Network;

  private constructor(nodes: readonly ServerProcess[], network: Network) {
    this.nodes = nodes;
    this.network = network;
  }

  static async make({ folder, nodes, variablesOf }: ClusterOptions): Promise<ClusterUnderTest> {
    let network: Network | undefined;
    const processes = await makeServerCluster({
      folder,
      nodes,
      ...(variablesOf === undefined ? {} : { variablesOf }),
      openLinks: async (peerPorts) => {
        const opened = await Network.open(peerPorts);
        network = opened;
        return (from, to) => opened.portOf(from, to);
      },
    });
    return new ClusterUnderTest(processes, network!);
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    await this.untilHealthy();
  }

  /** Every node ready, and one of them leading. */
  async untilHealthy(timeoutMs = 60_000): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.untilReady({ timeoutMs })));
    const end = performance.now() + timeoutMs;
    while ((await this.leader()) === undefined) {
      if (performance.now() > end) throw new Error(`no leader within ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  /** The node that says it leads. */
  leader(): Promise<number | undefined> {
    return findLeader(this.nodes);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        node.signal('SIGCONT');
        node.signal('SIGTERM');
        await Promise.race([node.untilEnd(), sleep(20_000)]);
        if (node.isRunning) await node.kill();
      }),
    );
    await this.network.close();
  }

  /** At once, for when something went wrong. */
  async abandon(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.network.close();
  }
}
