import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { freePorts } from '@themisdb/testing/server-process';
import { ThemisClient } from './index.ts';

const requestTimeoutMs = 300;
const folder = mkdtempSync(join(tmpdir(), 'themis-client-import-'));
let servers: RunningServer[];
let urls: string[];

beforeAll(async () => {
  const ports = await freePorts(4);
  urls = ports.slice(0, 2).map((port) => `http://127.0.0.1:${port}`);
  const peers = urls.map((url, n) => `${n + 1}=127.0.0.1:${ports[2 + n]}=${url}`).join(',');
  servers = await Promise.all(
    urls.map((_, n) =>
      startServer(
        makeConfig({
          port: ports[n],
          engine: 'memory',
          data: join(folder, `n${n + 1}`),
          'log-level': 'error',
          'cluster-node': n + 1,
          'cluster-listen': `127.0.0.1:${ports[2 + n]}`,
          'cluster-peers': peers,
          'cluster-tick-ms': '20',
          'cluster-heartbeat-ms': '60',
          'cluster-election-ms': '1000',
          'limits.requestTimeoutMs': requestTimeoutMs,
        }),
      ),
    ),
  );
  // Before there is a leader nothing is done in so little time.
  for (const url of urls) {
    while ((await fetch(`${url}/readyz`)).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const client = new ThemisClient({ urls });
  await client.createCollection({ name: 'c' });
  await client.close();
}, 30_000);

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop({ graceMs: 500 })));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** Lines that come for longer than a request, and the second thought it is given, may take. */
async function* slowLines(): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < 5; n++) {
    yield Buffer.from(`{"n":${n}}\n`);
    await new Promise((resolve) => setTimeout(resolve, requestTimeoutMs));
  }
}

test.each([0, 1])('an import through node %i may take longer than a request', async (n) => {
  const client = new ThemisClient({ url: urls[n]! });
  try {
    const answer = await client.collection('c').import(slowLines());
    expect(answer).toMatchObject({ lines: 5, created: 5 });
  } finally {
    await client.close();
  }
});
