import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep, TestCluster, type TestNode } from '../testing/test-cluster.ts';

// Real RocksDB, real files: a byte of a table is flipped while the node is down.

const rows = 3000;
let cluster: TestCluster;
let damaged: TestNode;

beforeAll(async () => {
  cluster = await TestCluster.start(3, { engine: 'rocksdb' });
  const leader = await cluster.leader();
  await leader.send('POST', '/collections', { json: { name: 'c' } });
  const text = 'x'.repeat(200);
  await leader.aql(`FOR i IN 1..${rows} INSERT { _key: TO_STRING(i), i, t: "${text}" } INTO c`);
  [damaged] = (await cluster.followers()) as [TestNode];
});
afterAll(() => cluster.stop());

function count(node: TestNode): ReturnType<TestNode['send']> {
  return node.send('POST', '/query/aql', {
    json: { query: 'FOR d IN c FILTER LENGTH(d.t) == 200 COLLECT WITH COUNT INTO n RETURN n' },
    headers: { 'x-themis-consistency': 'eventual' },
  });
}

/** Flips a bit in the middle of every table. */
function flipBits(folder: string): number {
  const tables = readdirSync(folder).filter((name) => name.endsWith('.sst'));
  for (const name of tables) {
    const file = openSync(join(folder, name), 'r+');
    const at = Math.floor(fstatSync(file).size / 2);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte[0]! ^= 0x10;
    writeSync(file, byte, 0, 1, at);
    closeSync(file);
  }
  return tables.length;
}

test('a flipped bit in a table is found, and the node gets its state from a peer', async () => {
  await cluster.stopNode(damaged);
  const folder = cluster.folderOf(damaged);
  expect(flipBits(join(folder, 'state'))).toBeGreaterThan(0);
  // Found at the start (then it is mended there and then), or by the first who reads it.
  await cluster.startNode(damaged);
  await cluster.untilReady(damaged);
  const first = await count(damaged);
  if (first.status !== 200) {
    expect(first.code).toBe('DATA_CORRUPT');
    while (damaged.failed === undefined) await sleep(10);
    expect(damaged.failed).toMatchObject({ role: 'failed', failureCode: 'DATA_CORRUPT' });
    expect(existsSync(join(folder, 'state.damaged'))).toBe(true);
    await cluster.stopNode(damaged);
    await cluster.startNode(damaged);
    await cluster.untilReady(damaged);
  }
  expect((await count(damaged)).json.results).toEqual([rows]);
  expect(existsSync(join(folder, 'state.damaged'))).toBe(false);
  const put = await damaged.send('PUT', '/entity/c/after', { json: {} });
  expect(put.status, put.text).toBe(201);
});

test('a node that was found damaged fetches its state though it is told to join', async () => {
  await cluster.stopNode(damaged);
  const mark = join(cluster.folderOf(damaged), 'state.damaged');
  writeFileSync(mark, '');
  await cluster.startNode(damaged, { 'cluster-join': true });
  await cluster.untilReady(damaged);
  expect(existsSync(mark)).toBe(false);
  expect((await count(damaged)).json.results).toEqual([rows]);
});
