import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeFakeTime, type FakeTime } from '../testing/fake-time.ts';
import { startTestServer, type TestAnswer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let time: FakeTime;
const folder = mkdtempSync(join(tmpdir(), 'themis-transaction-'));
beforeAll(async () => {
  time = makeFakeTime(folder);
  server = await startTestServer({ 'limits.transactionsMax': 4 }, time.env);
  await server.send('POST', '/collections', { json: { name: 'acc' } });
  await server.send('PUT', '/entity/acc%2Fa', { json: { n: 100 } });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function begin(
  options: object = {},
): Promise<{ id: string; headers: Record<string, string> }> {
  const { status, json } = await server.send('POST', '/transaction/begin', { json: options });
  expect(status).toBe(201);
  return { id: json.id, headers: { 'x-themis-transaction': json.id } };
}
const commit = (headers: Record<string, string>): Promise<TestAnswer> =>
  server.send('POST', '/transaction/commit', { headers });
const get = async (key: string, headers = {}): Promise<unknown> =>
  (await server.send('GET', `/entity/acc%2F${key}`, { headers })).json.n;

describe('a transaction over several requests', () => {
  test('sees its own writes, others do not, until it commits', async () => {
    const { headers, id } = await begin();
    await server.send('PUT', '/entity/acc%2Fb', { headers, json: { n: 1 } });
    await server.send('POST', '/query/aql', {
      headers,
      json: { query: 'FOR x IN acc UPDATE x WITH { n: x.n + 1 } IN acc' },
    });
    expect([await get('a', headers), await get('b', headers)]).toEqual([101, 2]);
    expect([await get('a'), await get('b')]).toEqual([100, undefined]);
    expect((await server.send('GET', `/transaction/${id}`)).json).toMatchObject({
      state: 'open',
      writes: 3,
      read_only: false,
    });

    const done = await commit(headers);
    expect(done.json).toMatchObject({ id, state: 'committed' });
    expect(done.headers['x-themis-token']).toBe(done.json.commit_timestamp);
    expect([await get('a'), await get('b')]).toEqual([101, 2]);
    expect((await server.send('GET', '/entity/acc%2Fb')).json._rev).toBe(
      done.json.commit_timestamp,
    );
    expect((await server.send('GET', `/transaction/${id}`)).json.state).toBe('committed');
  });

  test('rolled back leaves nothing; afterwards it has ended', async () => {
    const { headers } = await begin();
    await server.send('PUT', '/entity/acc%2Fgone', { headers, json: { n: 1 } });
    const back = await server.send('POST', '/transaction/rollback', { headers });
    expect(back.json.state).toBe('rolled-back');
    expect(await get('gone')).toBeUndefined();
    const late = await server.send('PUT', '/entity/acc%2Fgone', { headers, json: { n: 1 } });
    expect([late.status, late.code]).toEqual([409, 'TRANSACTION_ENDED']);
    expect((await commit(headers)).code).toBe('TRANSACTION_ENDED');
    const twice = await server.send('POST', '/transaction/rollback', { headers });
    expect(twice.status).toBe(200);
  });

  test('a conflict is 409, retryable, and ends it', async () => {
    const one = await begin();
    const two = await begin();
    for (const { headers } of [one, two]) {
      const n = (await get('a', headers)) as number;
      await server.send('PATCH', '/entity/acc%2Fa', { headers, json: { n: n + 10 } });
    }
    expect((await commit(one.headers)).status).toBe(200);
    const lost = await commit(two.headers);
    expect([lost.status, lost.code, lost.json.retryable]).toEqual([409, 'WRITE_CONFLICT', true]);
    expect((await server.send('GET', `/transaction/${two.id}`)).json.state).toBe('rolled-back');
  });

  test('write skew is refused when serializable', async () => {
    await server.send('PUT', '/entity/acc%2Fx', { json: { n: 1 } });
    await server.send('PUT', '/entity/acc%2Fy', { json: { n: 1 } });
    const one = await begin({ isolation: 'serializable' });
    const two = await begin({ isolation: 'serializable' });
    const query = 'RETURN SUM(FOR d IN acc FILTER d._key IN ["x", "y"] RETURN d.n)';
    for (const { headers } of [one, two]) {
      const { json } = await server.send('POST', '/query/aql', { headers, json: { query } });
      expect(json.results).toEqual([2]);
    }
    await server.send('PATCH', '/entity/acc%2Fx', { headers: one.headers, json: { n: 0 } });
    await server.send('PATCH', '/entity/acc%2Fy', { headers: two.headers, json: { n: 0 } });
    expect((await commit(one.headers)).status).toBe(200);
    expect((await commit(two.headers)).code).toBe('WRITE_CONFLICT');
  });

  test('requests at the same time take turns', async () => {
    const { headers } = await begin();
    const writes = Array.from({ length: 20 }, (_, n) =>
      server.send('PATCH', '/entity/acc%2Fa', { headers, json: { [`t${n}`]: n } }),
    );
    expect((await Promise.all(writes)).every(({ status }) => status === 200)).toBe(true);
    await commit(headers);
    const { json } = await server.send('GET', '/entity/acc%2Fa');
    expect(Object.keys(json).filter((name) => name.startsWith('t'))).toHaveLength(20);
  });

  test('read-only refuses writes', async () => {
    const { headers } = await begin({ read_only: true });
    expect(await get('x', headers)).toBe(0);
    const { status } = await server.send('PUT', '/entity/acc%2Fx', { headers, json: { n: 5 } });
    expect(status).toBe(400);
    await server.send('POST', '/transaction/rollback', { headers });
    expect(await get('x')).toBe(0);
  });
});

describe('bounds', () => {
  test('unused for its idle time it is rolled back', async () => {
    const { headers, id } = await begin({ timeout_ms: 5000 });
    await server.send('PUT', '/entity/acc%2Fidle', { headers, json: { n: 1 } });
    time.advance(4000);
    expect(await get('idle', headers)).toBe(1);
    time.advance(4000);
    expect(await get('idle', headers)).toBe(1);
    time.advance(5001);
    expect((await commit(headers)).code).toBe('TRANSACTION_ENDED');
    expect((await server.send('GET', `/transaction/${id}`)).json.state).toBe('expired');
    expect(await get('idle')).toBeUndefined();
  });

  test('used or not, it has a longest life', async () => {
    const { headers } = await begin();
    for (let minute = 0; minute < 12; minute++) {
      await get('x', headers);
      time.advance(55_000);
    }
    expect((await commit(headers)).code).toBe('TRANSACTION_ENDED');
  });

  test('there is a cap on open ones', async () => {
    const open = [await begin(), await begin(), await begin(), await begin()];
    const refused = await server.send('POST', '/transaction/begin');
    expect([refused.status, refused.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    for (const { headers } of open) await server.send('POST', '/transaction/rollback', { headers });
    expect((await server.send('POST', '/transaction/begin')).status).toBe(201);
  });

  test('unknown ids, foreign namespaces and the catalog', async () => {
    const nobody = { headers: { 'x-themis-transaction': 'nobody' } };
    expect((await server.send('GET', '/entity/acc%2Fa', nobody)).code).toBe(
      'TRANSACTION_NOT_FOUND',
    );
    const { headers } = await begin();
    const foreign = { headers: { ...headers, 'x-themis-namespace': 'other' } };
    expect((await server.send('GET', '/entity/acc%2Fa', foreign)).code).toBe('NAMESPACE_MISMATCH');
    const made = await server.send('POST', '/collections', { headers, json: { name: 'c2' } });
    expect(made.code).toBe('NOT_IMPLEMENTED');
    const keyed = { headers: { ...headers, 'idempotency-key': 'k' }, json: {} };
    expect((await server.send('PUT', '/entity/acc%2Fk', keyed)).code).toBe('BAD_REQUEST');
    await server.send('POST', '/transaction/rollback', { headers });
  });

  test('a repeated commit under an idempotency key has one effect and one answer', async () => {
    const { headers } = await begin();
    await server.send('PUT', '/entity/acc%2Fonce', { headers, json: { n: 1 } });
    const keyed = { ...headers, 'idempotency-key': 'commit-1' };
    const first = await commit(keyed);
    const again = await commit(keyed);
    expect(first.status).toBe(200);
    expect(again.json).toEqual(first.json);
  });
});
