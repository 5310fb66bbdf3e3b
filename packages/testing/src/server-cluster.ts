import { join } from 'node:path';
import { freePorts, ServerProcess, type ConfigRest } from './server-process.ts';

export interface ServerClusterOptions {
  readonly folder: string;
  /** 1 is a single server, which needs no peers. */
  readonly nodes: number;
  readonly config?: ConfigRest;
  readonly variablesOf?: (node: number) => Readonly<Record<string, string>>;
  /** Flags of Node, for each node. */
  readonly nodeFlagsOf?: (node: number) => readonly string[];
  /** Stands something between the nodes. */
  readonly openLinks?: (peerPorts: readonly number[]) => Promise<Links>;
}

/** What stands between nodes that do not reach each other directly. */
export interface Links {
  /** The port at which node `from` reaches node `to`. */
  portOf(from: number, to: number): number;
  /** Another process takes the place of `node`, and listens at `peerPort`; all its links are new. */
  replace(node: number, peerPort: number): Promise<void>;
}

interface Member {
  readonly id: number;
  readonly httpPort: number;
  readonly peerPort: number;
}

/**
 * The processes of one cluster on this machine, not started yet; node n + 1 stands at index n, until
 * another takes its place. The only class outside the server that knows how a cluster is written down
 * in configuration files.
 */
export class ServerCluster {
  readonly nodes: ServerProcess[] = [];
  readonly #options: ServerClusterOptions;
  readonly #members: Member[];
  readonly #links: Links | undefined;
  #idMax: number;

  private constructor(options: ServerClusterOptions, members: Member[], links: Links | undefined) {
    this.#options = options;
    this.#members = members;
    this.#links = links;
    this.#idMax = members.length;
    for (const n of members.keys()) this.nodes.push(this.#makeProcess(n));
  }

  static async make(options: ServerClusterOptions): Promise<ServerCluster> {
    const { nodes, openLinks } = options;
    const ports = await freePorts(2 * nodes);
    const members = Array.from({ length: nodes }, (_, n) => ({
      id: n + 1,
      httpPort: ports[n]!,
      peerPort: ports[nodes + n]!,
    }));
    const links = await openLinks?.(members.map(({ peerPort }) => peerPort));
    return new ServerCluster(options, members, links);
  }

  idOf(n: number): number {
    return this.#members[n]!.id;
  }

  /**
   * Puts a node of a new number, with an empty folder and told to join, in the place of one that is gone
   * for good, and names it in the files of the others. These read them on SIGHUP; the new one is not
   * started, and no member yet.
   */
  async replace(n: number): Promise<void> {
    if (this.nodes.length === 1) throw new Error('a single server has no cluster to join');
    if (this.nodes[n]!.isRunning) throw new Error(`the server at ${this.nodes[n]!.url} still runs`);
    const [httpPort, peerPort] = (await freePorts(2)) as [number, number];
    await this.#links?.replace(n, peerPort);
    this.#members[n] = { id: ++this.#idMax, httpPort, peerPort };
    this.nodes[n] = this.#makeProcess(n, { join: true });
    this.nodes.forEach((node, other) => {
      if (other !== n) node.configure(this.#configOf(other));
    });
  }

  /** It is a member now: its file does not tell it to join any more. */
  settle(n: number): void {
    this.nodes[n]!.configure(this.#configOf(n));
  }

  #makeProcess(n: number, membership: { readonly join?: true } = {}): ServerProcess {
    const { folder, variablesOf, nodeFlagsOf } = this.#options;
    const { id, httpPort } = this.#members[n]!;
    return new ServerProcess({
      folder: join(folder, `node${id}`),
      port: httpPort,
      config: this.#configOf(n, membership),
      variables: variablesOf?.(n) ?? {},
      nodeFlags: nodeFlagsOf?.(n) ?? [],
    });
  }

  #configOf(n: number, membership: { readonly join?: true } = {}): ConfigRest {
    const { config } = this.#options;
    if (this.#members.length === 1) return { ...config };
    const { id, peerPort } = this.#members[n]!;
    const peers = this.#members.map((peer, to) => ({
      id: peer.id,
      address: `127.0.0.1:${to === n ? peerPort : (this.#links?.portOf(n, to) ?? peer.peerPort)}`,
      url: `http://127.0.0.1:${peer.httpPort}`,
    }));
    const cluster = { node: id, ...membership, listen: `127.0.0.1:${peerPort}`, peers };
    return { cluster, ...config };
  }
}

export async function makeServerCluster(options: ServerClusterOptions): Promise<ServerProcess[]> {
  return (await ServerCluster.make(options)).nodes;
}

/**
 * The index of the node that says it leads, of several the one of the highest term; undefined when none
 * does. Each node is asked for itself.
 */
export async function findLeader(nodes: readonly ServerProcess[]): Promise<number | undefined> {
  if (nodes.length === 1) return nodes[0]!.isRunning ? 0 : undefined;
  const views = await Promise.all(nodes.map(viewOf));
  let found: number | undefined;
  views.forEach((view, n) => {
    if (view?.isLeader !== true) return;
    if (found === undefined || view.term > views[found]!.term) found = n;
  });
  return found;
}

interface View {
  readonly isLeader: boolean;
  readonly term: number;
}

async function viewOf(node: ServerProcess): Promise<View | undefined> {
  if (!node.isRunning) return undefined;
  try {
    const signal = AbortSignal.timeout(1000);
    const text = await (await fetch(`${node.url}/metrics`, { signal })).text();
    const metric = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
    return { isLeader: metric('themis_raft_is_leader') === 1, term: metric('themis_raft_term') };
  } catch {
    // Paused, or not listening yet.
    return undefined;
  }
}
