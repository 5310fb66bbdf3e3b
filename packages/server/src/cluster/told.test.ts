import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCluster, type TestNode } from '../testing/test-cluster.ts';
import type { TestAnswer } from '../testing/test-server.ts';

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;

beforeAll(async () => {
  cluster = await TestCluster.start();
  leader = await cluster.leader();
  [follower] = (await cluster.followers()) as [TestNode];
  await leader.send('POST', '/collections', { json: { name: 'c' } });
});
afterAll(() => cluster.stop());

function tokenOf({ headers }: TestAnswer): string {
  const token = headers['x-themis-token'];
  return typeof token === 'string' ? token : '';
}

test('that something is not there is told with the state it was read from', async () => {
  await leader.send('PUT', '/entity/c%2Fa', { json: {} });
  const removed = await leader.send('DELETE', '/entity/c%2Fa');
  const token = tokenOf(removed);
  for (const node of [leader, follower]) {
    for (const method of ['GET', 'DELETE']) {
      const missing = await node.send(method, '/entity/c%2Fa');
      expect(missing.status).toBe(404);
      expect(tokenOf(missing) >= token, method).toBe(true);
    }
  }
});
test('a key the route does not take does not make a request repeatable', async () => {
  const one = await TestCluster.start(3, { 'cluster-election-ms': '500' });
  try {
    const first = await one.leader();
    await first.send('POST', '/collections', { json: { name: 'c' } });
    first.network.cut();
    const headers = { 'idempotency-key': 'k', 'x-request-timeout': '200' };
    const taken = await first.send('PUT', '/entity/c%2Fa', { json: {}, headers });
    expect(taken.json).toMatchObject({ error: { code: 'UNKNOWN_OUTCOME' }, retryable: true });
    const stray = await first.send('POST', '/collections', { json: { name: 'd' }, headers });
    expect(stray.json).toMatchObject({ error: { code: 'UNKNOWN_OUTCOME' }, retryable: false });
  } finally {
    await one.stop();
  }
});
