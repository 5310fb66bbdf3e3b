import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const source = fileURLToPath(new URL('../etcd-load', import.meta.url));
const program = fileURLToPath(new URL('../dist/etcd-load', import.meta.url));

/** What bench/etcd-load prints. */
export interface LoadReport {
  readonly writes: number;
  readonly allWrites: number;
  readonly failed: number;
  readonly error?: string;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly clientCpuSeconds: number;
}

export interface LoadOptions {
  readonly target: 'etcd' | 'gateway' | 'themis';
  readonly endpoints: readonly string[];
  readonly clients: number;
  readonly seconds: number;
  /** Bytes. */
  readonly size: number;
}

/** Undefined when it was built; otherwise why not: the program and etcd's client need Go. */
export function buildLoadProgram(): string | undefined {
  try {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: source, stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT') return 'the go command is not installed';
    return `go build failed: ${stderr?.toString().trim().split('\n').at(-1) ?? String(error)}`;
  }
}

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const flags = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(program, flags);
  const report = JSON.parse(stdout) as LoadReport;
  if (report.failed > 0) throw new Error(`${report.failed} puts failed: ${report.error}`);
  return report;
}
