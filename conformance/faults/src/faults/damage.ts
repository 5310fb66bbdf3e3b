import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from '@themisdb/testing/server-process';
import { sleep } from '../clients/worker.ts';
import type { FaultKind, Scene } from './kind.ts';
import { randomNode, restart } from './processes.ts';

/**
 * A bit that turned over while a node was down. The node may refuse to start, refuse to answer, or
 * repair itself from its peers; the one thing it must not do is answer wrongly, which the check after
 * each round would see. In the first two cases the bit is turned back, so that the run goes on.
 */
export const damageFaults: readonly FaultKind[] = [
  flip('flip-log', 'in a segment of the log', 'SIGKILL', 'log', '.wal'),
  flip('flip-sst', 'in a table of the state', 'SIGTERM', 'state', '.sst'),
];

interface Flip {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
  /** What the byte holds since. */
  readonly damaged: number;
}

const flips = new WeakMap<Scene, Flip>();

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
    strike: async (scene) => {
      const victim = randomNode(scene);
      scene.victims.add(victim);
      const node = scene.cluster.nodes[victim]!;
      node.signal(signal);
      await node.untilEnd();
      const found = chooseBit(scene, join(node.dataFolder, part), ending);
      if (found === undefined) scene.note(`there is no file *${ending} yet`);
      else {
        write(found, found.damaged);
        flips.set(scene, found);
      }
      node.start();
    },
    heal: async (scene) => {
      const [victim] = scene.victims;
      const node = scene.cluster.nodes[victim!]!;
      const found = flips.get(scene);
      if (found === undefined) return;
      const { path, offset } = found;
      const result = await lookAt(node);
      scene.note(`bit turned in ${path.split('/').at(-1)} at ${offset}: ${result.text}`);
      // A node with peers has to live on with what it holds; one without cannot repair itself.
      if (result.isWell && scene.cluster.nodes.length > 1) return;
      if (node.isRunning) await node.kill();
      turnBack(found);
      await restart(scene);
    },
  };
}

/** Any bit of the used part of a random file. */
function chooseBit({ prng }: Scene, folder: string, ending: string): Flip | undefined {
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (names.length === 0) return undefined;
  const path = join(folder, prng.pick(names.sort()));
  const bytes = readFileSync(path);
  let used = bytes.length;
  while (used > 1 && bytes[used - 1] === 0) used--;
  const offset = prng.below(used);
  const bit = prng.below(8);
  return { path, offset, bit, damaged: bytes[offset]! ^ (1 << bit) };
}

/** Unless the file was merged into others meanwhile, or the byte written anew. */
function turnBack(flip: Flip): void {
  const { path, offset, bit, damaged } = flip;
  if (existsSync(path) && readFileSync(path)[offset] === damaged) write(flip, damaged ^ (1 << bit));
}

function write({ path, offset }: Flip, byte: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Uint8Array.of(byte), 0, 1, offset);
  closeSync(file);
}

async function lookAt(
  node: ServerProcess,
): Promise<{ readonly isWell: boolean; readonly text: string }> {
  const marks = /[^\n]*(corrupt|checksum|damage|quarantin)[^\n]*/i;
  const line = (): string => (marks.exec(node.log)?.[0] ?? '').slice(0, 300);
  try {
    await node.untilReady({ timeoutMs: 30_000 });
    await sleep(500);
    for (const name of await collectionsAt(node.url)) await scanAt(node.url, name);
  } catch (error) {
    const how = node.isRunning ? `error when read, ${String(error).slice(0, 300)}` : 'it stopped';
    return { isWell: false, text: `noticed, ${how}: ${line()}` };
  }
  if (line() !== '') return { isWell: true, text: `noticed and went on: ${line()}` };
  return { isWell: true, text: 'not noticed; whether it mattered, the checks tell' };
}

async function scanAt(url: string, collection: string): Promise<void> {
  const answer = await fetch(`${url}/query/aql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `FOR d IN ${collection} COLLECT WITH COUNT INTO n RETURN n` }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function collectionsAt(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/collections`);
  const { collections } = (await answer.json()) as { collections: { name: string }[] };
  return collections.map(({ name }) => name);
}
