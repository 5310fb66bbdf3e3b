import type { FaultKind, Scene } from './kind.ts';

/** Processes that die, and processes that stand still. */
export const processFaults: readonly FaultKind[] = [
  {
    name: 'kill-leader',
    summary: 'SIGKILL of the leader, started again after 2 s',
    holdMs: 2000,
    isFailover: true,
    strike: (scene) => kill(scene, [scene.leader]),
    heal: restart,
  },
  {
    name: 'kill-random',
    summary: 'SIGKILL of a random node, started again after 1 s',
    holdMs: 1000,
    strike: (scene) => kill(scene, [randomNode(scene)]),
    heal: restart,
  },
  {
    name: 'kill-all',
    summary: 'SIGKILL of all nodes at once',
    holdMs: 200,
    strike: (scene) => kill(scene, scene.cluster.nodes.keys()),
    heal: restart,
  },
  {
    name: 'pause-leader',
    summary: 'SIGSTOP of the leader for 4 s, longer than an election takes',
    holdMs: 4000,
    isFailover: true,
    strike: (scene) => signal(scene, scene.leader, 'SIGSTOP'),
    heal: wake,
  },
  {
    name: 'pause-random',
    summary: 'SIGSTOP of a random node for 2 s',
    holdMs: 2000,
    strike: (scene) => signal(scene, randomNode(scene), 'SIGSTOP'),
    heal: wake,
  },
  {
    name: 'stop-leader',
    summary: 'SIGTERM of the leader: a planned stop hands its role over first',
    holdMs: 2000,
    isFailover: true,
    strike: (scene) => signal(scene, scene.leader, 'SIGTERM'),
    heal: async (scene) => {
      await scene.cluster.nodes[scene.leader]!.untilEnd();
      await restart(scene);
    },
  },
];

export function randomNode({ cluster, prng }: Scene): number {
  return prng.below(cluster.nodes.length);
}

export async function kill({ cluster }: Scene, nodes: Iterable<number>): Promise<void> {
  for (const node of nodes) cluster.nodes[node]!.signal('SIGKILL');
}

/** Starts whatever does not run. */
export async function restart({ cluster }: Scene): Promise<void> {
  for (const node of cluster.nodes) {
    if (node.isRunning && node.wasKilled) await node.untilEnd();
    if (!node.isRunning) node.start();
  }
}

async function signal({ cluster }: Scene, node: number, name: NodeJS.Signals): Promise<void> {
  cluster.nodes[node]!.signal(name);
}

async function wake({ cluster }: Scene): Promise<void> {
  for (const node of cluster.nodes) node.signal('SIGCONT');
}
