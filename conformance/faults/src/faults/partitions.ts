import type { FaultKind, Scene } from './kind.ts';
import { randomNode } from './processes.ts';

/** The network between nodes; clients reach all of them all the time. */
export const partitionFaults: readonly FaultKind[] = [
  partition('partition-leader', 'the leader is cut off from the others', {
    isFailover: true,
    cut: ({ cluster, leader }) => cluster.network.isolate(leader),
  }),
  partition('partition-follower', 'a node that does not lead is cut off', {
    cut: (scene) => scene.cluster.network.isolate(follower(scene)),
  }),
  partition('partition-majority', 'nobody reaches anybody: there is no majority', {
    cut: ({ cluster }) => cluster.network.cutAll(),
  }),
  partition('partition-leader-mute', 'the leader hears the others, they do not hear it', {
    isFailover: true,
    cut: ({ cluster, leader }) => cluster.network.cutOutgoing(leader),
  }),
  partition('partition-leader-deaf', 'the others hear the leader, it does not hear them', {
    isFailover: true,
    cut: ({ cluster, leader }) => cluster.network.cutIncoming(leader),
  }),
  partition('partition-one-link', 'one random direction between two nodes is cut', {
    cut: (scene) => {
      const from = randomNode(scene);
      const others = scene.cluster.nodes.length - 1;
      const to = (from + 1 + scene.prng.below(others)) % scene.cluster.nodes.length;
      scene.cluster.network.cut(from, to);
    },
  }),
  partition('delay', 'every message between nodes takes 20 to 100 ms longer', {
    cut: ({ cluster, prng }) => cluster.network.delayAll(prng.between(20, 100)),
  }),
];

function partition(
  name: string,
  summary: string,
  { cut, isFailover }: { readonly cut: (scene: Scene) => void; readonly isFailover?: true },
): FaultKind {
  return {
    name,
    summary: `${summary}, for 4 s`,
    holdMs: 4000,
    nodesMin: 3,
    ...(isFailover === undefined ? {} : { isFailover }),
    strike: async (scene) => cut(scene),
    heal: async ({ cluster }) => cluster.network.heal(),
  };
}

function follower({ cluster, leader, prng }: Scene): number {
  return (leader + 1 + prng.below(cluster.nodes.length - 1)) % cluster.nodes.length;
}
