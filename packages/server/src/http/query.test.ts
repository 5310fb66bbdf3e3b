import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeFakeTime, type FakeTime } from '../testing/fake-time.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let time: FakeTime;
const folder = mkdtempSync(join(tmpdir(), 'themis-query-'));
beforeAll(async () => {
  time = makeFakeTime(folder);
  server = await startTestServer({ 'limits.cursorsMax': 3 }, time.env);
  await server.send('POST', '/collections', { json: { name: 'nums' } });
  await server.aql('FOR i IN 1..100 INSERT { _key: TO_STRING(i), i } INTO nums');
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe('POST /query/aql', () => {
  test('answers results, statistics and warnings', async () => {
    const { status, json } = await server.aql(
      'FOR n IN nums FILTER n.i <= @m SORT n.i RETURN n.i',
      {
        m: 3,
      },
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({ results: [1, 2, 3], has_more: false, warnings: [] });
    expect(json.stats.rowsReturned).toBe(3);
    expect(json).not.toHaveProperty('cursor');
  });

  test('binds collections by @@name', async () => {
    const { json } = await server.aql('FOR n IN @@c COLLECT WITH COUNT INTO k RETURN k', {
      '@c': 'nums',
    });
    expect(json.results).toEqual([100]);
  });

  test('a modification is committed when it answers, and carries its token', async () => {
    const { json, headers } = await server.aql('UPDATE "1" WITH { x: 1 } IN nums RETURN NEW');
    expect(json.results[0]).toMatchObject({ x: 1, _rev: headers['x-themis-token'] });
    const read = await server.send('GET', '/entity/nums%2F1');
    expect(read.json._rev).toBe(headers['x-themis-token']);
  });

  test('fullCount, profile, explain, parse', async () => {
    const counted = await server.aql('FOR n IN nums LIMIT 2 RETURN 1', {}, { fullCount: true });
    expect(counted.json.stats.fullCount).toBe(100);
    const body = { json: { query: 'FOR n IN nums FILTER n._key == "7" RETURN n.i' } };
    const profiled = await server.send('POST', '/query/aql/profile', body);
    expect(profiled.json.results).toEqual([7]);
    expect(profiled.json.profile.nodes.length).toBeGreaterThan(1);
    const explained = await server.send('POST', '/query/aql/explain', body);
    expect(explained.json.planText).toContain('nums');
    const parsed = await server.send('POST', '/query/aql/parse', {
      json: { query: 'FOR x IN @@c FILTER x.a == @a RETURN x' },
    });
    expect(parsed.json).toMatchObject({ collections: [], bind_parameters: ['@c', 'a'] });
  });

  test('asOf reads the past', async () => {
    const { headers } = await server.aql('INSERT { _key: "past", v: 1 } INTO nums');
    await server.aql('UPDATE "past" WITH { v: 2 } IN nums');
    const asOf = headers['x-themis-token'];
    const query = 'FOR n IN nums FILTER n._key == "past" RETURN n.v';
    expect((await server.aql(query, {}, { asOf })).json.results).toEqual([1]);
    expect((await server.aql(query)).json.results).toEqual([2]);
    const future = await server.aql(query, {}, { asOf: '2999-01-01T00:00:00Z' });
    expect(future.code).toBe('SNAPSHOT_IN_FUTURE');
    expect((await server.aql(query, {}, { asOf: 'yesterday' })).code).toBe('INVALID_FIELD');
  });
});

describe('cursors', () => {
  const start = (batchSize: number, to = 10): Promise<{ json: { cursor: string } }> =>
    server.aql(`FOR i IN 1..${to} RETURN i`, {}, { batchSize }) as never;

  test('read page by page, then gone', async () => {
    let { json } = await server.aql('FOR i IN 1..7 RETURN i', {}, { batchSize: 3 });
    const pages = [json.results];
    const { cursor } = json;
    while (json.has_more) {
      ({ json } = await server.send('GET', `/cursor/${cursor}`));
      pages.push(json.results);
    }
    expect(pages).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    const after = await server.send('GET', `/cursor/${cursor}`);
    expect([after.status, after.code]).toEqual([404, 'CURSOR_NOT_FOUND']);
  });

  test('an exact last page says that it is the last', async () => {
    const { json } = await server.aql('FOR i IN 1..6 RETURN i', {}, { batchSize: 3 });
    const last = await server.send('GET', `/cursor/${json.cursor}`);
    expect(last.json).toMatchObject({ results: [4, 5, 6], has_more: false });
  });

  test('closed by DELETE', async () => {
    const { json } = await start(2);
    expect((await server.send('DELETE', `/cursor/${json.cursor}`)).status).toBe(204);
    expect((await server.send('DELETE', `/cursor/${json.cursor}`)).code).toBe('CURSOR_NOT_FOUND');
  });

  test('expire when nobody reads them, and not while somebody does', async () => {
    const idle = await start(2);
    const used = await start(2);
    time.advance(40_000);
    expect((await server.send('GET', `/cursor/${used.json.cursor}`)).status).toBe(200);
    time.advance(40_000);
    const late = await server.send('GET', `/cursor/${idle.json.cursor}`);
    expect([late.status, late.code]).toEqual([404, 'CURSOR_NOT_FOUND']);
    expect((await server.send('GET', `/cursor/${used.json.cursor}`)).json.results).toEqual([5, 6]);
    await server.send('DELETE', `/cursor/${used.json.cursor}`);
  });

  test('are seen in their namespace only', async () => {
    const { json } = await start(2);
    const other = { headers: { 'x-themis-namespace': 'other' } };
    expect((await server.send('GET', `/cursor/${json.cursor}`, other)).code).toBe(
      'CURSOR_NOT_FOUND',
    );
    expect((await server.send('GET', `/cursor/${json.cursor}`)).status).toBe(200);
    await server.send('DELETE', `/cursor/${json.cursor}`);
  });

  test('there is a cap', async () => {
    const open = [await start(2), await start(2), await start(2)];
    const refused = await server.aql('FOR i IN 1..10 RETURN i', {}, { batchSize: 2 });
    expect([refused.status, refused.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(refused.headers['retry-after']).toBe('1');
    const wrote = 'FOR i IN 201..205 INSERT { i } INTO nums RETURN NEW.i';
    const whole = await server.aql(wrote, {}, { batchSize: 2 });
    expect(whole.json, whole.text).toMatchObject({
      results: [201, 202, 203, 204, 205],
      has_more: false,
    });
    await server.aql('FOR n IN nums FILTER n.i > 200 REMOVE n IN nums');
    expect((await server.send('GET', '/queries')).json.queries).toHaveLength(3);
    for (const { json } of open) await server.send('DELETE', `/cursor/${json.cursor}`);
    expect((await server.send('GET', '/queries')).json.queries).toHaveLength(0);
  });
});

describe('NDJSON', () => {
  const accept = { headers: { accept: 'application/x-ndjson' } };
  const lines = (text: string): unknown[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  test('a line a row, then the end', async () => {
    const { headers, text } = await server.send('POST', '/query/aql', {
      ...accept,
      json: { query: 'FOR i IN 1..2500 RETURN i' },
    });
    expect(headers['content-type']).toBe('application/x-ndjson');
    const all = lines(text);
    expect(all).toHaveLength(2501);
    expect(all[2499]).toEqual({ row: 2500 });
    expect(all[2500]).toMatchObject({ end: { stats: { rowsReturned: 2500 }, warnings: [] } });
  });

  test('an error in the middle is the last line', async () => {
    const { status, text } = await server.send('POST', '/query/aql', {
      ...accept,
      json: { query: 'FOR i IN 1..5000 RETURN i == 4000 ? FAIL("stop") : i' },
    });
    expect(status).toBe(200);
    const all = lines(text);
    expect(all.length).toBeLessThan(5000);
    expect(all.at(-1)).toMatchObject({ error: { status: 400, error: { code: 'AQL_FAIL' } } });
  });

  test('an error before the first row is an answer', async () => {
    const { status, code } = await server.send('POST', '/query/aql', {
      ...accept,
      json: { query: 'RETURN' },
    });
    expect([status, code]).toEqual([400, 'AQL_PARSE']);
  });

  test('a client that leaves ends the query', async () => {
    const message = await server.open('POST', '/query/aql', {
      ...accept,
      json: { query: 'FOR i IN 1..100000000 RETURN CONCAT("some text to fill the buffers ", i)' },
    });
    await new Promise((resolve) => message.once('data', resolve));
    expect((await server.send('GET', '/queries')).json.queries).toHaveLength(1);
    message.destroy();
    await until(async () => (await server.send('GET', '/queries')).json.queries.length === 0);
    expect((await server.aql('RETURN 1')).json.results).toEqual([1]);
  });
});

describe('running queries', () => {
  // In real time: a long query makes way for others by the clock.
  let live: TestServer;
  beforeAll(async () => {
    live = await startTestServer();
  });
  afterAll(() => live.stop());

  test('are listed and killed', async () => {
    const slow = live.aql('FOR i IN 1..100000000 FILTER i < 0 RETURN i');
    const list = async (): Promise<{ id: string; query: string }[]> =>
      (await live.send('GET', '/queries')).json.queries as never;
    await until(async () => (await list()).length === 1);
    const [running] = await list();
    expect(running!.query).toContain('100000000');
    const foreign = await live.send('DELETE', `/queries/${running!.id}`, {
      headers: { 'x-themis-namespace': 'other' },
    });
    expect(foreign.code).toBe('QUERY_NOT_FOUND');
    expect((await live.send('DELETE', `/queries/${running!.id}`)).status).toBe(204);
    const { status, code } = await slow;
    expect([status, code]).toEqual([410, 'QUERY_KILLED']);
    expect((await live.send('DELETE', `/queries/${running!.id}`)).code).toBe('QUERY_NOT_FOUND');
  });

  test('end with the time the client gives', async () => {
    const { status, code, json } = await live.send('POST', '/query/aql', {
      json: { query: 'FOR i IN 1..100000000 FILTER i < 0 RETURN i' },
      headers: { 'x-request-timeout': '50' },
    });
    expect([status, code]).toEqual([408, 'REQUEST_TIMEOUT']);
    expect(json.retryable).toBe(true);
  });

  test.each([
    [{ maxRuntime: 0.05 }, 'FOR i IN 1..100000000 FILTER i < 0 RETURN i', 408, 'QUERY_TIMEOUT'],
    [{ memoryLimit: 100_000 }, 'FOR i IN 1..1000000 SORT i DESC RETURN i', 413, 'QUERY_MEMORY'],
    [{ maxRows: 10 }, 'FOR i IN 1..100 RETURN i', 413, 'QUERY_ROWS'],
  ])('%j ends %s', async (options, query, status, code) => {
    const answer = await live.aql(query, {}, options);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });
});

/** Until something the server does on its own turn has happened. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it did not happen');
}
