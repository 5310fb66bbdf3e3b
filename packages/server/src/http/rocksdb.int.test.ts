import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { themisError } from '@themisdb/protocol';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

// The whole node on RocksDB and a real log, stopped and started again on the same folder.

const data = mkdtempSync(join(tmpdir(), 'themis-http-'));
let server: TestServer;
const start = (): Promise<TestServer> => startTestServer({ engine: 'rocksdb', data });
beforeAll(async () => {
  server = await start();
});
afterAll(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

async function restart(): Promise<void> {
  await server.stop();
  server = await start();
}

test('entities, indexes, answers and changes outlive a restart', async () => {
  await server.send('POST', '/collections', { json: { name: 'films' } });
  await server.send('POST', '/collections/films/indexes', {
    json: { fields: ['year'], name: 'y' },
  });
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `{"_key":"f${i}","year":${1900 + (i % 100)}}`,
  );
  const imported = await server.send('POST', '/collections/films/import', {
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(imported.json.created).toBe(3000);
  const first = await server.send('GET', '/changefeed?limit=10');
  const keyed = {
    headers: { 'idempotency-key': 'once' },
    json: { query: 'INSERT { y: 1 } INTO films RETURN NEW' },
  };
  const inserted = await server.send('POST', '/query/aql', keyed);
  const etag = (await server.send('GET', '/entity/films%2Ff7')).headers.etag;

  await restart();

  expect((await server.send('GET', '/entity/films%2Ff7')).headers.etag).toBe(etag);
  const query = 'FOR f IN films FILTER f.year == 1942 RETURN f._key';
  const found = await server.aql(query);
  expect(found.json.results).toHaveLength(30);
  expect(found.json.stats).toMatchObject({ scannedFull: 0, scannedIndex: 30 });
  expect((await server.send('POST', '/query/aql', keyed)).json).toEqual(inserted.json);
  expect((await server.send('GET', '/collections/films?count=exact')).json.count).toBe(3001);

  let after = first.json.next as string;
  let seen = first.json.changes.length as number;
  for (;;) {
    const { json } = await server.send('GET', `/changefeed?after=${after}&limit=1000`);
    if (json.changes.length === 0) break;
    seen += json.changes.length;
    after = json.next;
  }
  expect(seen).toBe(3001);
});

test('a change wakes a long poll', async () => {
  const { next } = (await server.send('GET', '/changefeed?after=now')).json;
  const waiting = server.send('GET', `/changefeed?after=${next}&wait_ms=30000`);
  await server.send('PUT', '/entity/films%2Fnews', { json: { n: 1 } });
  const { json } = await waiting;
  expect(json.changes).toHaveLength(1);
  expect(json.changes[0]).toMatchObject({ operation: 'insert', document: { _key: 'news', n: 1 } });
});

test('the folder belongs to one server', async () => {
  await expect(start()).rejects.toMatchObject({ code: 'DATA_LOCKED' });
});

test('a full disk does not keep it from its end', async () => {
  await server.send('PUT', '/entity/films%2Flast', { json: {} });
  server.running.database.checkpoint = () =>
    Promise.reject(themisError('DISK_FULL', { message: 'no space left' }));
  await restart();
  expect((await server.send('GET', '/entity/films%2Flast')).status).toBe(200);
});
