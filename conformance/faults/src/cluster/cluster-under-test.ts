import { findLeader, ServerCluster } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';
import { sleep } from '../clients/worker.ts';
import { Network } from '../network/network.ts';
import { replaceMember, type Replacement } from './membership.ts';

export interface ClusterOptions {
  readonly folder: string;
  readonly nodes: number;
  /** For the process of one node. */
  readonly variablesOf?: (node: number) => Readonly<Record<string, string>>;
  /** Starts nodes again whose replica has stopped, as whatever runs a server does. */
  readonly isSupervised?: boolean;
}

/** Of a node that ends because its replica has stopped: started again, it may mend itself. */
const failedReplicaExitCode = 74;
const superviseMs = 200;

/**
 * Server processes on loopback with a network between them that can be cut. Nodes count from 0; another
 * process may take the place of a node, and is that node from then on.
 */
export class ClusterUnderTest {
  /** The same list all along, for clients that hold it. */
  readonly urls: string[];
  readonly network: Network;
  readonly #servers: ServerCluster;
  readonly #isSupervised: boolean;
  #supervisor: NodeJS.Timeout | undefined;

  private constructor(servers: ServerCluster, network: Network, isSupervised: boolean) {
    this.#servers = servers;
    this.network = network;
    this.#isSupervised = isSupervised;
    this.urls = this.nodes.map(({ url }) => url);
  }

  static async make(options: ClusterOptions): Promise<ClusterUnderTest> {
    const { folder, nodes, variablesOf, isSupervised = false } = options;
    let network: Network | undefined;
    const servers = await ServerCluster.make({
      folder,
      nodes,
      ...(variablesOf === undefined ? {} : { variablesOf }),
      openLinks: async (peerPorts) => (network = await Network.open(peerPorts)),
    });
    return new ClusterUnderTest(servers, network!, isSupervised);
  }

  get nodes(): readonly ServerProcess[] {
    return this.#servers.nodes;
  }

  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    if (this.#isSupervised) {
      this.#supervisor = setInterval(() => this.#startFailed(), superviseMs);
    }
    await this.untilHealthy();
  }

  /** Every node ready, and one of them leading. */
  async untilHealthy(timeoutMs = 60_000): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.#untilReady(node, timeoutMs)));
    const end = performance.now() + timeoutMs;
    while ((await this.leader()) === undefined) {
      if (performance.now() > end) throw new Error(`no leader within ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  /** It does not run, and will not unless somebody does something. */
  isDown(node: ServerProcess): boolean {
    return !node.isRunning && !this.#isToBeStarted(node);
  }

  /** The node that says it leads. */
  leader(): Promise<number | undefined> {
    return findLeader(this.nodes);
  }

  /**
   * A new server, with a new number and an empty folder, takes the place of one that does not run and
   * will not again: the steps of docs/how-to/replace-a-node.md, while the others serve.
   */
  async replace(node: number): Promise<Replacement> {
    const id = this.#servers.idOf(node);
    await this.#servers.replace(node);
    const by = this.#servers.idOf(node);
    const comes = this.nodes[node]!;
    const others = this.nodes.filter((other) => other !== comes);
    for (const other of others) other.signal('SIGHUP');
    comes.start();
    await comes.untilReady({ path: '/livez' });
    this.urls[node] = comes.url;
    await replaceMember(
      others.map(({ url }) => url),
      { id, by },
    );
    await comes.untilReady();
    this.#servers.settle(node);
    return { id, by };
  }

  async stop(): Promise<void> {
    clearInterval(this.#supervisor);
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
    clearInterval(this.#supervisor);
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.network.close();
  }

  async #untilReady(node: ServerProcess, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      try {
        return await node.untilReady({ timeoutMs: Math.max(0, end - performance.now()) });
      } catch (error) {
        if (this.isDown(node) || performance.now() > end) throw error;
        await sleep(20);
      }
    }
  }

  #isToBeStarted(node: ServerProcess): boolean {
    return this.#isSupervised && node.exitCode === failedReplicaExitCode;
  }

  #startFailed(): void {
    for (const node of this.nodes) if (this.#isToBeStarted(node)) node.start();
  }
}
