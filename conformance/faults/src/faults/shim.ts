import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildShim } from '../native.ts';

/** What the shim in a node's process does; see native/fault-shim.c. */
export interface ShimState {
  readonly syncErrno?: number;
  readonly writeErrno?: number;
  /** Of 100 calls. */
  readonly share?: number;
}

export const EIO = 5;
export const ENOSPC = 28;
/** Reports success and syncs nothing. */
export const LIE = 255;

/** The control files of all nodes, all off. Gives what their processes need. */
export function prepareShim(
  folder: string,
  nodes: number,
): (node: number) => Readonly<Record<string, string>> {
  const shim = buildShim();
  for (let node = 0; node < nodes; node++) {
    writeFileSync(controlPath(folder, node), Buffer.alloc(4096));
  }
  return (node) => ({ LD_PRELOAD: shim, FAULT_SHIM_CONTROL: controlPath(folder, node) });
}

/** Takes effect at once in the running process, and holds for those that follow. */
export function setShim(folder: string, node: number, state: ShimState): void {
  const bytes = Buffer.alloc(4096);
  bytes[0] = state.syncErrno ?? 0;
  bytes[1] = state.writeErrno ?? 0;
  bytes[2] = state.share ?? 100;
  // In place: the process maps the file.
  writeFileSync(controlPath(folder, node), bytes, { flag: 'r+' });
}

function controlPath(folder: string, node: number): string {
  return join(folder, `shim${node + 1}`);
}
