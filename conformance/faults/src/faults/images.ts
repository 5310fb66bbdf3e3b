import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../clients/worker.ts';
import { buildPowerCut, hasProgram, reasonNoCompiler } from '../native.ts';
import type { Preparation } from './kind.ts';

/** Each node's data on a file system of its own, in an image file: one that can lose its power. */
export function reasonNoImages(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to mount disk images';
  if (!hasProgram('mkfs.ext4')) return 'needs mkfs.ext4 (Debian package e2fsprogs)';
  return reasonNoCompiler();
}

const options = 'lazy_itable_init=0,lazy_journal_init=0';

export async function prepareImages(
  folder: string,
  nodes: number,
  sizeMiB: number,
): Promise<Preparation> {
  for (let node = 0; node < nodes; node++) {
    const image = imagePath(folder, node);
    writeFileSync(image, '');
    truncateSync(image, sizeMiB * 2 ** 20);
    run('mkfs.ext4', '-q', '-F', '-E', options, image);
    mkdirSync(mountPath(folder, node), { recursive: true });
    mountImage(folder, node);
    rmdirSync(join(mountPath(folder, node), 'lost+found'));
  }
  return {
    undo: async () => {
      for (let node = 0; node < nodes; node++) await unmountImage(folder, node);
    },
  };
}

/** At one moment, as far as one process can. What no fsync covered is gone after `remountImage`. */
export function cutPower(folder: string, nodes: Iterable<number>): void {
  const paths = [...nodes].map((node) => mountPath(folder, node));
  execFileSync(buildPowerCut(), paths, { stdio: 'inherit' });
}

/** Once no process has a file on it. */
export async function remountImage(folder: string, node: number): Promise<void> {
  await unmountImage(folder, node);
  mountImage(folder, node);
}

/** The data folder of the node's process. */
export function mountPath(folder: string, node: number): string {
  return join(folder, `node${node + 1}`, 'data');
}

function imagePath(folder: string, node: number): string {
  return join(folder, `image${node + 1}`);
}

function mountImage(folder: string, node: number): void {
  run('mount', '-o', 'loop', imagePath(folder, node), mountPath(folder, node));
}

async function unmountImage(folder: string, node: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      run('umount', mountPath(folder, node));
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      // A process that was killed may not be gone yet.
      await sleep(100);
    }
  }
}

function run(program: string, ...parameters: string[]): void {
  execFileSync(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
