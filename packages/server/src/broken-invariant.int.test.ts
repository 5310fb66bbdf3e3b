import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, InvariantError, silentLog } from '@themisdb/base';
import { afterAll, expect, test } from 'vitest';
import { makeConfig } from './config/config.ts';
import { open } from './database/open.ts';
import { defectExitCode } from './defect-exit.ts';
import { brokenInvariant } from './http/broken-invariant.ts';
import { startServer } from './server.ts';
import { startServerProcess } from './testing/server-process.ts';
import { testClient } from './testing/test-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-broken-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a broken invariant is answered, logged, and the end of the process', async () => {
  const server = await startServerProcess(folder);
  await server.send('POST', '/collections', { json: { name: 'c' } });
  expect((await server.send('PUT', '/entity/c/kept', { json: {} })).status).toBe(201);
  const answer = await server.send('PUT', '/entity/c/x', { json: { broken: true } });
  expect([answer.status, answer.code]).toEqual([500, 'INTERNAL']);
  expect(answer.text).not.toContain('ever broken');
  expect(await server.ended).toBe(defectExitCode);
  const told = server.log().at(-1);
  expect(told).toMatchObject({ level: 'error', requestId: answer.json.request_id });
  expect(told?.error).toContain('InvariantError: no document is ever broken');

  const database = await open(folder);
  expect(await database.collection('c').get('kept')).toMatchObject({ _key: 'kept' });
  expect(await database.collection('c').count()).toBe(1);
  await database.close();
}, 60_000);

const broken = (): never => {
  assert(false, 'a defect');
  throw new Error('never');
};

test('open() rejects with it, and the process that embeds us decides', async () => {
  const database = await open(folder, {
    engine: 'memory',
    rules: () => ({ prepare: broken }),
  });
  const collection = await database.createCollection({ name: 'c' });
  await expect(collection.put('x', {})).rejects.toBeInstanceOf(InvariantError);
  await expect(database.query('INSERT {} INTO c').all()).rejects.toBeInstanceOf(InvariantError);
  expect(await database.query('RETURN 1').all()).toEqual([1]);
  await database.close();
});

test.each<[string, string, string, object]>([
  ['an entity', 'PUT', '/entity/c/x', {}],
  ['one of a batch', 'POST', '/batch/put', { items: [{ ref: 'c/y', entity: {} }] }],
  ['all of a batch', 'POST', '/batch/put', { items: [{ ref: 'c/y', entity: {} }], atomic: true }],
  ['a query', 'POST', '/query/aql', { query: 'INSERT {} INTO c' }],
])('written as %s it is no answer to the item, and the starter hears of it', async (...given) => {
  const [, method, path, json] = given;
  const met: InvariantError[] = [];
  const server = await startServer(makeConfig({ port: 0, engine: 'memory' }), {
    log: silentLog,
    rules: () => ({ prepare: broken }),
    onBrokenInvariant: (error) => met.push(error),
  });
  const client = testClient(server.url);
  await client.send('POST', '/collections', { json: { name: 'c' } });
  expect((await client.send(method, path, { json })).code).toBe('INTERNAL');
  await server.stop();
  expect(met.map(({ message }) => message)).toEqual(['a defect']);
});

test('it is found however it was wrapped, and nothing else is', () => {
  const error = new InvariantError('x');
  expect(brokenInvariant(new Error('a', { cause: new Error('b', { cause: error }) }))).toBe(error);
  const loop = new Error('loop');
  loop.cause = loop;
  for (const other of [loop, new TypeError('x'), undefined, 'InvariantError']) {
    expect(brokenInvariant(other)).toBeUndefined();
  }
});
