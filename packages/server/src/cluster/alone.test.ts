import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.send('POST', '/collections', { json: { name: 'c' } });
});
afterAll(() => server.stop());

const get = (level: string): ReturnType<TestServer['send']> =>
  server.send('GET', '/collections/c', { headers: { 'x-themis-consistency': level } });

test('one node takes every level, and refuses what is none', async () => {
  const put = await server.send('PUT', '/entity/c/a', { json: {} });
  const token = String(put.headers['x-themis-token']);
  for (const level of ['strong', 'bounded=5', 'eventual', `at-least=${token}`]) {
    const answer = await get(level);
    expect(answer.status, level).toBe(200);
    expect(answer.headers).not.toHaveProperty('x-themis-leader');
  }
  expect((await get('weak')).code).toBe('BAD_REQUEST');
  const ahead = await get('at-least=0fffffffffffffff');
  expect(ahead.code).toBe('INVALID_FIELD');
  expect(ahead.json.detail).toContain(`whose last commit is ${token}`);
  expect((await server.aql('RETURN 1', {}, { consistency: 'weak' })).code).toBe('INVALID_FIELD');
});

test('a token may come back in a header of its own', async () => {
  const put = await server.send('PUT', '/entity/c/b', { json: {} });
  const token = String(put.headers['x-themis-token']);
  const ask = (headers: Record<string, string>): ReturnType<TestServer['send']> =>
    server.send('GET', '/entity/c/b', { headers });
  expect((await ask({ 'x-themis-token': token })).status).toBe(200);
  const ahead = { 'x-themis-token': '0fffffffffffffff' };
  for (const level of ['bounded=5', 'eventual'])
    expect((await ask({ ...ahead, 'x-themis-consistency': level })).code).toBe('INVALID_FIELD');
  expect((await ask(ahead)).json.detail).toContain('0fffffffffffffff is ahead of this database');
  const bad = await ask({ 'x-themis-token': 'yesterday' });
  expect(bad.json.error).toMatchObject({
    code: 'BAD_REQUEST',
    details: { header: 'X-Themis-Token' },
  });
});

test('one node is a topology of one, and has no members to change', async () => {
  const { json } = await server.send('GET', '/api/admin/topology');
  expect(json).toMatchObject({ node: 1, role: 'leader', leader: 1, leader_url: server.url });
  expect(json.nodes).toMatchObject([
    { id: 1, url: server.url, is_reachable: true, lag_entries: 0 },
  ]);
  const change = { type: 'add', id: 2 };
  const refused = await server.send('POST', '/api/admin/members', { json: change });
  expect([refused.status, refused.code]).toEqual([409, 'MEMBER_CHANGE_REFUSED']);
  const transfer = await server.send('POST', '/api/admin/transfer');
  expect(transfer.code).toBe('MEMBER_CHANGE_REFUSED');
});
