import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeServerCluster } from '@themisdb/testing/server-cluster';
import type { ServerProcess } from '@themisdb/testing/server-process';
import {
  isCommandBuilt,
  peersUp,
  send,
  stopLeaderUnderWrites,
  until,
  untilHealthy,
} from '../testing/processes.ts';

describe.skipIf(!isCommandBuilt())('three processes, each with its store in a thread', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-workers-'));
  let nodes: ServerProcess[];

  beforeAll(async () => {
    nodes = await makeServerCluster({
      folder,
      nodes: 3,
      config: { store: { thread: 'worker' } },
      variablesOf: () => ({ THEMIS_CLUSTER_ELECTION_MS: '2000' }),
    });
    for (const node of nodes) node.start();
    await untilHealthy(nodes);
    const made = await send(nodes[0]!, 'POST', '/collections', { json: { name: 'c' } });
    expect(made.status, JSON.stringify(made.json)).toBe(201);
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('what is written at any node is read at every one', async () => {
    for (const [n, writer] of nodes.entries()) {
      const path = `/entity/c/any${n}`;
      expect((await send(writer, 'PUT', path, { json: { n } })).status).toBe(201);
      for (const reader of nodes) {
        expect((await send(reader, 'GET', path)).json).toMatchObject({ n });
      }
    }
  });

  test('a leader that is told to stop hands over, and no write is refused', async () => {
    const { exitCode, writers } = await stopLeaderUnderWrites(nodes);
    expect(exitCode).toBe(0);
    expect(writers.flatMap(({ refused }) => refused)).toEqual([]);
    const count = writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const query = 'RETURN LENGTH(FOR d IN c FILTER LIKE(d._key, "stop%") RETURN 1)';
    for (const node of nodes) {
      const { json } = await send(node, 'POST', '/query/aql', { json: { query } });
      expect(json.results).toEqual([count]);
    }
  });

  test('the thread hears of peers that were read anew', async () => {
    const path = join(folder, 'node1', 'node.json');
    const text = readFileSync(path, 'utf8');
    const config = JSON.parse(text) as { cluster: { peers: object[] } };
    for (const [peers, count] of [
      [config.cluster.peers.slice(0, 2), 1],
      [config.cluster.peers, 2],
    ] as const) {
      writeFileSync(path, JSON.stringify({ ...config, cluster: { ...config.cluster, peers } }));
      nodes[0]!.signal('SIGHUP');
      await until(async () => (await peersUp(nodes[0]!)) === count);
    }
  });
});
