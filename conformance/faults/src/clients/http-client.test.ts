import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HttpClient, isFinal, verdictOf, type Answer } from './http-client.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function send(url: string, timeoutMs = 30_000): Promise<Answer> {
  const http = new HttpClient({ endpoints: [url], first: 0, timeoutMs });
  try {
    return await http.send('PUT', '/x', { json: {} });
  } finally {
    http.close();
  }
}

test('an answer is read whole', async () => {
  const url = await serve((_, response) => {
    response.writeHead(412).end(JSON.stringify({ error: { code: 'PRECONDITION_FAILED' } }));
  });
  expect(await send(url)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' });
});

test('nobody listens: the request was certainly not done', async () => {
  const url = await serve(() => undefined);
  await once(servers[0]!.close(), 'close');
  expect(await send(url)).toEqual({ type: 'refused' });
});

test.each<[string, RequestListener, number?]>([
  ['no answer within the time', () => undefined, 20],
  ['an answer that does not end within it', (_, response) => void response.write('{'), 20],
  ['a connection broken off', (request) => request.socket.destroy()],
  [
    'an answer broken off',
    (request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => request.socket.destroy());
    },
  ],
])('%s: nobody knows', async (_, listener, timeoutMs) => {
  expect(await send(await serve(listener), timeoutMs)).toEqual({ type: 'lost' });
});

test('it stays at a node until told to go on', async () => {
  const first = await serve((_, response) => response.writeHead(503).end('{}'));
  const second = await serve((_, response) => response.end('{}'));
  const http = new HttpClient({ endpoints: [first, second], first: 2, timeoutMs: 30_000 });
  expect(await http.send('GET', '/')).toMatchObject({ status: 503 });
  expect(await http.send('GET', '/')).toMatchObject({ status: 503 });
  http.next();
  expect(await http.send('GET', '/')).toMatchObject({ status: 200 });
  http.close();
});

test.each([
  [200, undefined, 'done', true],
  [201, undefined, 'done', true],
  [400, 'BAD_REQUEST', 'refused', true],
  [412, 'PRECONDITION_FAILED', 'refused', true],
  [409, 'WRITE_CONFLICT', 'refused', false],
  [429, 'TOO_MANY_REQUESTS', 'refused', false],
  [408, 'REQUEST_TIMEOUT', 'unknown', false],
  [503, 'NOT_LEADER', 'refused', false],
  [503, 'NO_LEADER', 'refused', false],
  [503, 'UNKNOWN_OUTCOME', 'unknown', false],
  [503, 'STORE_FAILED', 'unknown', false],
  [500, 'INTERNAL', 'unknown', false],
])('status %i, code %s: %s', (status, code, verdict, isLast) => {
  const answer: Answer = { type: 'answer', status, code, body: undefined };
  expect(verdictOf(answer)).toBe(verdict);
  expect(isFinal(answer)).toBe(isLast);
});
