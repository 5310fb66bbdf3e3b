import { themisError } from '@themisdb/protocol';
import { mustBeLoopback } from './loopback.ts';
import { isAddress } from './peers.ts';
import type { ClusterConfig } from './server-config.ts';

/** What no single setting can tell. CONFIG_INVALID, UNSAFE_BIND. */
export function checkCluster(
  cluster: ClusterConfig,
  sources: Readonly<Record<string, string>> = {},
): void {
  if (cluster.node === 0) return mustBeUnused(sources);
  const { listen, electionMs, heartbeatMs, tickMs, leaseMs } = cluster;
  if (!isAddress(listen)) {
    throw refused('cluster.listen', sources, 'a node of a cluster needs an address host:port here');
  }
  mustBeLoopback('cluster.listen', hostOf(listen), sources['cluster.listen']);
  if (cluster.peers.every(({ id }) => id === cluster.node) && !cluster.join) {
    throw refused('cluster.peers', sources, 'it names no other node');
  }
  if (heartbeatMs < tickMs) {
    throw refused('cluster.heartbeatMs', sources, 'it must not be below cluster.tickMs');
  }
  if (electionMs < 2 * heartbeatMs) {
    throw refused('cluster.electionMs', sources, 'it must be twice cluster.heartbeatMs or more');
  }
  if (leaseMs >= electionMs) {
    throw refused('cluster.leaseMs', sources, 'it must be below cluster.electionMs');
  }
}

/** A cluster that was set up without a number for this node would quietly be a node alone. */
function mustBeUnused(sources: Readonly<Record<string, string>>): void {
  for (const [name, source] of Object.entries(sources)) {
    if (!name.startsWith('cluster.') || name === 'cluster.node' || source === 'default') continue;
    throw refused(name, sources, 'cluster.node is needed with it: which node is this, from 1?');
  }
}

export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function refused(name: string, sources: Readonly<Record<string, string>>, why: string): Error {
  const source = sources[name];
  const from = source === undefined || source === 'default' ? '' : ` (${source})`;
  return themisError('CONFIG_INVALID', {
    message: `${name}${from}: ${why}`,
    ...(source === undefined ? {} : { details: { source } }),
  });
}
