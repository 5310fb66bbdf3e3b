import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../clients/worker.ts';
import { reasonNoCompiler } from '../native.ts';
import { cutPower, mountPath, prepareImages, reasonNoImages, remountImage } from './images.ts';
import type { FaultKind, Scene } from './kind.ts';
import { kill, randomNode, restart } from './processes.ts';
import { EIO, ENOSPC, LIE, prepareShim, setShim, type ShimState } from './shim.ts';

const imageMiB = 1024;

/** Disks that fail, fill up, or lose their power. */
export const diskFaults: readonly FaultKind[] = [
  failing('eio-sync', 'fdatasync and fsync of a random node fail with EIO', { syncErrno: EIO }),
  failing('enospc-sync', 'fdatasync and fsync of a random node fail with ENOSPC', {
    syncErrno: ENOSPC,
  }),
  failing('eio-sync-some', 'one of ten syncs of a random node fails with EIO', {
    syncErrno: EIO,
    share: 10,
  }),
  failing('enospc-write', 'writes of a random node fail with ENOSPC', { writeErrno: ENOSPC }),
  {
    name: 'disk-full',
    summary: 'the file system of a random node is full for 3 s',
    holdMs: 3000,
    // What is allocated ahead lasts for a while.
    padBytes: 20_000,
    reasonToSkip: reasonNoImages,
    prepare: (folder, nodes) => prepareImages(folder, nodes, imageMiB),
    strike: async (scene) => fill(scene, randomNode(scene)),
    heal: async (scene) => {
      for (const node of scene.cluster.nodes.keys()) {
        rmSync(ballastPath(scene.folder, node), { force: true });
      }
      noteStopped(scene);
      await restart(scene);
    },
  },
  powerCut('power-cut-random', 'a random node loses its power', (scene) => [randomNode(scene)]),
  powerCut('power-cut-leader', 'the leader loses its power', ({ leader }) => [leader]),
  powerCut('power-cut-all', 'all nodes lose their power at once', ({ cluster }) =>
    cluster.nodes.keys(),
  ),
  {
    ...powerCut(
      'planted-lying-sync',
      'all power is lost, and every fsync before was a lie',
      () => [],
    ),
    isPlanted: true,
    prepare: async (folder, nodes) => {
      const images = await prepareImages(folder, nodes, imageMiB);
      return { ...images, variablesOf: prepareShim(folder, nodes) };
    },
    strike: async (scene) => {
      const nodes = [...scene.cluster.nodes.keys()];
      for (const node of nodes) setShim(scene.folder, node, { syncErrno: LIE });
      await sleep(1500);
      cutPowerOf(scene, nodes);
      for (const node of nodes) setShim(scene.folder, node, {});
    },
  },
];

function failing(name: string, summary: string, state: ShimState): FaultKind {
  return {
    name,
    summary: `${summary}, for 3 s; then it is killed and started again`,
    holdMs: 3000,
    reasonToSkip: reasonNoCompiler,
    prepare: async (folder, nodes) => ({
      variablesOf: prepareShim(folder, nodes),
      undo: async () => undefined,
    }),
    strike: async (scene) => {
      const node = randomNode(scene);
      scene.victims.add(node);
      setShim(scene.folder, node, state);
    },
    heal: async (scene) => {
      noteStopped(scene);
      // What the system still holds of a file whose sync failed is uncertain: only a restart tells.
      for (const node of scene.cluster.nodes.keys()) {
        if (scene.victims.has(node)) await kill(scene, [node]);
        setShim(scene.folder, node, {});
      }
      await restart(scene);
    },
  };
}

function powerCut(
  name: string,
  summary: string,
  choose: (scene: Scene) => Iterable<number>,
): FaultKind {
  return {
    name,
    summary: `${summary}; what no fsync covered is lost`,
    holdMs: 500,
    reasonToSkip: reasonNoImages,
    prepare: (folder, nodes) => prepareImages(folder, nodes, imageMiB),
    strike: async (scene) => cutPowerOf(scene, choose(scene)),
    heal: async (scene) => {
      for (const node of scene.victims) {
        await scene.cluster.nodes[node]!.untilEnd();
        await remountImage(scene.folder, node);
      }
      await restart(scene);
    },
  };
}

function cutPowerOf(scene: Scene, nodes: Iterable<number>): void {
  for (const node of nodes) scene.victims.add(node);
  cutPower(scene.folder, scene.victims);
  for (const node of scene.victims) scene.cluster.nodes[node]!.signal('SIGKILL');
}

/** A file that takes all the space there is. */
function fill(scene: Scene, node: number): void {
  const { bavail, bsize } = statfsSync(mountPath(scene.folder, node));
  const bytes = String(bavail * bsize - 64 * 1024);
  execFileSync('fallocate', ['-l', bytes, ballastPath(scene.folder, node)]);
}

function ballastPath(folder: string, node: number): string {
  return join(mountPath(folder, node), 'ballast');
}

/** Whether nodes stopped by themselves is worth knowing: some errors leave no other way. */
function noteStopped(scene: Scene): void {
  scene.cluster.nodes.forEach((node, n) => {
    if (node.isRunning) return;
    scene.note(
      `node ${n + 1} stopped by itself (exit code ${node.exitCode}): ${lastLine(node.log)}`,
    );
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
