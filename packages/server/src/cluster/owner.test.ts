import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestCluster, type TestNode } from '../testing/test-cluster.ts';
import type { TestAnswer } from '../testing/test-server.ts';

let cluster: TestCluster;
let leader: TestNode;
let followers: TestNode[];

beforeEach(async () => {
  cluster = await TestCluster.start(3, { 'cluster-election-ms': '500' });
  leader = await cluster.leader();
  followers = await cluster.followers();
  await leader.send('POST', '/collections', { json: { name: 'c' } });
});
afterEach(() => cluster.stop());

/** A transaction that has written, with the header that names it. */
async function begin(key: string): Promise<Record<string, string>> {
  const begun = await followers[0]!.send('POST', '/transaction/begin');
  const headers = { 'x-themis-transaction': String(begun.json.id) };
  await followers[0]!.send('PUT', `/entity/c%2F${key}`, { json: {}, headers });
  return headers;
}

function commit(
  node: TestNode,
  headers: Readonly<Record<string, string>>,
  key = 'k',
): Promise<TestAnswer> {
  return node.send('POST', '/transaction/commit', {
    headers: { ...headers, 'idempotency-key': key },
  });
}

test('a commit repeated under its key is answered though the node that did it is lost', async () => {
  const done = await begin('done');
  const open = await begin('open');
  const first = await commit(followers[0]!, done);
  expect(first.status, first.text).toBe(200);
  await cluster.stopNode(leader);
  const replayed = { status: 200, text: first.text, headers: { 'idempotency-replayed': 'true' } };
  for (const node of followers) expect(await commit(node, done)).toMatchObject(replayed);
  expect((await commit(followers[0]!, { ...done, 'if-match': 'x' })).code).toBe(
    'IDEMPOTENCY_MISMATCH',
  );
  for (const node of followers) {
    expect((await commit(node, open, 'other')).code).toBe('TRANSACTION_LOST');
  }
});

test('as long as nobody can tell, the outcome of a keyed commit is unknown', async () => {
  const done = await begin('done');
  expect((await commit(followers[0]!, done)).status).toBe(200);
  await cluster.stopNode(leader);
  await cluster.stopNode(followers[1]!);
  const answer = await commit(followers[0]!, { ...done, 'x-request-timeout': '300' });
  expect(answer).toMatchObject({
    status: 503,
    code: 'UNKNOWN_OUTCOME',
    json: { retryable: true },
  });
});
