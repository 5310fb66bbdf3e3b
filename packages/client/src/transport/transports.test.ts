import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTransport as makeFetch } from './fetch-transport.ts';
import type { TransportResponse } from './transport.ts';
import { makeTransport as makeUndici } from './undici-transport.ts';

// A server whose answers end within their body.
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"half":');
    setImmediate(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function readAll(response: TransportResponse): Promise<number> {
  let bytes = 0;
  for await (const chunk of response.chunks()) bytes += chunk.length;
  return bytes;
}

test.each([
  ['undici', makeUndici],
  ['fetch', makeFetch],
])('%s: an answer that breaks off is a broken connection', async (_, make) => {
  const transport = make({ connectionsMax: 2 });
  const request = { method: 'GET', origin, path: '/', headers: {} };
  const broken = { code: 'CONNECTION_FAILED', details: { sent: true } };
  await expect((await transport.send(request)).text()).rejects.toMatchObject(broken);
  await expect(readAll(await transport.send(request))).rejects.toMatchObject(broken);
  await transport.close();
});
