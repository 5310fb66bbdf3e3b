import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep, TestCluster, type TestNode } from '../testing/test-cluster.ts';

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;

beforeEach(async () => {
  cluster = await TestCluster.start(3, { 'cluster-election-ms': '500' });
  leader = await cluster.leader();
  [follower] = (await cluster.followers()) as [TestNode];
  await leader.send('POST', '/collections', { json: { name: 'c' } });
});
afterEach(() => cluster.stop());

test('an idempotency key holds over a change of leader', async () => {
  const headers = { 'idempotency-key': 'k1' };
  const first = await follower.send('PUT', '/entity/c%2Fa', { json: { v: 1 }, headers });
  expect(first.status, first.text).toBe(201);
  const moved = await follower.send('POST', '/api/admin/transfer', { json: {} });
  expect(moved.json.leader, moved.text).not.toBe(leader.id);
  for (const node of cluster.nodes) {
    const again = await node.send('PUT', '/entity/c%2Fa', { json: { v: 1 }, headers });
    expect(again.text).toBe(first.text);
    expect(again.headers).toMatchObject({
      'idempotency-replayed': 'true',
      'x-themis-token': first.headers['x-themis-token'],
    });
  }
  const other = await follower.send('PUT', '/entity/c%2Fa', { json: { v: 2 }, headers });
  expect(other.code).toBe('IDEMPOTENCY_MISMATCH');
});

test('a transaction is lost with the role of its node, a cursor with its node', async () => {
  const begun = await follower.send('POST', '/transaction/begin');
  const headers = { 'x-themis-transaction': String(begun.json.id) };
  await follower.send('PUT', '/entity/c%2Ft', { json: {}, headers });
  await follower.aql('FOR i IN 1..10 INSERT { i } INTO c');
  const page = await leader.aql('FOR d IN c RETURN d.i', {}, { batchSize: 2 });
  await leader.send('POST', '/api/admin/transfer');
  const lost = { status: 409, code: 'TRANSACTION_LOST' };
  expect(await follower.send('POST', '/transaction/commit', { headers })).toMatchObject(lost);
  expect(await leader.send('GET', '/entity/c%2Ft', { headers })).toMatchObject(lost);
  const state = await follower.send('GET', `/transaction/${begun.json.id}`);
  expect(state.json).toMatchObject({ state: 'lost' });

  const cursor = `/cursor/${page.json.cursor}`;
  expect((await follower.send('GET', cursor)).status).toBe(200);
  await cluster.stopNode(leader);
  expect(await follower.send('GET', cursor)).toMatchObject({ status: 410, code: 'CURSOR_LOST' });
});

test('writes wait for the next leader; without a majority they and strong reads end with NO_LEADER', async () => {
  await follower.send('PUT', '/entity/c%2Fa', { json: { v: 1 } });
  await cluster.stopNode(leader);
  const put = await follower.send('PUT', '/entity/c%2Fb', { json: { v: 1 } });
  expect(put.status, put.text).toBe(201);
  expect((await follower.send('GET', '/readyz')).status).toBe(200);

  const last = cluster.nodes.find((node) => node !== follower && node !== leader)!;
  await cluster.stopNode(last);
  const headers = { 'x-request-timeout': '300' };
  const alone = await follower.send('PUT', '/entity/c%2Fc', { json: {}, headers });
  expect(alone.status, alone.text).toBe(503);
  expect(['NO_LEADER', 'UNKNOWN_OUTCOME', 'NOT_LEADER', 'REQUEST_TIMEOUT']).toContain(alone.code);
  const read = await follower.send('GET', '/entity/c%2Fa', { headers });
  expect([read.status, read.code]).toEqual([503, 'NO_LEADER']);
  const old = { 'x-themis-consistency': 'eventual' };
  expect((await follower.send('GET', '/entity/c%2Fa', { headers: old })).json.v).toBe(1);
  while ((await follower.send('GET', '/readyz')).json.status !== 'no-leader') await sleep(20);
});

test('a planned stop hands over first: writers at another node notice nothing', async () => {
  let isOver = false;
  const failed: string[] = [];
  let written = 0;
  const writer = (async () => {
    while (!isOver) {
      const answer = await follower.send('PUT', `/entity/c%2Fw${written}`, { json: {} });
      if (answer.status === 201) written++;
      else failed.push(answer.text);
    }
  })();
  while (written < 5) await sleep(5);
  await cluster.stopNode(leader);
  const before = written;
  while (written < before + 5) await sleep(5);
  isOver = true;
  await writer;
  expect(failed).toEqual([]);
});

test('a planned stop hands over before what is under way has ended', async () => {
  // An import whose body does not come to its end.
  const endless = request(`${leader.url}/collections/c/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  let isOver = false;
  endless.on('error', () => undefined).on('close', () => (isOver = true));
  endless.write('{}\n');
  const inFlight = 'themis_http_requests_in_flight 2\n';
  while (!(await leader.send('GET', '/metrics')).text.includes(inFlight)) await sleep(5);

  const stopping = leader.running!.stop({ graceMs: 600_000 });
  leader.running = undefined;
  while ((await cluster.leader()) === leader) await sleep(5);
  const put = await follower.send('PUT', '/entity/c%2Fa', { json: {} });
  expect([put.status, isOver]).toEqual([201, false]);
  endless.destroy();
  await stopping;
});

test('a node that was lost is replaced by a new one', async () => {
  const lost = cluster.nodes.find((node) => node !== leader && node !== follower)!;
  await cluster.stopNode(lost);
  await follower.aql('FOR i IN 1..500 INSERT { _key: TO_STRING(i), i } INTO c');
  const fresh = await cluster.startNewNode();
  expect((await fresh.send('GET', '/readyz')).json).toEqual({ status: 'no-leader' });
  const change = { type: 'replace', id: lost.id, by: fresh.id };
  const unknown = await follower.send('POST', '/api/admin/members', { json: change });
  expect(unknown.code).toBe('MEMBER_CHANGE_REFUSED');
  await cluster.reloadPeers([leader, follower, fresh]);
  const replaced = await follower.send('POST', '/api/admin/members', { json: change });
  expect(replaced.status, replaced.text).toBe(200);
  const ids = (replaced.json.members as { id: number }[]).map(({ id }) => id);
  expect(ids).toEqual([leader.id, follower.id, fresh.id].sort());
  await cluster.untilReady(fresh);
  expect((await fresh.aql('RETURN LENGTH(c)')).json.results).toEqual([500]);
  const put = await fresh.send('PUT', '/entity/c%2Fnew', { json: {} });
  expect(put.status, put.text).toBe(201);
});

test('a commit that finds no quorum ends as unknown within the time of its request', async () => {
  leader.network.cut();
  const headers = { 'x-request-timeout': '200' };
  const late = { status: 503, code: 'UNKNOWN_OUTCOME' };
  const query = { query: 'INSERT {} INTO c' };
  const answers = await Promise.all([
    leader.send('PUT', '/entity/c%2Fa', { json: {}, headers }),
    leader.send('POST', '/query/aql', { json: query, headers }),
  ]);
  for (const answer of answers) {
    expect(answer).toMatchObject(late);
    expect(answer.text).toContain('did not end within the time of the request');
  }
});

test('a leader that may have been deposed tells nothing of its state, whether it reads or writes', async () => {
  await follower.send('PUT', '/entity/c%2Fa', { json: {} });
  leader.network.cut();
  const headers = { 'x-request-timeout': '200' };
  const requests = [
    ['GET', '/entity/c%2Fa', undefined],
    ['DELETE', '/entity/c%2Fmissing', undefined],
    ['PUT', '/entity/c%2Fa', {}],
    ['POST', '/query/aql', { query: 'FOR d IN c FILTER d.x == 1 REMOVE d IN c' }],
    ['POST', '/transaction/begin', {}],
    ['POST', '/collections', { name: 'c' }],
  ] as const;
  const answers = await Promise.all(
    requests.map(([method, path, json]) =>
      leader.send(method, path, {
        headers: { ...headers, ...(method === 'PUT' ? { 'if-none-match': '*' } : {}) },
        ...(json === undefined ? {} : { json }),
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 503));
});
