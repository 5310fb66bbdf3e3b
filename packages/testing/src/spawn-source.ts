import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Standard output can be read; errors go to ours. */
export type SourceProcess = ChildProcessByStdio<null, Readable, null>;

/**
 * Runs a TypeScript file of the repository in a Node process of its own, from the sources and
 * without a build: for tests that kill a process or need a second one. The caller ends it.
 */
export function spawnSource(file: URL, args: readonly string[]): SourceProcess {
  const register = new URL('./ts-register.mjs', import.meta.url);
  const flags = ['--import', register.href, '--conditions', 'themis-src', '--no-warnings'];
  return spawn(process.execPath, [...flags, fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
