import { basename, join, resolve } from 'node:path';
import { sleep } from '../clients/worker.ts';
import { findEvidence } from '../damage/evidence.ts';
import { chooseBit, turnBack, turnOver } from '../damage/flip.ts';
import { logOf, type Damage } from '../damage/ledger.ts';
import type { FaultKind, Scene } from './kind.ts';
import { randomNode, restart } from './processes.ts';

/**
 * A bit that turned over while a node was down. The node may refuse to start, then another one takes
 * its place; or mend itself from its peers. The one thing it must not do is answer wrongly, which the
 * check after each round would see. Only where no majority is left to repair from, the bit is turned
 * back, so that the run goes on.
 */
export const damageFaults: readonly FaultKind[] = [
  flip('flip-log', 'in a segment of the log', 'SIGKILL', 'log', '.wal'),
  flip('flip-sst', 'in a table of the state', 'SIGTERM', 'state', '.sst'),
];

const damages = new WeakMap<Scene, Damage>();
const nodesToReplaceOne = 3;
const lookMs = 60_000;

function flip(
  name: string,
  where: string,
  signal: NodeJS.Signals,
  part: string,
  ending: string,
): FaultKind {
  return {
    name,
    summary: `a bit ${where} of a random node turns over while it is down`,
    holdMs: 1000,
    isSupervised: true,
    strike: async (scene) => {
      const victim = chooseVictim(scene);
      scene.victims.add(victim);
      const node = scene.cluster.nodes[victim]!;
      node.signal(signal);
      await node.untilEnd();
      const found = chooseBit(scene.prng, join(node.dataFolder, part), ending);
      if (found === undefined) scene.note(`there is no file *${ending} yet`);
      else {
        damages.set(scene, scene.damage.add(found, node.logPath));
        turnOver(found);
      }
      node.start();
    },
    heal: async (scene) => {
      const [victim] = scene.victims;
      const damage = damages.get(scene);
      if (damage === undefined) return;
      const isWell = await readAll(scene, victim!);
      damage.evidence = findEvidence(logOf(damage), damage.flip);
      const { path, offset } = damage.flip;
      const noticed = wordsOf(damage) ?? 'not noticed; whether it mattered, the checks tell';
      scene.note(`bit turned in ${placeOf(path)} at ${offset}: ${noticed}`);
      if (!isWell) await repair(scene, victim!, damage);
    },
  };
}

/**
 * A random node, but one in which a flip waits to be noticed stays the victim: with damage in every
 * copy there would be none to repair from.
 */
function chooseVictim(scene: Scene): number {
  const { cluster, damage } = scene;
  const latent = cluster.nodes.findIndex(({ logPath }) => damage.isLatentAt(logPath));
  return latent < 0 ? randomNode(scene) : latent;
}

async function repair(scene: Scene, victim: number, damage: Damage): Promise<void> {
  const { cluster } = scene;
  const node = cluster.nodes[victim]!;
  if (cluster.isDown(node)) damage.evidence ??= 'refused-unnamed';
  if (cluster.nodes.length < nodesToReplaceOne) {
    await node.kill();
    turnBack(damage.flip);
    damage.repair = 'turned-back';
    return restart(scene);
  }
  if (!cluster.isDown(node)) throw new Error('the damaged node neither ended nor got ready');
  const start = performance.now();
  const { id, by } = await cluster.replace(victim);
  damage.repair = 'replaced';
  const tookMs = Math.round(performance.now() - start);
  scene.note(`node ${by} took the place of node ${id} within ${tookMs} ms`);
}

/** `node2/000012.sst`. */
function placeOf(path: string): string {
  return `${basename(resolve(path, '../../..'))}/${basename(path)}`;
}

/** The line of the server that tells of it. */
function wordsOf(damage: Damage): string | undefined {
  const lines = logOf(damage).split('\n');
  return lines.find((line) => findEvidence(line, damage.flip) !== undefined)?.slice(0, 300);
}

/** Reads all documents at the node, once it is ready. False when it is down, or does not get so far. */
async function readAll({ cluster }: Scene, victim: number): Promise<boolean> {
  const node = cluster.nodes[victim]!;
  const end = performance.now() + lookMs;
  while (!cluster.isDown(node) && performance.now() < end) {
    try {
      await node.untilReady({ timeoutMs: 5000 });
      for (const name of await collectionsAt(node.url)) await scanAt(node.url, name);
      return true;
    } catch {
      // It may find the damage now, end, and mend itself at the next start.
      await sleep(100);
    }
  }
  return false;
}

async function scanAt(url: string, collection: string): Promise<void> {
  const answer = await fetch(`${url}/query/aql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: wholeScan(collection) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** A count alone would not read the documents. */
function wholeScan(collection: string): string {
  return `FOR d IN ${collection} FILTER LENGTH(TO_STRING(d)) > 0 COLLECT WITH COUNT INTO n RETURN n`;
}

async function collectionsAt(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/collections`);
  const { collections } = (await answer.json()) as { collections: { name: string }[] };
  return collections.map(({ name }) => name);
}
