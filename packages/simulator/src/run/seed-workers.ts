import { fork, type ChildProcess } from 'node:child_process';
import type { SeedReport } from './tally.ts';
import type { Settings } from './settings.ts';

/** Runs settings in processes of their own, several at a time, and tells of each as it ends. */
export class SeedWorkers {
  readonly #processes: readonly ChildProcess[];
  readonly #waiting = new Map<ChildProcess, (report: SeedReport) => void>();

  constructor(count: number, file: URL) {
    this.#processes = Array.from({ length: count }, () => {
      const child = fork(file, { execArgv: process.execArgv, serialization: 'advanced' });
      child.on('message', (report) => {
        const take = this.#waiting.get(child);
        this.#waiting.delete(child);
        take?.(report as SeedReport);
      });
      child.on('exit', (code) => {
        if (code !== 0) throw new Error(`a process that ran seeds ended with ${code}`);
      });
      return child;
    });
  }

  /** One after the other on each process, in no certain order. */
  async run(
    all: Iterable<Settings>,
    onReport: (report: SeedReport) => void,
    goesOn: () => boolean = () => true,
  ): Promise<void> {
    const iterator = all[Symbol.iterator]();
    const work = async (child: ChildProcess): Promise<void> => {
      while (goesOn()) {
        const next = iterator.next();
        if (next.done === true) return;
        onReport(await this.#runOn(child, next.value));
      }
    };
    await Promise.all(this.#processes.map(work));
  }

  /** On one process, and on another. */
  async twice(settings: Settings): Promise<[SeedReport, SeedReport]> {
    const [first, second] = this.#processes;
    if (first === undefined || second === undefined)
      throw new TypeError('this takes two processes');
    return Promise.all([this.#runOn(first, settings), this.#runOn(second, settings)]);
  }

  close(): void {
    for (const child of this.#processes) child.disconnect();
  }

  #runOn(child: ChildProcess, settings: Settings): Promise<SeedReport> {
    return new Promise((resolve) => {
      this.#waiting.set(child, resolve);
      child.send(settings);
    });
  }
}
