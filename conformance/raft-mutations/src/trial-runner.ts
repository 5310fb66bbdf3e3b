import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Material } from './gates.ts';
import type { TrialMode, TrialReport } from './trial.ts';
import type { Workspace } from './workspace.ts';

export type TrialOutcome = TrialReport | 'time-out' | 'crashed';

/** An unchanged core needs a fraction of it: a busy machine catches no change. */
const CPU_SECONDS = 4;

/** Runs trials in a process that stays until one of them takes too long or takes it down. */
export class TrialRunner {
  readonly #workspace: Workspace;
  readonly #material: Material;
  #process: ChildProcess | undefined;

  constructor(workspace: Workspace, material: Material) {
    this.#workspace = workspace;
    this.#material = material;
  }

  run(mode: TrialMode): Promise<TrialOutcome> {
    const child = (this.#process ??= this.#start());
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('message', (report: TrialReport) => {
        child.removeAllListeners();
        resolve(report);
      });
      child.once('exit', (_, signal) => {
        this.#process = undefined;
        resolve(signal === 'SIGKILL' ? 'time-out' : 'crashed');
      });
      child.send(mode);
    });
  }

  close(): void {
    this.#process?.disconnect();
  }

  #start(): ChildProcess {
    const { dir } = this.#workspace;
    const { library, traces } = this.#material;
    const script = join(import.meta.dirname, 'trial.js');
    return fork(script, [dir, library, traces, String(CPU_SECONDS)], {
      execArgv: ['--max-old-space-size=1024'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  }
}
