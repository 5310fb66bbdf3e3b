import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { DevNode } from './config-files.ts';

export interface NodeProcessOptions {
  readonly node: DevNode;
  /** Program and arguments that run `themis`. */
  readonly command: readonly string[];
  readonly onLine: (line: string) => void;
  /** It ended though nobody stopped it. */
  readonly onEnd: (how: string) => void;
}

/** One node in a process of its own. Not in our process group: Ctrl-C is ours to pass on, in order. */
export class NodeProcess {
  readonly node: DevNode;
  readonly #options: NodeProcessOptions;
  #child: ChildProcess | undefined;
  #isEnding = false;

  constructor(options: NodeProcessOptions) {
    this.node = options.node;
    this.#options = options;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  start(): void {
    const [program, ...rest] = this.#options.command;
    const child = spawn(program!, [...rest, 'start', '--config', this.node.configFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#isEnding = false;
    createInterface({ input: child.stderr! }).on('line', this.#options.onLine);
    child.on('exit', (code, signal) => {
      if (!this.#isEnding) this.#options.onEnd(signal ?? `code ${code}`);
    });
  }

  /** SIGTERM hands over and finishes; SIGKILL does not. Resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return;
    this.#isEnding = true;
    const ended = once(this.#child!, 'exit');
    this.#child!.kill(signal);
    await ended;
  }

  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.node.url}/readyz`, { signal: AbortSignal.timeout(1000) })).ok;
    } catch {
      return false;
    }
  }
}
