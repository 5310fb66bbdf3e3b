import { once } from 'node:events';
import { spawnSource } from '@themisdb/testing/spawn-source';
import { testClient, type TestClient } from './test-server.ts';

/** A server in a process of its own. */
export interface ServerProcess extends TestClient {
  /** What it logged so far: one JSON object a line. */
  readonly log: () => readonly LogLine[];
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly error?: string;
  readonly requestId?: string;
}

/** Starts `serve.ts` on a folder; resolves when it serves. */
export async function startServerProcess(
  folder: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawnSource(new URL('./serve.ts', import.meta.url), [
    folder,
    JSON.stringify(flags),
  ]);
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const lines: string[] = [];
  const isServing = new Promise<string>((resolve) => {
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      for (const line of parts) {
        if (line.startsWith('http://')) resolve(line);
        else lines.push(line);
      }
    });
  });
  const url = await Promise.race([isServing, ended.then(() => undefined)]);
  if (url === undefined) throw new Error(`the server ended:\n${lines.join('\n')}`);
  return {
    ...testClient(url),
    log: () => lines.map((line) => JSON.parse(line) as LogLine),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
