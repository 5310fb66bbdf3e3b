import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Prng } from '@themisdb/base';

/** A bit of a file that turned over. */
export interface Flip {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
  /** What the byte holds since. */
  readonly damaged: number;
}

/** Any bit of the used part of a random file, not turned yet; undefined when there is no such file. */
export function chooseBit(prng: Prng, folder: string, ending: string): Flip | undefined {
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

export function turnOver({ path, offset, damaged }: Flip): void {
  write(path, offset, damaged);
}

/** Unless the file was merged into others meanwhile, or the byte written anew. */
export function turnBack(flip: Flip): void {
  const { path, offset, bit, damaged } = flip;
  if (isStillThere(flip)) write(path, offset, damaged ^ (1 << bit));
}

export function isStillThere({ path, offset, damaged }: Flip): boolean {
  return existsSync(path) && readFileSync(path)[offset] === damaged;
}

function write(path: string, offset: number, byte: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Uint8Array.of(byte), 0, 1, offset);
  closeSync(file);
}
