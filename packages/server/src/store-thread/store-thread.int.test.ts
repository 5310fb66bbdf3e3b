import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServerProcess, type ServerProcess } from '../testing/server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-thread-'));
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(folder, { 'store-thread': 'worker', 'log-level': 'error' });
  await server.send('POST', '/collections', { json: { name: 'c' } });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('requests, errors and host names are as on one thread', async () => {
  const headers = { 'x-request-id': 'mine' };
  const put = await server.send('PUT', '/entity/c/a', { json: { n: 1 }, headers });
  expect([put.status, put.headers['x-request-id']]).toEqual([201, 'mine']);
  expect((await server.send('GET', '/entity/c/a')).json).toMatchObject({ n: 1 });
  expect((await server.send('GET', '/entity/c/b')).code).toBe('ENTITY_NOT_FOUND');
  expect((await server.send('DELETE', '/entity/c/a')).status).toBe(200);
  const foreign = { host: 'evil.example' };
  expect((await server.send('GET', '/entity/c/a', { headers: foreign })).code).toBe(
    'HOST_NOT_ALLOWED',
  );
});

test('large bodies, streams both ways, and a body beyond the limit', async () => {
  const text = 'x'.repeat(2_000_000);
  await server.send('PUT', '/entity/c/large', { json: { text } });
  expect((await server.send('GET', '/entity/c/large')).json.text).toBe(text);
  const lines = Array.from({ length: 20_000 }, (_, n) =>
    JSON.stringify({ n, text: 'y'.repeat(50) }),
  );
  const imported = await server.send('POST', '/collections/c/import', {
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(imported.json, imported.text).toMatchObject({ created: 20_000 });
  const rows = await server.send('POST', '/query/aql', {
    json: { query: 'FOR d IN c FILTER d.n >= 0 RETURN d' },
    headers: { accept: 'application/x-ndjson' },
  });
  expect(rows.text.split('\n').filter((line) => line.startsWith('{"row"'))).toHaveLength(20_000);
  const huge = await server.send('PUT', '/entity/c/huge', {
    json: { text: 'z'.repeat(17_000_000) },
  });
  expect([huge.status, huge.code]).toEqual([413, 'BODY_TOO_LARGE']);
});

test('a client that leaves ends its query; a signal ends the process in order', async () => {
  const leaving = new AbortController();
  const asked = fetch(`${server.url}/query/aql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'FOR i IN 1..1000000000 FILTER i < 0 RETURN i' }),
    signal: leaving.signal,
  });
  const running = async (): Promise<unknown[]> =>
    (await server.send('GET', '/queries')).json.queries as unknown[];
  while ((await running()).length === 0);
  leaving.abort();
  await expect(asked).rejects.toThrow(/abort/);
  while ((await running()).length > 0);
  server.kill('SIGTERM');
  expect(await server.ended).toBe(0);
});
