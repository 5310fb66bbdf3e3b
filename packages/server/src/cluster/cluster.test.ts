import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sleep, TestCluster, type TestNode } from '../testing/test-cluster.ts';

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;
let other: TestNode;

async function findRoles(): Promise<void> {
  leader = await cluster.leader();
  [follower, other] = cluster.nodes.filter((node) => node !== leader) as [TestNode, TestNode];
}

/** For what is only true while one node leads: on a busy machine another may be elected meanwhile. */
function whileLed(check: () => Promise<void>): () => Promise<void> {
  return async () => {
    for (;;) {
      await findRoles();
      const led = leader;
      try {
        return await check();
      } catch (error) {
        if ((await cluster.leader()) === led) throw error;
      }
    }
  };
}

beforeAll(async () => {
  cluster = await TestCluster.start();
  await findRoles();
  const answer = await follower.send('POST', '/collections', { json: { name: 'c' } });
  expect(answer.status, answer.text).toBe(201);
});
afterAll(() => cluster.stop());

function insert(node: TestNode, count: number): Promise<{ status: number; text: string }> {
  return node.aql(`FOR i IN 1..${count} UPSERT { _key: TO_STRING(i) }
    INSERT { _key: TO_STRING(i), i } UPDATE {} IN c`);
}

describe('a write at any node', () => {
  test(
    'is read at every other at once',
    whileLed(async () => {
      for (const writer of cluster.nodes) {
        const put = await writer.send('PUT', `/entity/c%2Fk${writer.id}`, {
          json: { n: writer.id },
        });
        expect([200, 201]).toContain(put.status);
        expect(put.headers['etag']).toBe(`"${String(put.headers['x-themis-token'])}"`);
        expect(put.headers['x-themis-leader']).toBe(leader.url);
        for (const reader of cluster.nodes) {
          const get = await reader.send('GET', `/entity/c%2Fk${writer.id}`);
          expect(get.json, get.text).toMatchObject({ n: writer.id });
        }
      }
    }),
  );

  test('has its answer, request id and errors as on one node', async () => {
    const headers = { 'x-request-id': 'mine', 'if-none-match': '*' };
    const first = await follower.send('PUT', '/entity/c%2Fonce', { json: {}, headers });
    expect([first.status, first.headers['x-request-id']]).toEqual([201, 'mine']);
    const again = await follower.send('PUT', '/entity/c%2Fonce', { json: {}, headers });
    expect([again.status, again.code]).toEqual([412, 'PRECONDITION_FAILED']);
    expect(again.json).toMatchObject({ request_id: 'mine' });
    const nowhere = await follower.send('DELETE', '/entity/c%2Fnowhere');
    expect([nowhere.status, nowhere.code]).toEqual([404, 'ENTITY_NOT_FOUND']);
    const broken = await follower.send('PUT', '/entity/c%2Fx', { body: '{' });
    expect([broken.status, broken.code]).toEqual([400, 'BAD_JSON']);
  });

  test('may be large, and answered by much', async () => {
    const text = 'x'.repeat(3_000_000);
    const put = await follower.send('PUT', '/entity/c%2Flarge?return_new=true', { json: { text } });
    expect(put.json.new.text).toHaveLength(text.length);
    const get = await other.send('GET', '/entity/c%2Flarge');
    expect(get.json.text).toBe(text);
  });

  test('streams, when it is an import', async () => {
    const lines = Array.from({ length: 5000 }, (_, n) => JSON.stringify({ _key: `i${n}`, n }));
    const answer = await follower.send('POST', '/collections/c/import', {
      body: lines.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(answer.json, answer.text).toMatchObject({ created: 5000, failed: 0 });
    await follower.aql('FOR d IN c FILTER d.n != null REMOVE d IN c');
  });
});

describe('a query', () => {
  test(
    'that modifies runs on the leader, also with NDJSON; one that only sounds so where it was asked',
    whileLed(async () => {
      const made = await insert(follower, 10);
      expect(made.status, made.text).toBe(200);
      const lines = await follower.send('POST', '/query/aql', {
        json: { query: 'FOR d IN c FILTER d.i > 0 UPDATE d WITH { seen: true } IN c RETURN d.i' },
        headers: { accept: 'application/x-ndjson' },
      });
      expect(lines.text.split('\n').filter((line) => line.startsWith('{"row"'))).toHaveLength(10);
      const before = await requestsAt(leader);
      const read = await follower.aql('RETURN "INSERT INTO c"');
      expect(read.json.results).toEqual(['INSERT INTO c']);
      expect(await requestsAt(leader)).toBe(before);
    }),
  );

  test('tells of its errors at any node', async () => {
    for (const node of cluster.nodes) {
      expect((await node.aql('FOR x IN')).code).toBe('AQL_PARSE');
      expect((await node.aql('INSERT { } INTO nowhere')).code).toBe('COLLECTION_NOT_FOUND');
    }
  });
});

/** Queries a node has answered, its own and those of others. */
async function requestsAt(node: TestNode): Promise<number> {
  const { text } = await node.send('GET', '/metrics');
  const pattern = /themis_http_requests_total\{method="POST",route="\/query\/aql"[^}]*\} (\d+)/g;
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

describe('a forwarded request', () => {
  const endless = 'FOR i IN 1..1000000000 FILTER i < 0 INSERT { i } INTO c';

  test('ends when its client leaves', async () => {
    const body = JSON.stringify({ query: endless });
    const leaving = new AbortController();
    const asked = fetch(`${follower.url}/query/aql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: leaving.signal,
    });
    while ((await running()).length === 0) await sleep(5);
    leaving.abort();
    await expect(asked).rejects.toThrow(/abort/);
    while ((await running()).length > 0) await sleep(5);
  });

  test('ends when its time is over', async () => {
    const answer = await follower.send('POST', '/query/aql', {
      json: { query: endless },
      headers: { 'x-request-timeout': '150' },
    });
    expect([answer.status, answer.code]).toEqual([408, 'REQUEST_TIMEOUT']);
    while ((await running()).length > 0) await sleep(5);
  });

  async function running(): Promise<unknown[]> {
    const at = await cluster.leader();
    return (await at.send('GET', '/queries')).json.queries as unknown[];
  }
});

describe('X-Themis-Consistency', () => {
  test.each(['strong', 'bounded', 'bounded=100', 'eventual'])('%s', async (level) => {
    const headers = { 'x-themis-consistency': level };
    const answer = await follower.send('GET', '/collections/c', { headers });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers['x-themis-token']).toMatch(/^[0-9a-f]{16}$/);
  });

  test('at-least sees the commit of that token', async () => {
    const put = await leader.send('PUT', '/entity/c%2Ftoken', { json: { v: 1 } });
    const token = String(put.headers['x-themis-token']);
    for (const headers of [
      { 'x-themis-consistency': `at-least=${token}` },
      { 'x-themis-token': token },
      { 'x-themis-token': token, 'x-themis-consistency': 'eventual' },
      { 'x-themis-token': token, 'x-themis-consistency': 'bounded=60000' },
    ]) {
      for (const node of [follower, other]) {
        const answer = await node.send('GET', '/entity/c%2Ftoken', { headers });
        expect(answer.json, answer.text).toMatchObject({ v: 1, _rev: token });
        expect(String(answer.headers['x-themis-token']) >= token).toBe(true);
      }
    }
    const options = { consistency: `at-least=${token}` };
    const query = await follower.aql('RETURN DOCUMENT("c/token").v', {}, options);
    expect(query.json.results).toEqual([1]);
    const execute = await follower.send('POST', '/v1/execute', {
      json: { shard_key: 'c/token', query: 'RETURN 1', consistency: `atLeast(${token})` },
    });
    expect(execute.json, execute.text).toMatchObject({ rows: [1] });
  });

  test('a commit that never was is waited for, no longer than the request may take', async () => {
    const never = '0fffffffffffffff';
    for (const wanted of [
      { 'x-themis-consistency': `at-least=${never}` },
      { 'x-themis-token': never, 'x-themis-consistency': 'eventual' },
    ]) {
      const headers = { ...wanted, 'x-request-timeout': '100' };
      const answer = await follower.send('GET', '/collections/c', { headers });
      expect([answer.status, answer.code]).toEqual([503, 'NO_LEADER']);
    }
  });

  test.each(['Strong', 'bounded=-1', 'bounded=x', 'at-least=12', 'linearizable'])(
    '%s is refused, and what is allowed is named',
    async (level) => {
      const headers = { 'x-themis-consistency': level };
      const answer = await follower.send('GET', '/collections/c', { headers });
      expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
      expect(answer.json.detail).toContain('strong, bounded, bounded=<milliseconds>, eventual');
      const query = await follower.aql('RETURN 1', {}, { consistency: level });
      expect([query.status, query.code]).toEqual([400, 'INVALID_FIELD']);
    },
  );
});

describe('transactions', () => {
  test(
    'begin on the leader, and go on at any node',
    whileLed(async () => {
      const begun = await follower.send('POST', '/transaction/begin', { json: {} });
      const { id } = begun.json as { id: string };
      expect(id).toMatch(new RegExp(`^n${leader.id}-`));
      const headers = { 'x-themis-transaction': id };
      await other.send('PUT', '/entity/c%2Ftx', { json: { v: 1 }, headers });
      const inside = await follower.send('GET', '/entity/c%2Ftx', { headers });
      expect(inside.json, inside.text).toMatchObject({ v: 1 });
      const looked = await other.send('GET', `/transaction/${id}`);
      expect(looked.json).toMatchObject({ state: 'open', writes: 1 });
      const commit = await other.send('POST', '/transaction/commit', { json: { id } });
      expect(commit.json, commit.text).toMatchObject({ state: 'committed' });
      expect((await follower.send('GET', '/entity/c%2Ftx')).json).toMatchObject({ v: 1 });
      const late = await follower.send('POST', '/transaction/commit', { headers });
      expect(late.code).toBe('TRANSACTION_ENDED');
    }),
  );

  test('that only read begin where they are asked', async () => {
    const begun = await follower.send('POST', '/transaction/begin', { json: { read_only: true } });
    expect(begun.json.id).toMatch(new RegExp(`^n${follower.id}-`));
    const headers = { 'x-themis-transaction': String(begun.json.id) };
    expect((await other.aql('RETURN 1')).status).toBe(200);
    const answer = await other.send('POST', '/query/aql', { json: { query: 'RETURN 2' }, headers });
    expect(answer.json.results).toEqual([2]);
    expect((await other.send('POST', '/transaction/rollback', { headers })).status).toBe(200);
  });

  test('of an earlier run, or of a node nobody knows, are lost', async () => {
    for (const id of [`n${follower.id}-AAAAxyz`, 'n9-AAAAxyz']) {
      const answer = await other.send('POST', '/transaction/commit', { json: { id } });
      expect([answer.status, answer.code]).toEqual([409, 'TRANSACTION_LOST']);
      expect(answer.json.retryable).toBe(true);
    }
    expect((await other.send('GET', '/transaction/old')).code).toBe('TRANSACTION_NOT_FOUND');
  });
});

describe('cursors', () => {
  test('are read at any node, where they are', async () => {
    const first = await follower.aql('FOR i IN 1..5 RETURN i', {}, { batchSize: 2 });
    const { cursor } = first.json as { cursor: string };
    expect(cursor).toMatch(new RegExp(`^n${follower.id}-`));
    const second = await other.send('GET', `/cursor/${cursor}`);
    expect(second.json.results, second.text).toEqual([3, 4]);
    const third = await leader.send('GET', `/cursor/${cursor}`);
    expect(third.json).toMatchObject({ results: [5], has_more: false });
    expect((await other.send('GET', `/cursor/${cursor}`)).code).toBe('CURSOR_NOT_FOUND');
    expect((await other.send('GET', '/cursor/n9-AAAAx')).code).toBe('CURSOR_LOST');
  });
});

describe('the change feed', () => {
  test('tells the same, under the same tokens, at every node', async () => {
    await follower.send('PUT', '/entity/c%2Ffeed', { json: { v: 1 } });
    for (const node of cluster.nodes) await node.send('GET', '/collections/c');
    const feeds = await Promise.all(
      cluster.nodes.map(async (node) => (await node.send('GET', '/changefeed?limit=10000')).json),
    );
    expect(feeds[0].changes.length).toBeGreaterThan(5);
    expect(feeds[1]).toEqual(feeds[0]);
    expect(feeds[2]).toEqual(feeds[0]);
  });
});

describe('a token of the change feed', () => {
  test('of a node that is further is waited for; one nobody has is refused', async () => {
    for (let n = 0; n < 5; n++) {
      await leader.send('PUT', '/entity/c/feed', { json: { n } });
      const { next } = (await leader.send('GET', '/changefeed?after=now')).json;
      const there = await follower.send('GET', `/changefeed?after=${next}`);
      expect(there.status, there.text).toBe(200);
    }
    const ahead = await follower.send('GET', '/changefeed?after=99999999.0');
    expect([ahead.status, ahead.code]).toEqual([400, 'INVALID_FIELD']);
  });
});

describe('what operators see', () => {
  test(
    'the topology',
    whileLed(async () => {
      const answer = await follower.send('GET', '/api/admin/topology');
      expect(answer.json).toMatchObject({
        node: follower.id,
        role: 'follower',
        leader: leader.id,
        leader_url: leader.url,
      });
      const nodes = answer.json.nodes as { id: number; role: string; url: string }[];
      expect(nodes.map(({ id, url }) => [id, url])).toEqual(
        cluster.nodes.map(({ id, url }) => [id, url]),
      );
      for (const node of nodes) {
        expect(node).toMatchObject({ is_reachable: true, term: answer.json.term });
        expect(node).toHaveProperty('lag_entries');
        expect(node).toHaveProperty('lag_ms');
      }
      const members = (nodes.find(({ id }) => id === leader.id) as unknown as { members: object[] })
        .members;
      expect(members).toHaveLength(3);
      for (const member of members) {
        expect(member).toMatchObject({ is_voter: true, state: 'replicate', is_active: true });
      }
    }),
  );

  test(
    'metrics of raft',
    whileLed(async () => {
      const { text } = await leader.send('GET', '/metrics');
      expect(text).toMatch(/^themis_raft_is_leader 1$/m);
      expect(text).toMatch(/^themis_raft_members 3$/m);
      expect(text).toMatch(/^themis_cluster_peers_up 2$/m);
    }),
  );

  test('changes of members that cannot be are refused', async () => {
    const change = (json: object): Promise<{ code: string | undefined }> =>
      follower.send('POST', '/api/admin/members', { json });
    expect((await change({ type: 'add', id: 9 })).code).toBe('MEMBER_CHANGE_REFUSED');
    expect((await change({ type: 'add', id: 1 })).code).toBe('MEMBER_CHANGE_REFUSED');
    expect((await change({ type: 'replace', id: 1 })).code).toBe('INVALID_FIELD');
    expect((await change({ type: 'remove', id: 9 })).code).toBe('MEMBER_CHANGE_REFUSED');
  });
});
