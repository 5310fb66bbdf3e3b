import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ConfigRest = Readonly<Record<string, unknown>>;

export interface ServerProcessOptions {
  /** Holds the data, the configuration file and the log of the process. */
  readonly folder: string;
  readonly port: number;
  /** The rest of the configuration file. */
  readonly config?: ConfigRest;
  readonly variables?: Readonly<Record<string, string>>;
  /** Flags of Node. */
  readonly nodeFlags?: readonly string[];
}

/**
 * A server in a process of its own, started as users start it: the built command with a
 * configuration file. It can die, be killed and be started again on the same folder and port.
 */
export class ServerProcess {
  readonly url: string;
  readonly dataFolder: string;
  readonly logPath: string;
  readonly #options: ServerProcessOptions;
  readonly #configPath: string;
  #child: ChildProcess | undefined;
  #wasKilled = false;
  #log = '';

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
    this.dataFolder = join(options.folder, 'data');
    this.logPath = join(options.folder, 'server.log');
    this.#configPath = join(options.folder, 'node.json');
    mkdirSync(options.folder, { recursive: true });
    this.configure(options.config ?? {});
  }

  /** Writes the file anew: for the next start, and for what a running server reads again on SIGHUP. */
  configure(rest: ConfigRest): void {
    const { port } = this.#options;
    const config = { port, data: this.dataFolder, logLevel: 'warn', ...rest };
    writeFileSync(this.#configPath, JSON.stringify(config, null, 2));
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** It is dead, or about to be. */
  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  /** The code of the process that ended last; undefined while it runs, null after a signal. */
  get exitCode(): number | null | undefined {
    return this.isRunning ? undefined : this.#child?.exitCode;
  }

  /** What it wrote on both outputs in its last life; the last 64 KiB. All of it stands in a file. */
  get log(): string {
    return this.#log;
  }

  /** `variables` hold for this life only. */
  start(variables: Readonly<Record<string, string>> = {}): void {
    if (this.isRunning) throw new Error(`the server at ${this.url} runs already`);
    const binary = fileURLToPath(new URL('../../cli/dist/bin/themis.js', import.meta.url));
    const { nodeFlags = [] } = this.#options;
    const flags = ['--disallow-code-generation-from-strings', ...nodeFlags];
    const command = [binary, 'start', '--config', this.#configPath];
    const child = spawn(process.execPath, [...flags, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        UV_THREADPOOL_SIZE: '8',
        ...process.env,
        ...this.#options.variables,
        ...variables,
      },
    });
    this.#child = child;
    this.#wasKilled = false;
    this.#log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => this.#keep(chunk.toString()));
    }
  }

  /** Until it answers `path` with success. Fails when the process ends before. */
  async untilReady({
    path = '/readyz',
    timeoutMs = 30_000,
  }: { readonly path?: string; readonly timeoutMs?: number } = {}): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (performance.now() < end) {
      if (!this.isRunning) {
        throw new Error(`the server ended with code ${this.exitCode}: ${this.#log.slice(-2000)}`);
      }
      try {
        const signal = AbortSignal.timeout(1000);
        if ((await fetch(this.url + path, { signal })).ok) return;
      } catch {
        // Not listening yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the server at ${this.url} was not ready within ${timeoutMs} ms`);
  }

  /** SIGSTOP and SIGCONT pause and wake it, SIGKILL ends it at once. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined) return;
    if (signal === 'SIGKILL') this.#wasKilled = true;
    process.kill(this.pid, signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.untilEnd();
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.untilEnd();
  }

  async untilEnd(): Promise<void> {
    if (this.isRunning) await once(this.#child!, 'exit');
  }

  /** Processor time of the running process, all its threads. */
  cpuSeconds(): number {
    return this.pid === undefined ? 0 : cpuSecondsOf(this.pid);
  }

  #keep(text: string): void {
    this.#log = (this.#log + text).slice(-65_536);
    writeFileSync(this.logPath, text, { flag: 'a' });
  }
}

/** Of /proc/PID/stat, so on Linux only: user and system time; a tick there is 10 ms. */
export function cpuSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`);
}

export function mainThreadCpuSecondsOf(pid: number): number {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`);
}

function secondsIn(path: string): number {
  const stat = readFileSync(path, 'latin1');
  // The name in brackets may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
