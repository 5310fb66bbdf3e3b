import { loadTokenHash } from '@themisdb/sharding';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestAnswer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.send('POST', '/collections', { json: { name: 'users' } });
});
afterAll(() => server.stop());

const uuid = '550e8400-e29b-41d4-a716-446655440000';
const urn = `urn:themis:document:default:users:${uuid}`;
const where = (key: string): Promise<TestAnswer> =>
  server.send('GET', `/v1/shard-for-key?key=${encodeURIComponent(key)}`);
const execute = (json: object, headers = {}): Promise<TestAnswer> =>
  server.send('POST', '/v1/execute', { json, headers });

describe('the shard of a key', () => {
  test.each([uuid, uuid.toUpperCase(), urn, `users/${uuid}`, `users:${uuid}`])(
    '%s',
    async (key) => {
      expect((await where(key)).json).toEqual({
        shard_id: 'shard-001',
        token: '567c8cb3ce99ae3f',
        uuid,
      });
    },
  );

  test('of a plain key is that of the uuid its entity has', async () => {
    const { json: made } = await server.send('PUT', '/entity/users/ada', { json: {} });
    const own = (made._urn as string).split(':').at(-1)!;
    const hash = await loadTokenHash();
    expect((await where('users/ada')).json).toEqual({
      shard_id: 'shard-001',
      token: hash(own).toString(16).padStart(16, '0'),
      uuid: own,
    });
  });

  test.each([
    ['ada', 'INVALID_KEY'],
    ['users/', 'INVALID_KEY'],
    ['usres/ada', 'COLLECTION_NOT_FOUND'],
    ['urn:themis:document:default:users', 'INVALID_URN'],
    [urn.replace('default', 'other'), 'NAMESPACE_MISMATCH'],
    ['', 'INVALID_FIELD'],
  ])('%j is %s', async (key, code) => {
    expect((await where(key)).code).toBe(code);
    const answer = await execute({ shard_key: key, query: 'RETURN 1' });
    expect(answer.code).toBe(code);
  });
});

describe('a query by shard key', () => {
  test('answers with all rows', async () => {
    const { status, json } = await execute({
      shard_key: urn,
      query: 'FOR i IN 1..@n RETURN i',
      params: { n: 2500 },
    });
    expect(status).toBe(200);
    expect(json).toEqual({
      shard_id: 'shard-001',
      rows: Array.from({ length: 2500 }, (_, i) => i + 1),
      row_count: 2500,
      latency_ms: expect.any(Number),
      warnings: [],
    });
    expect(json.latency_ms).toBeGreaterThan(0);
  });

  test('writes, once under an idempotency key, and tells the token of its commit', async () => {
    const body = { shard_key: urn, query: 'INSERT { n: 1 } INTO users RETURN NEW._rev' };
    const one = await execute(body, { 'idempotency-key': 'k1' });
    expect(one.json.rows).toEqual([one.headers['x-themis-token']]);
    const two = await execute(body, { 'idempotency-key': 'k1' });
    expect(two.json).toEqual(one.json);
    const after = `atLeast(${one.headers['x-themis-token']})`;
    const count = { shard_key: urn, query: 'FOR u IN users FILTER u.n == 1 RETURN 1' };
    expect((await execute({ ...count, consistency: after })).json.row_count).toBe(1);
  });

  test('takes part in a transaction', async () => {
    const { id } = (await server.send('POST', '/transaction/begin')).json;
    const headers = { 'x-themis-transaction': id as string };
    const insert = 'INSERT { t: 1 } INTO users';
    expect((await execute({ shard_key: urn, query: insert }, headers)).json.row_count).toBe(0);
    const count = { shard_key: urn, query: 'FOR u IN users FILTER u.t == 1 RETURN 1' };
    expect((await execute(count, headers)).json.row_count).toBe(1);
    expect((await execute(count)).json.row_count).toBe(0);
    await server.send('POST', '/transaction/rollback', { headers });
  });

  test.each(['strong', 'bounded', 'eventual'])('consistency %s', async (consistency) => {
    expect((await execute({ shard_key: urn, query: 'RETURN 1', consistency })).status).toBe(200);
  });

  test.each([
    [{ query: 'RETURN 1' }, 'INVALID_FIELD', 'shard_key'],
    [{ shard_key: urn, query: 'RETURN 1', consistency: 'weak' }, 'INVALID_FIELD', 'strong'],
    [
      { shard_key: urn, query: 'RETURN 1', consistency: 'atLeast(ffffffffffffffff)' },
      'INVALID_FIELD',
      'ahead of this database',
    ],
    [
      { shard_key: urn, query: 'RETURN 1', options: { batchSize: 1 } },
      'UNKNOWN_FIELD',
      'batchSize',
    ],
    [{ shardkey: urn, query: 'RETURN 1' }, 'UNKNOWN_FIELD', 'did you mean shard_key?'],
    [{ shard_key: urn, query: 'RETRN 1' }, 'AQL_PARSE', 'RETURN'],
    [
      { shard_key: urn, query: 'FOR i IN 1..99 RETURN i', options: { maxRows: 9 } },
      'QUERY_ROWS',
      '',
    ],
  ])('%j is %s', async (body, code, text) => {
    const answer = await execute(body);
    expect(answer.code).toBe(code);
    expect(answer.json.detail).toContain(text);
  });

  test('warnings are told', async () => {
    const { json } = await execute({ shard_key: urn, query: 'RETURN 1 / 0' });
    expect(json.rows).toEqual([null]);
    expect(json.warnings[0].code).toBe('AQL_DIVISION_BY_ZERO');
  });
});
