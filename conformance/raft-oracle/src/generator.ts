import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { TraceReader } from './trace-reader.ts';

const ROOT = join(import.meta.dirname, '..');

export type BuildResult =
  { readonly ok: true; readonly program: string } | { readonly ok: false; readonly reason: string };

/** Compiles the generator with the library as an ordinary Go module. */
export function buildGenerator(): BuildResult {
  if (!hasGo()) return { ok: false, reason: 'the go command is not installed' };
  const program = join(ROOT, 'dist', 'oracle');
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: join(ROOT, 'oracle'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return { ok: true, program };
}

export interface SeedRange {
  readonly from: number;
  readonly count: number;
}

/**
 * Runs the generator and yields its traces one by one: first the names of the rare events it counts.
 * The pipe holds the generator back while a trace is worked off, so memory stays bounded.
 */
export async function* generate(
  program: string,
  { from, count }: SeedRange,
): AsyncGenerator<Uint8Array, void, void> {
  const args = ['-from', String(from), '-count', String(count)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = exitOf(child);
  try {
    yield* frames(child.stdout);
    const code = await exit;
    if (code !== 0) throw new Error(`the generator ended with exit code ${code}`);
  } finally {
    child.kill();
  }
}

/** Names of the rare events a run counts: the first frame of the generator's output. */
export function readMarkNames(frame: Uint8Array): string[] {
  const reader = new TraceReader(frame);
  return reader.list(() => reader.text());
}

const LENGTH_BYTES = 4;

async function* frames(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt32LE(0);
      if (rest.length < end) break;
      yield new Uint8Array(rest.buffer, rest.byteOffset + LENGTH_BYTES, end - LENGTH_BYTES);
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw new Error('the output of the generator is cut off');
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
