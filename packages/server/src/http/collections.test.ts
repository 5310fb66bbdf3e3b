import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test('collections are created, listed, described, emptied and dropped', async () => {
  const made = await server.send('POST', '/collections', { json: { name: 'films' } });
  expect(made.status).toBe(201);
  expect(made.headers.location).toBe('/collections/films');
  expect(made.json).toMatchObject({
    name: 'films',
    model: 'document',
    type: 'document',
    indexes: [],
  });
  expect((await server.send('POST', '/collections', { json: { name: 'films' } })).code).toBe(
    'COLLECTION_EXISTS',
  );
  await server.send('POST', '/collections', { json: { name: 'actors' } });
  const { json } = await server.send('GET', '/collections');
  expect(json.collections.map((c: { name: string }) => c.name)).toEqual(['actors', 'films']);

  await server.aql('FOR i IN 1..5 INSERT { i } INTO films');
  expect((await server.send('GET', '/collections/films?count=exact')).json.count).toBe(5);
  expect((await server.send('PUT', '/collections/films/truncate')).status).toBe(204);
  expect((await server.send('GET', '/collections/films?count=exact')).json.count).toBe(0);
  expect((await server.send('DELETE', '/collections/films')).status).toBe(204);
  const gone = await server.send('GET', '/collections/films');
  expect([gone.status, gone.code]).toEqual([404, 'COLLECTION_NOT_FOUND']);
});

test('indexes are made, used, listed and dropped', async () => {
  await server.send('POST', '/collections', { json: { name: 'people' } });
  await server.aql('FOR i IN 1..50 INSERT { i, even: i % 2 == 0 } INTO people');
  const spec = { fields: ['i'], unique: true, name: 'by_i' };
  const made = await server.send('POST', '/collections/people/indexes', { json: spec });
  expect(made.status).toBe(201);
  expect(made.json).toMatchObject({ ...spec, type: 'persistent', state: 'ready' });
  const again = await server.send('POST', '/collections/people/indexes', { json: spec });
  expect([again.status, again.json.id]).toEqual([200, made.json.id]);
  const plan = await server.send('POST', '/query/aql/explain', {
    json: { query: 'FOR p IN people FILTER p.i == 7 RETURN p' },
  });
  expect(plan.json.planText).toContain('by_i');
  const taken = await server.send('POST', '/collections/people/indexes', {
    json: { fields: ['even'], unique: true },
  });
  expect([taken.status, taken.code]).toEqual([409, 'UNIQUE_VIOLATION']);
  const { json } = await server.send('GET', '/collections/people/indexes');
  expect(json.indexes).toHaveLength(1);
  expect((await server.send('DELETE', '/collections/people/indexes/by_i')).status).toBe(204);
  const gone = await server.send('DELETE', `/collections/people/indexes/${made.json.id}`);
  expect([gone.status, gone.code]).toEqual([404, 'INDEX_NOT_FOUND']);
});

describe('schemas', () => {
  const rule = {
    type: 'object',
    properties: { age: { type: 'integer', minimum: 0 } },
    required: ['age'],
  };

  test('are set, read, changed and taken away', async () => {
    await server.send('POST', '/collections', { json: { name: 'checked', schema: { rule } } });
    const bad = await server.send('PUT', '/entity/checked%2Fa', { json: { age: 'x' } });
    expect([bad.status, bad.code]).toEqual([400, 'SCHEMA_VIOLATION']);
    expect((await server.send('GET', '/entity/checked%2Fa')).status).toBe(404);
    const { json } = await server.send('GET', '/collections/checked/schema');
    expect(json).toEqual({ rule, level: 'strict' });
    await server.send('PUT', '/collections/checked/schema', {
      json: { rule: { ...rule, required: [] }, level: 'new', message: 'no' },
    });
    expect((await server.send('PUT', '/entity/checked%2Fa', { json: {} })).status).toBe(201);
    const off = await server.send('PATCH', '/collections/checked', { json: { schema: null } });
    expect(off.json).not.toHaveProperty('schema');
    expect((await server.send('PUT', '/entity/checked%2Fb', { json: { age: 'x' } })).status).toBe(
      201,
    );
    expect((await server.send('GET', '/collections/checked/schema')).json).toEqual({
      level: 'none',
    });
  });

  test('relational collections keep their columns', async () => {
    const made = await server.send('POST', '/collections', {
      json: {
        name: 'rows',
        model: 'relational',
        columns: [
          { name: 'email', type: 'string', notNull: true, unique: true },
          { name: 'age', type: 'int', default: 1 },
        ],
      },
    });
    expect(made.status).toBe(201);
    const urn = (n: number): string =>
      `/entity/urn:themis:relational:default:rows:00000000-0000-4000-8000-00000000000${n}`;
    expect((await server.send('PUT', urn(1), { json: { email: 'a@x' } })).status).toBe(201);
    expect((await server.send('GET', urn(1))).json.age).toBe(1);
    expect((await server.send('PUT', urn(2), { json: { email: 'a@x' } })).code).toBe(
      'UNIQUE_VIOLATION',
    );
    expect((await server.send('PUT', urn(2), { json: {} })).code).toBe('SCHEMA_VIOLATION');
    const wrongModel = urn(1).replace('relational', 'document');
    expect((await server.send('GET', wrongModel)).code).toBe('MODEL_MISMATCH');
  });
});

describe('import', () => {
  const send = (body: string, query = ''): ReturnType<TestServer['send']> =>
    server.send('POST', `/collections/people2/import${query}`, {
      body,
      headers: { 'content-type': 'application/x-ndjson' },
    });
  beforeAll(async () => {
    await server.send('POST', '/collections', { json: { name: 'people2' } });
    await server.send('POST', '/collections/people2/indexes', {
      json: { fields: ['mail'], unique: true, sparse: true },
    });
  });

  test('loads lines in order, over several commits', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `{"_key":"k${i}","i":${i}}`);
    const { status, json } = await send(lines.join('\n'));
    expect(status).toBe(200);
    expect(json).toEqual({
      lines: 5000,
      created: 5000,
      updated: 0,
      ignored: 0,
      failed: 0,
      errors: [],
    });
    expect(
      (await server.aql('FOR p IN people2 COLLECT AGGREGATE s = SUM(p.i) RETURN s')).json.results,
    ).toEqual([(4999 * 5000) / 2]);
  });

  test('names the lines that fail and goes on', async () => {
    const { json } = await send(
      '{"_key":"n1","mail":"a"}\n{"_key":\n[1]\n{"_key":"n2","mail":"a"}\n\n{"_key":"k1"}\n{"_key":5}\n{"_key":"n3"}',
    );
    expect(json).toMatchObject({ lines: 7, created: 2, failed: 5 });
    expect(
      json.errors.map((e: { line: number; error: { code: string } }) => [e.line, e.error.code]),
    ).toEqual([
      [2, 'BAD_JSON'],
      [3, 'INVALID_FIELD'],
      [4, 'UNIQUE_VIOLATION'],
      [6, 'KEY_EXISTS'],
      [7, 'INVALID_KEY'],
    ]);
    const few = await send('x\ny\nz\n', '?errors_max=1');
    expect(few.json).toMatchObject({ failed: 3, errors: [{ line: 1 }] });
  });

  test('on_duplicate ignores, replaces or updates; the last line of a key wins', async () => {
    const line = '{"_key":"k1","a":1}\n{"_key":"k1","b":2}\n';
    expect((await send(line, '?on_duplicate=ignore')).json).toMatchObject({
      ignored: 2,
      created: 0,
    });
    expect((await server.send('GET', '/entity/people2%2Fk1')).json).toMatchObject({ i: 1 });
    expect((await send(line, '?on_duplicate=update')).json).toMatchObject({ updated: 2 });
    expect((await server.send('GET', '/entity/people2%2Fk1')).json).toMatchObject({
      i: 1,
      a: 1,
      b: 2,
    });
    const many = Array.from({ length: 4500 }, (_, i) => `{"_key":"k1","n":${i}}`).join('\n');
    expect((await send(many, '?on_duplicate=replace')).json).toMatchObject({
      updated: 4500,
      failed: 0,
    });
    const { json } = await server.send('GET', '/entity/people2%2Fk1');
    expect([json.n, json.a]).toEqual([4499, undefined]);
  });

  test('a line beyond the limit ends it; what came before is there', async () => {
    const small = await startTestServer({ 'limits.bodyBytesMax': 2048 });
    await small.send('POST', '/collections', { json: { name: 'c' } });
    const before = Array.from({ length: 4000 }, (_, i) => `{"_key":"${i}"}`).join('\n');
    const { status, code } = await small.send('POST', '/collections/c/import', {
      body: `${before}\n{"x":"${'y'.repeat(200_000)}"}\n`,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect([status, code]).toEqual([400, 'LIMIT_EXCEEDED']);
    expect((await small.send('GET', '/collections/c?count=exact')).json.count).toBeGreaterThan(0);
    await small.stop();
  });
});
