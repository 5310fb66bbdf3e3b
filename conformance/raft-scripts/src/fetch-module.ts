import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULE = 'go.etcd.io/raft/v3';
const VERSION = 'v3.7.0';

export type FetchResult =
  { readonly ok: true; readonly dir: string } | { readonly ok: false; readonly reason: string };

/**
 * Fetches the library as an ordinary Go module and tells where the module cache holds it. Nothing of
 * it is copied; its scripts are read where they lie.
 */
export function fetchRaftModule(): FetchResult {
  if (!hasGo()) return { ok: false, reason: 'the go command is not installed' };
  const scratch = mkdtempSync(join(tmpdir(), 'raft-scripts-'));
  try {
    writeFileSync(join(scratch, 'go.mod'), 'module scratch\n\ngo 1.22\n');
    const answer = execFileSync('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
      cwd: scratch,
      encoding: 'utf8',
      env: { ...process.env, GOFLAGS: '-mod=mod' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { ok: true, dir: dirOf(answer) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
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

function dirOf(answer: string): string {
  const parsed: unknown = JSON.parse(answer);
  if (typeof parsed === 'object' && parsed !== null && 'Dir' in parsed) return String(parsed.Dir);
  throw new Error(`go mod download told no directory for ${MODULE}@${VERSION}`);
}
