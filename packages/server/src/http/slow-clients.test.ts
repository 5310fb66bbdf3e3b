import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

// The server's patience is set to a tenth of a second; each test waits for what the server does then.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ 'limits.receiveTimeoutMs': 100 });
});
afterAll(() => server.stop());

function send(text: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(server.running.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // Being cut off may show as a reset.
  socket.on('error', () => undefined);
  socket.write(text);
  const closed = new Promise<string>((resolve) =>
    socket.on('close', () => resolve(Buffer.concat(chunks).toString())),
  );
  return { socket, closed };
}

const head = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

test('a body that does not come to its end', async () => {
  expect(await send(`${head('/query/aql', 100)}{"query":`).closed).toBe('');
});

test('an import that stops in the middle keeps what came before', async () => {
  await server.send('POST', '/collections', { json: { name: 'c' } });
  const request = head('/collections/c/import', 1000).replace('/json', '/x-ndjson');
  expect(await send(`${request}{"_key":"a"}\n{"_key":"b"`).closed).toBe('');
  const { json } = await server.aql('FOR x IN c RETURN x._key');
  expect(json.results).toEqual(['a']);
});

test('an answer that is not taken', async () => {
  const body = '{"query":"FOR i IN 1..100000000 RETURN CONCAT(i, \\" and some more text\\")"}';
  const request = head('/query/aql', body.length).replace(
    '\r\n\r\n',
    '\r\naccept: application/x-ndjson\r\n\r\n',
  );
  const { socket, closed } = send(request + body);
  socket.pause();
  // Nothing is read, so the close is seen only when reading goes on; the query's end is seen from here.
  while ((await server.send('GET', '/queries')).json.queries.length === 0);
  while ((await server.send('GET', '/queries')).json.queries.length > 0);
  socket.resume();
  expect(await closed).not.toContain('"end"');
});

test('who waits for an answer is not dropped', async () => {
  const { status, json } = await server.send('GET', '/changefeed?after=now&wait_ms=400');
  expect([status, json.changes]).toEqual([200, []]);
});
