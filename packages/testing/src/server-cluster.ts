import { join } from 'node:path';
import { freePorts, ServerProcess } from './server-process.ts';

export interface ServerClusterOptions {
  readonly folder: string;
  /** 1 is a single server, which needs no peers. */
  readonly nodes: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly variablesOf?: (node: number) => Readonly<Record<string, string>>;
  /** Flags of Node, for each node. */
  readonly nodeFlagsOf?: (node: number) => readonly string[];
  /** Stands something between the nodes: gives the port at which node `from` reaches node `to`. */
  readonly openLinks?: (peerPorts: readonly number[]) => Promise<LinkPort>;
}

export type LinkPort = (from: number, to: number) => number;

/**
 * The processes of one cluster on this machine, not started yet; node n + 1 stands at index n. The
 * only place outside the server that knows how a cluster is written down in configuration files.
 */
export async function makeServerCluster(options: ServerClusterOptions): Promise<ServerProcess[]> {
  const { folder, nodes } = options;
  const ports = await freePorts(2 * nodes);
  const httpPorts = ports.slice(0, nodes);
  const peerPorts = ports.slice(nodes);
  const link = (await options.openLinks?.(peerPorts)) ?? ((_, to) => peerPorts[to]!);
  return httpPorts.map((port, n) => {
    const cluster = nodes === 1 ? {} : clusterConfig(n, httpPorts, peerPorts, link);
    const config = { ...cluster, ...options.config };
    return new ServerProcess({
      folder: join(folder, `node${n + 1}`),
      port,
      config,
      variables: options.variablesOf?.(n) ?? {},
      nodeFlags: options.nodeFlagsOf?.(n) ?? [],
    });
  });
}

function clusterConfig(
  n: number,
  httpPorts: readonly number[],
  peerPorts: readonly number[],
  link: LinkPort,
): Record<string, unknown> {
  const peers = httpPorts.map((port, to) => ({
    id: to + 1,
    address: `127.0.0.1:${to === n ? peerPorts[n] : link(n, to)}`,
    url: `http://127.0.0.1:${port}`,
  }));
  return { cluster: { node: n + 1, listen: `127.0.0.1:${peerPorts[n]}`, peers } };
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
