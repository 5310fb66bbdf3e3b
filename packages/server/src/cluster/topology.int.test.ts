import { afterAll, beforeAll, expect, test } from 'vitest';
import { StuckDisk } from '../testing/stuck-disk.ts';
import { sleep, TestCluster, type TestNode } from '../testing/test-cluster.ts';
import type { NodeBody } from './topology.ts';

// On RocksDB and real logs: a follower whose disk stands still is the one that is behind.

const disks = new Map<number, StuckDisk>();
let cluster: TestCluster;
let slow: TestNode;
let other: TestNode;

beforeAll(async () => {
  cluster = await TestCluster.start(
    3,
    { engine: 'rocksdb' },
    {
      diskOf(id, real) {
        const disk = new StuckDisk(real);
        disks.set(id, disk);
        return disk.disk;
      },
    },
  );
  await findRoles();
  const made = await other.send('POST', '/collections', { json: { name: 'c' } });
  expect(made.status, made.text).toBe(201);
});
afterAll(async () => {
  disks.get(slow.id)?.release();
  await cluster.stop();
});

async function findRoles(): Promise<void> {
  [slow, other] = (await cluster.followers()) as [TestNode, TestNode];
}

interface Place {
  readonly commit: number;
  readonly applied: number;
  readonly last: number;
  readonly lag: number;
}

/** Of each node, as `at` sees it. */
async function topologyAt(at: TestNode): Promise<Map<number, NodeBody>> {
  const { json } = await at.send('GET', '/api/admin/topology');
  return new Map((json.nodes as NodeBody[]).map((node) => [node.id, node]));
}

async function metricsOf(node: TestNode): Promise<Place> {
  const { text } = await node.send('GET', '/metrics');
  const value = (name: string): number =>
    Number(new RegExp(`^themis_raft_${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    commit: value('commit_index'),
    applied: value('applied_index'),
    last: value('last_index'),
    lag: value('lag_entries'),
  };
}

function placeOf(body: NodeBody): Place {
  return {
    commit: body.commit_index!,
    applied: body.applied_index!,
    last: body.last_index!,
    lag: body.lag_entries!,
  };
}

async function put(key: string): Promise<string> {
  const answer = await other.send('PUT', `/entity/c%2F${key}`, { json: {} });
  expect(answer.status, answer.text).toBe(201);
  return String(answer.headers['x-themis-token']);
}

/** Until every node has applied everything there is. */
async function whenEven(): Promise<Map<number, NodeBody>> {
  for (;;) {
    const topology = await topologyAt(other);
    const places = [...topology.values()].map(placeOf);
    const lasts = places.flatMap(({ commit, applied, last }) => [commit, applied, last]);
    if (new Set(lasts).size === 1) return topology;
    await sleep(10);
  }
}

test('each node is as far as was written, by its own metrics too', async () => {
  const before = placeOf((await whenEven()).get(slow.id)!);
  expect(before.commit).toBeGreaterThan(0);
  let token = '';
  for (let n = 0; n < 5; n++) token = await put(`even${n}`);
  const topology = await whenEven();
  for (const node of cluster.nodes) {
    const body = topology.get(node.id)!;
    const place = placeOf(body);
    expect(place.commit).toBeGreaterThanOrEqual(before.commit + 5);
    expect([place.lag, body.lag_ms, body.token]).toEqual([0, 0, token]);
    expect(await metricsOf(node)).toEqual(place);
  }
  const { members } = topology.get((await cluster.leader()).id)!;
  const last = placeOf(topology.get(slow.id)!).last;
  expect(members!.map(({ match_index }) => match_index)).toEqual([last, last, last]);
});

test('one that cannot follow lags by what it has not applied, at every node that is asked', async () => {
  const seen = await put('seen');
  await findRoles();
  const before = placeOf((await whenEven()).get(slow.id)!);
  disks.get(slow.id)!.stick();
  let newest = '';
  for (let n = 0; n < 5; n++) {
    await sleep(5);
    newest = await put(`missed${n}`);
  }
  const millisOf = (token: string): number => Number(BigInt(`0x${token}`) >> 16n);
  for (const node of cluster.nodes) {
    const topology = await topologyAt(node);
    const body = topology.get(slow.id)!;
    const committed = placeOf(topology.get(other.id)!).commit;
    expect(committed).toBeGreaterThanOrEqual(before.commit + 5);
    expect(placeOf(body)).toMatchObject({
      applied: before.applied,
      lag: committed - before.applied,
    });
    expect(body).toMatchObject({ token: seen, lag_ms: millisOf(newest) - millisOf(seen) });
    expect(body.lag_ms).toBeGreaterThan(0);
  }
  expect(await metricsOf(slow)).toMatchObject({ applied: before.applied });
  disks.get(slow.id)!.release();
  expect(placeOf((await whenEven()).get(slow.id)!).lag).toBe(0);
});

test('a node that came back is not ready before it has what was written meanwhile', async () => {
  await findRoles();
  await cluster.stopNode(slow);
  await put('meanwhile');
  slow.network.cut();
  await cluster.startNode(slow);
  const disk = disks.get(slow.id)!;
  disk.stick();
  const readiness = async (): Promise<[number, string]> => {
    const { status, json } = await slow.send('GET', '/readyz');
    return [status, json.status];
  };
  expect(await readiness()).toEqual([503, 'no-leader']);
  const held = disk.held();
  slow.network.mend();
  await held;
  await untilKnown(slow);
  expect(await readiness()).toEqual([503, 'catching-up']);
  disk.release();
  await cluster.untilReady(slow);
  expect(await readiness()).toEqual([200, 'ok']);
});

/** Until it knows who leads. */
async function untilKnown(node: TestNode): Promise<void> {
  while ((await node.send('GET', '/livez')).headers['x-themis-leader'] === undefined)
    await sleep(10);
}
