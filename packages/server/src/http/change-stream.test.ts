import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeFakeTime, type FakeTime } from '../testing/fake-time.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
let time: FakeTime;
const folder = mkdtempSync(join(tmpdir(), 'themis-change-stream-'));
beforeAll(async () => {
  time = makeFakeTime(folder);
  server = await startTestServer({}, time.env);
  for (const name of ['a', 'b']) await server.send('POST', '/collections', { json: { name } });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
const opened: Follower[] = [];
afterEach(() => {
  for (const follower of opened.splice(0)) follower.leave();
});

interface Event {
  readonly id?: string;
  readonly event?: string;
  // Looked into by the tests.
  // eslint-disable-next-line typescript/no-explicit-any
  readonly data?: any;
  readonly remark?: string;
}

/** Reads a stream block by block, as WHATWG HTML 9.2.6 has it. */
class Follower {
  readonly message: IncomingMessage;
  readonly #blocks: AsyncIterator<Event>;

  constructor(message: IncomingMessage) {
    this.message = message;
    this.#blocks = blocksOf(message);
  }

  /** Undefined at the end of the stream. */
  async next(): Promise<Event | undefined> {
    const { done, value } = await this.#blocks.next();
    return done === true ? undefined : (value as Event);
  }

  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) break;
      if (event.data !== undefined) events.push(event);
    }
    return events;
  }

  leave(): void {
    this.message.destroy();
  }
}

async function* blocksOf(message: IncomingMessage): AsyncGenerator<Event> {
  let rest = '';
  try {
    for await (const chunk of message) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) yield eventOf(block);
    }
  } catch {
    // Cut off by this test itself.
  }
}

function eventOf(block: string): Event {
  const event: Record<string, unknown> = {};
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w*): (.*)$/.exec(line)!;
    event[name === '' ? 'remark' : name!] = name === 'data' ? JSON.parse(value!) : value;
  }
  return event;
}

async function follow(query: string, headers: Record<string, string> = {}): Promise<Follower> {
  const follower = new Follower(
    await server.open('GET', `/changefeed/stream?${query}`, { headers }),
  );
  opened.push(follower);
  return follower;
}
const told = (events: Event[]): string[] =>
  events.map(({ data }) => `${data.operation} ${data.collection}/${data.document?._key ?? '?'}`);
const now = async (): Promise<string> =>
  (await server.send('GET', '/changefeed?after=now')).json.next as string;

test('tells what was, then what comes, each with the token to resume from', async () => {
  const start = await now();
  await server.send('PUT', '/entity/a/1', { json: { n: 1 } });
  const follower = await follow(`after=${start}`);
  expect(follower.message.statusCode).toBe(200);
  expect(follower.message.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
  });
  expect(await follower.next()).toEqual({ remark: 'changes follow' });
  const [first] = await follower.take(1);
  await server.send('PATCH', '/entity/a/1', { json: { n: 2 } });
  await server.aql('FOR i IN 1..250 INSERT { _key: TO_STRING(i) } INTO b');
  await server.send('DELETE', '/entity/a/1');
  const events = [first!, ...(await follower.take(252))];
  expect(told(events)).toEqual([
    'insert a/1',
    'update a/1',
    ...Array.from({ length: 250 }, (_, i) => `insert b/${i + 1}`),
    'remove a/?',
  ]);
  const polled = await server.send('GET', `/changefeed?after=${start}`);
  expect(events.map(({ data }) => data)).toEqual(polled.json.changes);
  expect(events.map(({ id }) => id)).toEqual(
    polled.json.changes.map((c: Event['data']) => c.token),
  );
});

test('Last-Event-ID resumes, and wins over after', async () => {
  const start = await now();
  for (const n of [1, 2, 3]) await server.send('PUT', `/entity/a/r${n}`, { json: {} });
  const [first, second] = await (await follow(`after=${start}`)).take(2);
  for (const event of [first!, second!]) {
    const resumed = await follow(`after=${start}`, { 'last-event-id': event.id! });
    const missing = event === first ? ['insert a/r2', 'insert a/r3'] : ['insert a/r3'];
    expect(told(await resumed.take(missing.length))).toEqual(missing);
  }
});

test('after=now tells its place at once, so that nothing is lost by leaving before a change', async () => {
  const place = await now();
  const follower = await follow('after=now');
  expect(await follower.next()).toEqual({ remark: 'changes follow', id: place });
});

test('one collection, one namespace; what is passed over moves the id on', async () => {
  const start = await now();
  const follower = await follow(`after=${start}&collection=b`);
  await follower.next();
  await server.send('PUT', '/entity/a/other', { json: {} });
  time.advance(15_000);
  const [record] = (await now()).split('.');
  expect(await follower.next()).toEqual({ remark: 'still here', id: `${record}.0` });
  await server.send('PUT', '/entity/b/own', { json: {} });
  expect(told(await follower.take(1))).toEqual(['insert b/own']);
});

test('says every now and then that it lives, and only when there is nothing else', async () => {
  const follower = await follow('after=now');
  await follower.next();
  time.advance(14_000);
  await server.send('PUT', '/entity/a/beat', { json: {} });
  expect((await follower.next())?.data.document._key).toBe('beat');
  time.advance(14_000);
  await server.send('PUT', '/entity/a/beat2', { json: {} });
  expect((await follower.next())?.data.document._key).toBe('beat2');
  time.advance(15_000);
  expect((await follower.next())?.remark).toBe('still here');
});

test('lives longer than any request, unless it is given its time', async () => {
  const limited = await follow('after=now', { 'x-request-timeout': '20000' });
  const unlimited = await follow('after=now');
  await limited.next();
  await unlimited.next();
  time.advance(20_001);
  while ((await limited.next()) !== undefined);
  time.advance(3_600_000);
  await server.send('PUT', '/entity/a/late', { json: {} });
  expect(told(await unlimited.take(1))).toEqual(['insert a/late']);
});

test('a client that leaves is forgotten', async () => {
  const follower = await follow('after=now');
  await follower.next();
  follower.leave();
  const alone = /^themis_http_requests_in_flight 1$/m;
  while (!alone.test((await server.send('GET', '/metrics')).text));
});

test.each([
  ['after=yesterday', {}, 400, 'INVALID_FIELD'],
  ['after=9999999.0', {}, 400, 'INVALID_FIELD'],
  ['wait_ms=5', {}, 400, 'UNKNOWN_FIELD'],
  ['', { 'last-event-id': 'x' }, 400, 'INVALID_FIELD'],
  ['', { accept: 'application/json' }, 406, 'NOT_ACCEPTABLE'],
])('%s %j is refused with a problem document', async (query, headers, status, code) => {
  const answer = await server.send('GET', `/changefeed/stream?${query}`, { headers });
  expect([answer.status, answer.code]).toEqual([status, code]);
});

test('HEAD answers and ends', async () => {
  const answer = await server.send('HEAD', '/changefeed/stream');
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
});

test('ends when the server stops, without holding it up', async () => {
  const own = await startTestServer();
  const follower = new Follower(await own.open('GET', '/changefeed/stream?after=now'));
  await follower.next();
  await own.stop();
  expect(await follower.next()).toBeUndefined();
  expect(follower.message.complete).toBe(true);
});

test('goes no further than its client: nothing is read ahead of what is taken', async () => {
  const own = await startTestServer({ 'limits.receiveTimeoutMs': 200 });
  await own.send('POST', '/collections', { json: { name: 'c' } });
  const pad = 'x'.repeat(100_000);
  await own.aql('FOR i IN 1..600 INSERT { i, pad: @pad } INTO c', { pad });
  const message = await own.open('GET', '/changefeed/stream');
  message.pause();
  // The server gives up on who takes nothing: 60 MB were never sent.
  const alone = /^themis_http_requests_in_flight 1$/m;
  while (!alone.test((await own.send('GET', '/metrics')).text));
  let seen = 0;
  try {
    for await (const chunk of message) seen += (chunk as Buffer).length;
  } catch {
    // Cut off.
  }
  expect(seen).toBeLessThan(30_000_000);
  expect(message.complete).toBe(false);
  await own.stop();
});
