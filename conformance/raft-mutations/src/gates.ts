import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialReport } from './trial.ts';
import { ROOT, type Workspace } from './workspace.ts';

/** What every trial needs: the library's folder and recorded scenarios. */
export interface Material {
  readonly library: string;
  readonly traces: string;
  remove(): void;
}

/** Records scenarios of the generator, so that trials need no Go and all see the same ones. */
export function recordMaterial(library: string, generator: string, count: number): Material {
  const dir = mkdtempSync(join(tmpdir(), 'raft-traces-'));
  const traces = join(dir, 'traces');
  const file = openSync(traces, 'w');
  execFileSync(generator, ['-from', '1', '-count', String(count)], {
    stdio: ['ignore', file, 'inherit'],
  });
  closeSync(file);
  return { library, traces, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** `equal` lets the change pass; everything else catches it. */
export type Verdict = 'equal' | 'differs' | 'time-out' | 'not run';

export interface TrialVerdict {
  readonly g1: Verdict;
  readonly g3: Verdict;
  readonly scenarios: number;
}

const TRIAL_TIMEOUT_MS = 60_000;
const TESTS_TIMEOUT_MS = 180_000;

/** Runs G1 and G3 on a changed core; `first` stops at the gate that catches the change. */
export async function tryGates(
  workspace: Workspace,
  material: Material,
  mode: 'all' | 'first',
): Promise<TrialVerdict> {
  const script = join(workspace.dir, 'conformance', 'raft-mutations', 'dist', 'trial.js');
  const args = ['--max-old-space-size=1024', script, material.library, material.traces, mode];
  const run = await runNode(args, workspace.dir, TRIAL_TIMEOUT_MS);
  if (run.isTimedOut) return { g1: 'time-out', g3: 'time-out', scenarios: 0 };
  // The changed core does not even load, or took the process down with it.
  if (run.code !== 0) return { g1: 'differs', g3: 'differs', scenarios: 0 };
  const report = JSON.parse(run.stdout) as Partial<TrialReport>;
  const verdict = (isEqual: boolean | undefined): Verdict => {
    if (isEqual === undefined) return 'not run';
    return isEqual ? 'equal' : 'differs';
  };
  return { g1: verdict(report.g1), g3: verdict(report.g3), scenarios: report.scenarios ?? 0 };
}

/** Runs the tests of `packages/raft` on a changed core. */
export async function tryTests(workspace: Workspace): Promise<Verdict> {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--bail', '1', '--no-isolate', 'packages/raft'];
  const run = await runNode(args, workspace.dir, TESTS_TIMEOUT_MS);
  if (run.isTimedOut) return 'time-out';
  return run.code === 0 ? 'equal' : 'differs';
}

/** A core that is not changed must pass, or a gate that cannot run at all would catch everything. */
export async function checkUnchanged(workspace: Workspace, material: Material): Promise<void> {
  const { g1, g3 } = await tryGates(workspace, material, 'all');
  const tests = await tryTests(workspace);
  if (g1 === 'equal' && g3 === 'equal' && tests === 'equal') return;
  throw new Error(`the core as it is does not pass: G1 ${g1}, G3 ${g3}, tests ${tests}`);
}

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly isTimedOut: boolean;
}

function runNode(args: readonly string[], cwd: string, timeoutMs: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    // A group of its own: a time-out ends the children of the child too.
    const child = spawn(process.execPath, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let stdout = '';
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, isTimedOut });
    });
  });
}
