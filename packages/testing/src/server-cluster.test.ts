import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findLeader, makeServerCluster, ServerCluster } from './server-cluster.ts';
import { cpuSecondsOf, freePorts } from './server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-cluster-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Config {
  readonly port: number;
  readonly cluster?: {
    readonly node: number;
    readonly join?: boolean;
    readonly listen: string;
    readonly peers: readonly { readonly id: number; readonly address: string; url: string }[];
  };
}

function configOf(name: string, node: number): Config {
  return JSON.parse(readFileSync(join(folder, name, `node${node}`, 'node.json'), 'utf8')) as Config;
}

test('each node finds the others by the links it was given, and itself without one', async () => {
  let peerPorts: readonly number[] = [];
  const nodes = await makeServerCluster({
    folder: join(folder, 'three'),
    nodes: 3,
    openLinks: async (ports) => {
      peerPorts = ports;
      return {
        portOf: (from, to) => 10 * (from + 1) + to + 1,
        replace: () => Promise.reject(new Error('nobody is replaced')),
      };
    },
  });
  const { cluster } = configOf('three', 2);
  expect(cluster).toMatchObject({ node: 2, listen: `127.0.0.1:${peerPorts[1]}` });
  expect(cluster!.peers).toEqual([
    { id: 1, address: '127.0.0.1:21', url: nodes[0]!.url },
    { id: 2, address: `127.0.0.1:${peerPorts[1]}`, url: nodes[1]!.url },
    { id: 3, address: '127.0.0.1:23', url: nodes[2]!.url },
  ]);
  expect(await findLeader(nodes)).toBeUndefined();
});

test('a node that takes the place of another has a new number, and the others are told', async () => {
  let replaced: readonly [node: number, peerPort: number] | undefined;
  const cluster = await ServerCluster.make({
    folder: join(folder, 'replaced'),
    nodes: 3,
    openLinks: async () => ({
      portOf: (from, to) => (to === replaced?.[0] ? 90 : 10 * (from + 1)) + to + 1,
      replace: async (...what) => void (replaced = what),
    }),
  });
  const gone = cluster.nodes[2]!;
  await cluster.replace(2);
  const { url } = cluster.nodes[2]!;
  expect(url).not.toBe(gone.url);
  expect(cluster.idOf(2)).toBe(4);
  const comes = configOf('replaced', 4).cluster!;
  expect(comes).toMatchObject({ node: 4, join: true, listen: `127.0.0.1:${replaced![1]}` });
  expect(comes.peers.map(({ id, address }) => [id, address])).toEqual([
    [1, '127.0.0.1:31'],
    [2, '127.0.0.1:32'],
    [4, comes.listen],
  ]);
  const other = configOf('replaced', 1).cluster!;
  expect(other).not.toHaveProperty('join');
  expect(other.peers.map(({ id }) => id)).toEqual([1, 2, 4]);
  expect(other.peers[2]).toEqual({ id: 4, address: '127.0.0.1:93', url });

  cluster.settle(2);
  expect(configOf('replaced', 4).cluster).toEqual({ ...comes, join: undefined });
  // Numbers are never used twice.
  await cluster.replace(2);
  expect(cluster.idOf(2)).toBe(5);
});

test('a single server has no peers', async () => {
  await makeServerCluster({ folder: join(folder, 'one'), nodes: 1 });
  expect(configOf('one', 1)).not.toHaveProperty('cluster');
});

test('ports are free and differ', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
});

test.skipIf(process.platform !== 'linux')('processor time is read from the system', () => {
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(0);
});
