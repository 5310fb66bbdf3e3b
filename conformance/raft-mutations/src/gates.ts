import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrialRunner } from './trial-runner.ts';
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

/** Processor time of one run of the tests, of which an unchanged core needs a fraction. */
const TESTS_CPU_SECONDS = 15;
/** For what waits instead of working. */
const TESTS_TIMEOUT_MS = 180_000;

/** All gates, for the core of one workspace. */
export class Gates {
  readonly #dir: string;
  readonly #trials: TrialRunner;

  constructor(workspace: Workspace, material: Material) {
    this.#dir = workspace.dir;
    this.#trials = new TrialRunner(workspace, material);
  }

  /** Runs G1 and G3 on the core as it is now; `first` stops at the gate that catches the change. */
  async tryGates(mode: 'all' | 'first'): Promise<TrialVerdict> {
    const outcome = await this.#trials.run(mode);
    if (outcome === 'time-out') return { g1: 'time-out', g3: 'time-out', scenarios: 0 };
    // The changed core took the process down with it.
    if (outcome === 'crashed') return { g1: 'differs', g3: 'differs', scenarios: 0 };
    const verdict = (isEqual: boolean | undefined): Verdict => {
      if (isEqual === undefined) return 'not run';
      return isEqual ? 'equal' : 'differs';
    };
    const { g1, g3, scenarios } = outcome;
    return { g1: verdict(g1), g3: verdict(g3), scenarios };
  }

  /** Runs the tests of `packages/raft` on the core as it is now; first those named after a file. */
  async tryTests(changedFile?: string): Promise<Verdict> {
    const own = `packages/raft/src/${changedFile?.replace(/\.ts$/, '.')}`;
    if (changedFile !== undefined && existsSync(join(this.#dir, `${own}test.ts`))) {
      const verdict = await this.#vitest(own);
      if (verdict !== 'equal') return verdict;
    }
    return this.#vitest('packages/raft/src');
  }

  #vitest(filter: string): Promise<Verdict> {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    // One process for all files: that spares loading the same modules again.
    const options = ['--bail', '1', '--no-isolate', '--maxWorkers', '1'];
    const limited = `ulimit -t ${TESTS_CPU_SECONDS}; exec "$0" "$@"`;
    const args = ['-c', limited, process.execPath, vitest, 'run', ...options, filter];
    return new Promise((resolve, reject) => {
      // A group of its own: a time-out ends the children of the child too.
      const child = spawn('sh', args, { cwd: this.#dir, stdio: 'ignore', detached: true });
      const timer = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      }, TESTS_TIMEOUT_MS);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        if (signal !== null) resolve('time-out');
        else resolve(code === 0 ? 'equal' : 'differs');
      });
    });
  }

  /** A core that is not changed must pass, or a gate that cannot run at all would catch everything. */
  async checkUnchanged(): Promise<void> {
    const { g1, g3 } = await this.tryGates('all');
    const tests = await this.tryTests();
    if (g1 === 'equal' && g3 === 'equal' && tests === 'equal') return;
    throw new Error(`the core as it is does not pass: G1 ${g1}, G3 ${g3}, tests ${tests}`);
  }

  close(): void {
    this.#trials.close();
  }
}
