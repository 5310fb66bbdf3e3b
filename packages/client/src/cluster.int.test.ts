import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { freePorts } from '@themisdb/testing/server-process';
import { ThemisClient, type ClientOptions } from './index.ts';
import { makeTransport } from './transport/undici-transport.ts';
import type { Transport, TransportRequest } from './transport/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-client-'));
let servers: (RunningServer | undefined)[];
let urls: string[];

beforeAll(async () => {
  const ports = await freePorts(6);
  urls = ports.slice(0, 3).map((port) => `http://127.0.0.1:${port}`);
  const peers = urls.map((url, n) => `${n + 1}=127.0.0.1:${ports[3 + n]}=${url}`).join(',');
  servers = await Promise.all(
    urls.map((_, n) =>
      startServer(
        makeConfig({
          port: ports[n],
          data: join(folder, `n${n + 1}`),
          'log-level': 'error',
          'cluster-node': n + 1,
          'cluster-listen': `127.0.0.1:${ports[3 + n]}`,
          'cluster-peers': peers,
          'cluster-tick-ms': '20',
          'cluster-heartbeat-ms': '60',
          'cluster-election-ms': '600',
        }),
      ),
    ),
  );
  await withClient({ urls }, (client) => client.createCollection({ name: 'c' }));
}, 30_000);

afterAll(async () => {
  await Promise.all(servers.map(async (server) => server?.stop({ graceMs: 500 })));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** A transport that keeps what was sent where. */
class Recorder implements Transport {
  readonly sent: TransportRequest[] = [];
  readonly #real = makeTransport({ connectionsMax: 4 });

  send(request: TransportRequest): ReturnType<Transport['send']> {
    this.sent.push(request);
    return this.#real.send(request);
  }

  close(): Promise<void> {
    return this.#real.close();
  }
}

async function withClient<R>(
  options: ClientOptions,
  run: (client: ThemisClient, recorder: Recorder) => Promise<R>,
): Promise<R> {
  const transport = new Recorder();
  const client = new ThemisClient({ ...options, transport, coalesceReads: false });
  try {
    return await run(client, transport);
  } finally {
    await client.close();
  }
}

const increment = 'FOR d IN c FILTER d._key == "counter" UPDATE d WITH { n: d.n + 1 } IN c';

function origins({ sent }: Recorder): string[] {
  return sent.splice(0).map(({ origin }) => origin);
}

test('writes go to the leader once an answer named it, reads stay', () =>
  withClient({ urls }, async (client, recorder) => {
    const c = client.collection('c');
    await c.get('nothing');
    origins(recorder);
    await c.put('a', { n: 1 });
    const [leader] = origins(recorder);
    await c.put('b', { n: 2 });
    expect(await c.get('a')).toMatchObject({ n: 1 });
    await client.query('FOR d IN c RETURN d').all();
    await client.query('FOR d IN c UPDATE d WITH { seen: true } IN c').all();
    expect(origins(recorder)).toEqual([leader, urls[0], urls[0], leader]);
    const { headers } = await fetch(`${urls[1]}/livez`);
    expect(headers.get('x-themis-leader')).toBe(leader);
  }));

test('a session reads what it wrote, at any node', () =>
  withClient({ urls, session: true, spreadReads: true }, async (client, recorder) => {
    const c = client.collection('c');
    for (let n = 0; n < 6; n++) {
      const { _rev } = await c.put('mine', { n });
      expect(await c.get('mine')).toMatchObject({ n });
      const { headers } = recorder.sent.at(-1)!;
      expect(headers['x-themis-consistency']! >= `at-least=${_rev}`).toBe(true);
    }
    expect(new Set(origins(recorder)).size).toBe(3);
  }));

test('consistency is that of the client, or of the call', () =>
  withClient({ urls, consistency: 'bounded=1000' }, async (client, recorder) => {
    const c = client.collection('c');
    await c.get('a');
    await c.get('a', { consistency: 'eventual' });
    await client.query('RETURN 1', {}, { consistency: 'strong' }).all();
    await c.put('a', {});
    expect(recorder.sent.map(({ headers }) => headers['x-themis-consistency'])).toEqual([
      'bounded=1000',
      'eventual',
      'strong',
      undefined,
    ]);
  }));

test(
  'a node that is gone is passed over, also when it led',
  () =>
    withClient({ urls: [...urls].reverse() }, async (client, recorder) => {
      const c = client.collection('c');
      await c.put('counter', { n: 0 });
      await c.put('counter', { n: 0 });
      const led = origins(recorder).at(-1)!;
      const at = urls.indexOf(led);
      let isOver = false;
      let sum = 0;
      const writer = (async () => {
        while (!isOver) {
          await client.query(increment).all();
          sum++;
        }
      })();
      while (sum < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      await servers[at]!.stop({ graceMs: 500 });
      servers[at] = undefined;
      const before = sum;
      while (sum < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
      isOver = true;
      await writer;
      expect(await c.get('counter')).toMatchObject({ n: sum });
      expect(origins(recorder).at(-1)).not.toBe(led);
    }),
  30_000,
);
