import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ThemisClient } from '@themisdb/client';

/** A server in a process of its own, started as users start it, on a private folder and port. */
export interface ThemisServer {
  readonly url: string;
  readonly client: ThemisClient;
  /** CPU seconds the server process used so far. */
  stop(): Promise<void>;
}

export async function startThemis(folder: string): Promise<ThemisServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const binary = fileURLToPath(new URL('../../packages/cli/dist/bin/themis.js', import.meta.url));
  const flags = ['start', '--port', String(port), '--data', folder, '--log-level', 'warn'];
  const child = spawn(
    process.execPath,
    ['--disallow-code-generation-from-strings', binary, ...flags],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { UV_THREADPOOL_SIZE: '8', ...process.env },
    },
  );
  const client = new ThemisClient({ url, connectionsMax: 64, timeoutMs: 600_000 });
  await untilReady(url, child);
  return {
    url,
    client,
    stop: async () => {
      await client.close();
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    try {
      if ((await fetch(`${url}/readyz`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server was not ready within 30 s');
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
