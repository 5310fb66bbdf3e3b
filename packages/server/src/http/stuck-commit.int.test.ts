import { mkdtempSync, rmSync } from 'node:fs';
import { request, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFakeTime, type FakeTime } from '../testing/fake-time.ts';
import { StuckDisk } from '../testing/stuck-disk.ts';
import {
  readAnswer,
  startTestServer,
  type TestAnswer,
  type TestServer,
} from '../testing/test-server.ts';

// A whole node on RocksDB and a real log, whose disk does not say that anything is durable.

let data: string;
let time: FakeTime;
let disk: StuckDisk;
let server: TestServer;

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'themis-stuck-'));
  time = makeFakeTime(data);
  disk = new StuckDisk(time.env.disk);
  server = await startTestServer({ engine: 'rocksdb', data }, { ...time.env, disk: disk.disk });
  await server.send('POST', '/collections', { json: { name: 'c' } });
});
afterEach(async () => {
  disk.release();
  await server.stop().catch(() => undefined);
  rmSync(data, { recursive: true });
});

const headers = { 'x-request-timeout': '1000' };
const put = (key: string, n: number, more = {}): Promise<TestAnswer> =>
  server.send('PUT', `/entity/c%2F${key}`, { json: { n }, headers: { ...headers, ...more } });

/** Until so many requests are under way besides the one that asks. */
async function underWay(count: number): Promise<void> {
  const line = `themis_http_requests_in_flight ${count + 1}\n`;
  await until(async () => (await server.send('GET', '/metrics')).text.includes(line));
  await pause();
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 1000; n++) if (await holds()) return;
  throw new Error('it never came to this');
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** Lets the time of those requests go by. */
async function codesOf(asked: readonly Promise<TestAnswer>[]): Promise<unknown[]> {
  await underWay(asked.length);
  return (await whileTimePasses(Promise.all(asked))).map(({ code }) => code);
}

/** A hundred seconds at most. */
async function whileTimePasses<Result>(work: Promise<Result>): Promise<Result> {
  let isOver = false;
  const ended = work.finally(() => (isOver = true));
  ended.catch(() => undefined);
  for (let n = 0; n < 100 && !isOver; n++) {
    time.advance(1000);
    await pause();
  }
  if (!isOver) throw new Error('it did not end in its time');
  return ended;
}

test('who waits for another commit ends in his time, and has done nothing', async () => {
  disk.stick();
  const held = disk.held();
  const first = put('a', 1);
  await held;
  expect(await codesOf([first, put('a', 2)])).toEqual(['UNKNOWN_OUTCOME', 'REQUEST_TIMEOUT']);
  disk.release();
  expect((await put('b', 1)).status).toBe(201);
  expect((await server.send('GET', '/entity/c%2Fa')).json.n).toBe(1);
});

test('a repetition under the key of a commit that does not end is unknown, and may be repeated', async () => {
  disk.stick();
  const keyed = { 'idempotency-key': 'k' };
  const held = disk.held();
  const first = put('a', 1, keyed);
  await held;
  const second = put('a', 1, keyed);
  expect(await codesOf([first, second])).toEqual(['UNKNOWN_OUTCOME', 'UNKNOWN_OUTCOME']);
  expect((await second).json.retryable).toBe(true);
  disk.release();
  const third = await put('a', 1, keyed);
  expect([third.status, third.headers['idempotency-replayed']]).toEqual([201, 'true']);
});

test('changes of the catalog and imports end in their time', async () => {
  disk.stick();
  const json = { fields: ['n'] };
  const lines = { 'content-type': 'application/x-ndjson', ...headers };
  const asked = [
    server.send('POST', '/collections', { json: { name: 'd' }, headers }),
    server.send('PATCH', '/collections/c', { json: { schema: null }, headers }),
    server.send('POST', '/collections/c/indexes', { json, headers }),
    server.send('PUT', '/collections/c/truncate', { headers }),
    server.send('DELETE', '/collections/c', { headers }),
    server.send('POST', '/collections/c/import', { body: '{"n":1}\n', headers: lines }),
  ];
  expect(await codesOf(asked)).toEqual(Array(asked.length).fill('UNKNOWN_OUTCOME'));
});

test('an import has as long as a request for each commit, and no limit as a whole', async () => {
  disk.stick();
  const type = { 'content-type': 'application/x-ndjson' };
  const body = '{"n":1}\n';
  const held = disk.held();
  const importing = server.send('POST', '/collections/c/import', { body, headers: type });
  await held;
  time.advance(299_000);
  await underWay(1);
  time.advance(2_000);
  expect((await importing).code).toBe('UNKNOWN_OUTCOME');
});

const committed = {
  code: 'UNKNOWN_OUTCOME',
  details: { committed: { line: 8000, created: 8000 } },
};

/** An import whose client has sent enough for a first commit, which is done, and pauses. */
async function pausedImport(more = {}): Promise<{
  readonly outgoing: ClientRequest;
  readonly answer: Promise<TestAnswer>;
}> {
  const outgoing = request(`${server.url}/collections/c/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...more },
    agent: false,
  });
  const answer = new Promise<TestAnswer>((resolve, reject) => {
    outgoing.on('response', (message) => resolve(readAnswer(message)));
    outgoing.on('error', reject);
  });
  outgoing.write('{"n":1}\n'.repeat(9000));
  await until(async () => {
    await pause();
    return (await server.send('GET', '/collections/c?count=exact')).json.count === 8000;
  });
  await pause();
  return { outgoing, answer };
}

test('an import waits for its client as long as that pauses, unless it set a time', async () => {
  const { outgoing, answer } = await pausedImport();
  time.advance(1_000_000);
  outgoing.end('{"n":1}\n');
  expect((await answer).json).toMatchObject({ created: 9001 });
});

test('an import ends in the time its client has set, also when that pauses', async () => {
  const { answer } = await pausedImport({ 'x-request-timeout': '400000' });
  time.advance(399_000);
  await underWay(1);
  time.advance(2_000);
  expect((await answer).json.error).toMatchObject(committed);
});

test('an import whose commit does not end tells what was committed before', async () => {
  const { outgoing, answer } = await pausedImport();
  disk.stick();
  const held = disk.held();
  outgoing.end('{"n":1}\n');
  await held;
  time.advance(301_000);
  expect((await answer).json.error).toMatchObject(committed);
});

test('a transaction whose commit does not end is unknown until it does', async () => {
  const { json } = await server.send('POST', '/transaction/begin');
  const inIt = { 'x-themis-transaction': json.id as string };
  const post = (what: string, more = {}): Promise<TestAnswer> =>
    server.send('POST', `/transaction/${what}`, { headers: { ...headers, ...inIt, ...more } });
  const state = async (): Promise<unknown> =>
    (await server.send('GET', `/transaction/${json.id}`)).json.state;
  await put('a', 1, inIt);
  expect(await state()).toBe('open');
  disk.stick();
  const unknown = 'UNKNOWN_OUTCOME';
  const held = disk.held();
  const commit = post('commit');
  await held;
  expect(await codesOf([commit])).toEqual([unknown]);
  expect(await state()).toBe('unknown');
  expect((await post('rollback')).code).toBe(unknown);
  const again = [post('commit'), post('commit', { 'idempotency-key': 'k' }), put('a', 2, inIt)];
  expect(await codesOf(again)).toEqual([unknown, unknown, unknown]);
  disk.release();
  await put('b', 1);
  await until(async () => (await state()) === 'committed');
  expect((await post('commit')).code).toBe('TRANSACTION_ENDED');
});

test('a stop does not wait for the time of a request whose commit does not end', async () => {
  disk.stick();
  const held = disk.held();
  const cut = server.send('PUT', '/entity/c%2Fa', { json: {} }).catch(() => undefined);
  await held;
  const stopped = server.running.stop({ graceMs: 100 });
  const told = stopped.catch((error: { code: unknown }) => error.code);
  expect(await whileTimePasses(told)).toBe('STORE_FAILED');
  await cut;
});

test('a stop that takes long ends well when the disk goes on', async () => {
  disk.stick();
  const held = disk.held();
  const cut = server.send('PUT', '/entity/c%2Fa', { json: {} }).catch(() => undefined);
  await held;
  const stopped = server.running.stop({ graceMs: 100 });
  const told = stopped.then(
    () => 'stopped',
    (error: { code: unknown }) => error.code,
  );
  await whileTimePasses(cut);
  for (let n = 0; n < 30; n++) {
    await pause();
    time.advance(1000);
  }
  disk.release();
  expect(await told).toBe('stopped');
});
