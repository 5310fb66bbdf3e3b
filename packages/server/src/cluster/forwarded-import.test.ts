import { request, type ClientRequest } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep, TestCluster, type TestNode } from '../testing/test-cluster.ts';
import { readAnswer, type TestAnswer } from '../testing/test-server.ts';

const requestTimeoutMs = 300;

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;

beforeEach(async () => {
  cluster = await TestCluster.start(3, { 'limits.requestTimeoutMs': requestTimeoutMs });
  leader = await cluster.leader();
  [follower] = (await cluster.followers()) as [TestNode];
  await leader.send('POST', '/collections', { json: { name: 'c' } });
});
afterEach(() => cluster.stop());

/** An import whose body is still being sent. */
function beginImport(node: TestNode): { outgoing: ClientRequest; answer: Promise<TestAnswer> } {
  const outgoing = request(`${node.url}/collections/c/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    agent: false,
  });
  const answer = new Promise<TestAnswer>((resolve, reject) => {
    outgoing.on('response', (message) => resolve(readAnswer(message)));
    outgoing.on('error', reject);
  });
  outgoing.write('{"n":1}\n');
  return { outgoing, answer };
}

test('an import through a follower may take longer than a request', async () => {
  const { outgoing, answer } = beginImport(follower);
  // Beyond the time of a request, and the second thought it is given on the way.
  for (let n = 0; n < 5; n++) {
    await sleep(requestTimeoutMs);
    outgoing.write('{"n":2}\n');
  }
  outgoing.end();
  expect((await answer).json).toMatchObject({ created: 6 });
});

test('an import that fails after the time of a request tells what of it is there', async () => {
  const { outgoing, answer } = beginImport(leader);
  outgoing.write('{"n":1}\n'.repeat(9000));
  const count = async (): Promise<unknown> =>
    (await leader.send('GET', '/collections/c?count=exact')).json.count;
  while ((await count()) !== 8000) await sleep(5);
  await sleep(2 * requestTimeoutMs);
  await leader.send('DELETE', '/collections/c');
  outgoing.end('{"n":1}\n'.repeat(9000));
  expect((await answer).json).toMatchObject({
    retryable: false,
    error: { code: 'COLLECTION_NOT_FOUND', details: { committed: { line: 8000, created: 8000 } } },
  });
});

test('a stop waits for the requests of other nodes no longer than for those of clients', async () => {
  const { outgoing, answer } = beginImport(follower);
  const isUnderWay = async (): Promise<boolean> =>
    /themis_http_requests_in_flight [2-9]/.test((await leader.send('GET', '/metrics')).text);
  while (!(await isUnderWay())) await sleep(5);
  await cluster.stopNode(leader);
  const { status } = await answer;
  outgoing.destroy();
  expect(status).toBe(503);
});
