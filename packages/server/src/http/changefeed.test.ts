import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangefeedAnswer } from '@themisdb/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFakeTime, type FakeTime } from '../testing/fake-time.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let time: FakeTime;
const folder = mkdtempSync(join(tmpdir(), 'themis-changefeed-'));
beforeAll(async () => {
  time = makeFakeTime(folder);
  server = await startTestServer({}, time.env);
  for (const name of ['a', 'b']) await server.send('POST', '/collections', { json: { name } });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function feed(query: string, headers = {}): Promise<ChangefeedAnswer> {
  const { status, json } = await server.send('GET', `/changefeed?${query}`, { headers });
  expect(status).toBe(200);
  return json as ChangefeedAnswer;
}
const told = ({ changes }: ChangefeedAnswer): string[] =>
  changes.map(
    ({ operation, collection, document }) =>
      `${operation} ${collection}/${String(document?.['_key'] ?? '?')}`,
  );
const now = async (): Promise<string> => (await feed('after=now')).next;

test('tells every change once and in order, in pages of any size', async () => {
  const start = await now();
  await server.send('PUT', '/entity/a%2F1', { json: { n: 1 } });
  await server.send('PATCH', '/entity/a%2F1', { json: { n: 2 } });
  await server.aql('FOR i IN 1..3 INSERT { _key: TO_STRING(i) } INTO b');
  await server.send('DELETE', '/entity/a%2F1');
  const expected = [
    'insert a/1',
    'update a/1',
    'insert b/1',
    'insert b/2',
    'insert b/3',
    'remove a/?',
  ];
  for (const limit of [1, 2, 4, 100]) {
    const seen: string[] = [];
    let after = start;
    for (;;) {
      const page = await feed(`after=${after}&limit=${limit}`);
      if (page.changes.length === 0) break;
      seen.push(...told(page));
      after = page.next;
    }
    expect(seen, `limit ${limit}`).toEqual(expected);
  }
});

test('a change carries the version it made and the one it replaced', async () => {
  const start = await now();
  const one = (await server.send('PUT', '/entity/a%2Fv', { json: { n: 1 } })).json;
  const two = (await server.send('PUT', '/entity/a%2Fv', { json: { n: 2 } })).json;
  const { changes } = await feed(`after=${start}`);
  expect(changes[0]).toMatchObject({ timestamp: one._rev, urn: one._urn, document: { n: 1 } });
  expect(changes[1]).toMatchObject({
    timestamp: two._rev,
    previous_rev: one._rev,
    document: { n: 2 },
  });
});

test('what did not commit is not told', async () => {
  const start = await now();
  const { id } = (await server.send('POST', '/transaction/begin')).json;
  const headers = { 'x-themis-transaction': id as string };
  await server.send('PUT', '/entity/a%2Ft', { headers, json: {} });
  expect((await feed(`after=${start}`)).changes).toEqual([]);
  await server.send('POST', '/transaction/rollback', { headers });
  expect((await feed(`after=${start}`)).changes).toEqual([]);
});

test('one collection, one namespace', async () => {
  const start = await now();
  const other = { 'x-themis-namespace': 'other' };
  await server.send('POST', '/collections', { json: { name: 'a' }, headers: other });
  await server.send('PUT', '/entity/a%2Fx', { json: {}, headers: other });
  await server.send('PUT', '/entity/a%2Fy', { json: {} });
  await server.send('PUT', '/entity/b%2Fz', { json: {} });
  expect(told(await feed(`after=${start}&collection=b`))).toEqual(['insert b/z']);
  expect(told(await feed(`after=${start}`))).toEqual(['insert a/y', 'insert b/z']);
  expect(told(await feed(`after=${start}`, other))).toEqual(['insert a/x']);
});

test('waiting ends with a change, or empty-handed when its time is over', async () => {
  const start = await now();
  const woken = feed(`after=${start}&wait_ms=20000`);
  await underWay();
  await server.send('PUT', '/entity/a%2Fwake', { json: {} });
  expect(told(await woken)).toEqual(['insert a/wake']);

  const end = await now();
  const patient = feed(`after=${end}&wait_ms=20000`);
  await underWay();
  // Changes elsewhere wake it, but are nothing to tell.
  await server.send('PUT', '/entity/a%2Felse', {
    json: {},
    headers: { 'x-themis-namespace': 'other' },
  });
  await underWay();
  time.advance(20_001);
  const answer = await patient;
  expect(answer.changes).toEqual([]);
  expect((await feed(`after=${answer.next}`)).changes).toEqual([]);
});

test('many wait at once without a warning', async () => {
  const warnings: string[] = [];
  const warn = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', warn);
  const start = await now();
  const waiting = Array.from({ length: 15 }, () => feed(`after=${start}&wait_ms=20000`));
  await underWay(15);
  await server.send('PUT', '/entity/a%2Fwake', { json: {} });
  for (const each of waiting) expect((await each).changes).toHaveLength(1);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

/** Until the server is at work on requests besides the one that asks. */
async function underWay(count = 1): Promise<void> {
  const pattern = new RegExp(`^themis_http_requests_in_flight ${count + 1}$`, 'm');
  while (!pattern.test((await server.send('GET', '/metrics')).text));
}

test('a token ahead of the log is refused: it belongs to another database', async () => {
  const { status, json } = await server.send('GET', '/changefeed?after=9999999.0');
  expect(status).toBe(400);
  expect(json).toMatchObject({ error: { code: 'INVALID_FIELD', details: { path: ['after'] } } });
});
