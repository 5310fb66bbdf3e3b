import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.send('POST', '/collections', { json: { name: 'users' } });
});
afterAll(() => server.stop());

const uuid = '550e8400-e29b-41d4-a716-446655440000';
const urn = `/entity/urn:themis:document:default:users:${uuid}`;

describe('one entity', () => {
  test('is created, read, replaced, patched and removed', async () => {
    const created = await server.send('PUT', urn, { json: { name: 'Ada', age: 36 } });
    expect(created.status).toBe(201);
    expect(created.json).toEqual({
      _key: uuid,
      _id: `users/${uuid}`,
      _rev: expect.stringMatching(/^[0-9a-f]{16}$/),
      _urn: urn.slice('/entity/'.length),
    });
    expect(created.headers.etag).toBe(`"${created.json._rev}"`);
    expect(created.headers['x-themis-token']).toBe(created.json._rev);

    const read = await server.send('GET', urn);
    expect(read.status).toBe(200);
    expect(read.json).toEqual({ ...created.json, name: 'Ada', age: 36 });
    expect(read.headers.etag).toBe(created.headers.etag);

    const replaced = await server.send('PUT', `${urn}?return_old=true&return_new`, {
      json: { name: 'Ada L.' },
    });
    expect(replaced.status).toBe(200);
    expect(replaced.json).toMatchObject({
      _old_rev: created.json._rev,
      old: { name: 'Ada', age: 36, _rev: created.json._rev },
      new: { name: 'Ada L.', _rev: replaced.json._rev },
    });

    const patched = await server.send('PATCH', `${urn}?return_new=true`, {
      json: { address: { city: 'London', zip: null } },
    });
    expect(patched.json.new).toMatchObject({
      name: 'Ada L.',
      address: { city: 'London', zip: null },
    });

    const removed = await server.send('DELETE', `${urn}?return_old=true`);
    expect(removed.status).toBe(200);
    expect(removed.json).toMatchObject({ _rev: patched.json._rev, old: { name: 'Ada L.' } });
    expect((await server.send('GET', urn)).code).toBe('ENTITY_NOT_FOUND');
    expect((await server.send('DELETE', urn)).code).toBe('ENTITY_NOT_FOUND');
  });

  test('is the same by URN, collection/key and collection:key', async () => {
    const made = await server.send('PUT', '/entity/users%2Fgrace%2Fhopper', { json: { n: 1 } });
    expect(made.status).toBe(201);
    expect(made.json._key).toBe('grace/hopper');
    for (const path of [
      `/entity/${made.json._urn}`,
      `/entity/${made.json._urn.toUpperCase().replace('URN:THEMIS:DOCUMENT:DEFAULT:USERS', 'URN:THEMIS:document:default:users')}`,
      '/entities/users:grace%2Fhopper',
      '/entity/users%2Fgrace%2Fhopper',
    ]) {
      expect((await server.send('GET', path)).json, path).toMatchObject({
        _key: 'grace/hopper',
        n: 1,
      });
    }
  });

  test.each(['entity', 'entities'])('/%s takes its slash plain, for every method', async (name) => {
    const path = `/${name}/users/plain`;
    const made = await server.send('PUT', path, { json: { n: 1 } });
    expect([made.status, made.json._id]).toEqual([201, 'users/plain']);
    const headers = { 'if-match': made.headers.etag! };
    expect((await server.send('PATCH', path, { json: { m: 2 }, headers })).status).toBe(200);
    const encoded = await server.send('GET', `/${name}/users%2Fplain`);
    expect(encoded.json).toMatchObject({ _key: 'plain', n: 1, m: 2 });
    expect((await server.send('GET', path)).json).toEqual(encoded.json);
    expect((await server.send('HEAD', path)).status).toBe(200);
    expect((await server.send('DELETE', path)).status).toBe(200);
    expect((await server.send('GET', path)).code).toBe('ENTITY_NOT_FOUND');
  });

  test('the first slash ends the collection; further ones belong to the key', async () => {
    for (const path of ['users/a/b//c/', 'users%2Fa%2Fb%2F%2Fc%2F', 'users:a/b%2F/c/']) {
      const { json } = await server.send('PUT', `/entity/${path}`, { json: {} });
      expect(json._key, path).toBe('a/b//c/');
    }
    expect((await server.send('DELETE', '/entity/users/a/b//c/')).status).toBe(200);
  });

  test('keeps __proto__ and unicode as they came', async () => {
    const body = '{"__proto__":{"admin":true},"constructor":1,"name":"Zoë 😀"}';
    await server.send('PUT', '/entity/users%2Fproto', { body });
    const { text } = await server.send('GET', '/entity/users%2Fproto');
    expect(text).toContain('"__proto__":{"admin":true},"constructor":1,"name":"Zoë 😀"');
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  test('answers HEAD like GET, without the body', async () => {
    await server.send('PUT', '/entity/users%2Fhead', { json: {} });
    const { status, headers, text } = await server.send('HEAD', '/entity/users%2Fhead');
    expect([status, text]).toEqual([200, '']);
    expect(headers.etag).toMatch(/^"[0-9a-f]{16}"$/);
  });

  test('merge patch removes nulls', async () => {
    const path = '/entity/users%2Fpatch';
    await server.send('PUT', path, { json: { a: 1, b: { c: 1, d: 2 } } });
    await server.send('PATCH', path, {
      body: '{"a":null,"b":{"c":null}}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect((await server.send('GET', path)).json).not.toHaveProperty('a');
    await server.send('PATCH', `${path}?merge_objects=false&keep_null=false`, {
      json: { b: { e: null, f: 1 } },
    });
    expect((await server.send('GET', path)).json.b).toEqual({ f: 1 });
  });
});

describe('conditions', () => {
  const path = '/entity/users%2Fcond';

  test('If-None-Match: * only creates, If-Match only replaces its version', async () => {
    const star = { headers: { 'if-none-match': '*' }, json: { n: 1 } };
    const created = await server.send('PUT', path, star);
    expect(created.status).toBe(201);
    const again = await server.send('PUT', path, star);
    expect([again.status, again.code]).toEqual([412, 'PRECONDITION_FAILED']);
    const { etag } = created.headers;

    const stale = await server.send('PUT', path, {
      headers: { 'if-match': '"0000000000000001"' },
      json: { n: 2 },
    });
    expect(stale.status).toBe(412);
    expect(stale.json.error.details.current_rev).toBe(created.json._rev);
    const weak = await server.send('PUT', path, { headers: { 'if-match': `W/${etag}` }, json: {} });
    expect(weak.status).toBe(412);
    expect((await server.send('GET', path)).json.n).toBe(1);

    const list = await server.send('PATCH', path, {
      headers: { 'if-match': `"0000000000000001", ${etag}` },
      json: { n: 3 },
    });
    expect(list.status).toBe(200);
    const gone = await server.send('DELETE', path, { headers: { 'if-match': etag! } });
    expect(gone.status).toBe(412);
    const any = await server.send('DELETE', path, { headers: { 'if-match': '*' } });
    expect(any.status).toBe(200);
    const none = await server.send('PUT', path, { headers: { 'if-match': '*' }, json: {} });
    expect(none.status).toBe(412);
  });

  test('If-None-Match of the current version answers 304', async () => {
    const { headers } = await server.send('PUT', path, { json: { n: 1 } });
    const tag = headers.etag!;
    for (const given of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const { status, text } = await server.send('GET', path, {
        headers: { 'if-none-match': given },
      });
      expect([status, text], given).toEqual([304, '']);
    }
    const other = await server.send('GET', path, { headers: { 'if-none-match': '"x"' } });
    expect(other.status).toBe(200);
  });

  test.each(['abc', '"abc', '"a" "b"', '"a",', ''])(
    'a malformed If-Match %j is refused',
    async (tag) => {
      const { status, code } = await server.send('PUT', path, {
        headers: { 'if-match': tag },
        json: {},
      });
      expect([status, code]).toEqual([400, 'BAD_REQUEST']);
    },
  );
});

describe('many writers of one entity', () => {
  test('all succeed, one after the other', async () => {
    await server.send('PUT', '/entity/users%2Fhot', { json: { n: 0 } });
    const writes = Array.from({ length: 40 }, (_, n) =>
      server.send('PATCH', '/entity/users%2Fhot', { json: { [`k${n}`]: n } }),
    );
    expect((await Promise.all(writes)).map((answer) => answer.status)).toEqual(Array(40).fill(200));
    const { json } = await server.send('GET', '/entity/users%2Fhot');
    expect(Object.keys(json).filter((name) => name.startsWith('k'))).toHaveLength(40);
  });
});

describe('idempotency keys', () => {
  test('a repetition has no second effect and the same answer', async () => {
    const options = { headers: { 'idempotency-key': 'put-1' }, json: { n: 1 } };
    const first = await server.send('PUT', '/entity/users%2Fidem?return_new=true', options);
    const again = await server.send('PUT', '/entity/users%2Fidem?return_new=true', options);
    expect(again.status).toBe(201);
    expect(again.json).toEqual(first.json);
    expect(again.headers.etag).toBe(first.headers.etag);
    expect(again.headers['x-themis-token']).toBe(first.headers['x-themis-token']);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
  });

  test('another request under the key is refused', async () => {
    const headers = { 'idempotency-key': 'put-2' };
    await server.send('PUT', '/entity/users%2Fidem2', { headers, json: { n: 1 } });
    const other = await server.send('PUT', '/entity/users%2Fidem2', { headers, json: { n: 2 } });
    expect([other.status, other.code]).toEqual([409, 'IDEMPOTENCY_MISMATCH']);
    expect((await server.send('GET', '/entity/users%2Fidem2')).json.n).toBe(1);
  });

  test('repetitions at the same time have one effect', async () => {
    const options = {
      headers: { 'idempotency-key': 'insert-1' },
      json: { items: [{ collection: 'users', entity: { many: true } }] },
    };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.send('POST', '/batch/put', options)),
    );
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    const { json } = await server.aql('FOR u IN users FILTER u.many RETURN u._rev');
    expect(json.results).toEqual([answers[0]!.json.results[0]._rev]);
  });

  test('an error is not remembered', async () => {
    const options = { headers: { 'idempotency-key': 'late' }, json: { n: 1 } };
    expect((await server.send('PUT', '/entity/later%2Fx', options)).code).toBe(
      'COLLECTION_NOT_FOUND',
    );
    await server.send('POST', '/collections', { json: { name: 'later' } });
    expect((await server.send('PUT', '/entity/later%2Fx', options)).status).toBe(201);
  });

  test('a query that modifies is run once', async () => {
    const options = {
      headers: { 'idempotency-key': 'q1' },
      json: { query: 'INSERT { q: 1 } INTO users RETURN NEW' },
    };
    const first = await server.send('POST', '/query/aql', options);
    const again = await server.send('POST', '/query/aql', options);
    expect(first.status).toBe(200);
    expect(again.json).toEqual(first.json);
    const [doc] = first.json.results;
    expect(doc._rev).toBe(first.headers['x-themis-token']);
    const { json } = await server.aql('FOR u IN users FILTER u.q == 1 RETURN u');
    expect(json.results).toEqual([doc]);
  });
});

describe('batches', () => {
  test('get names each failure in its place', async () => {
    await server.send('PUT', '/entity/users%2Fb1', { json: { n: 1 } });
    const { json } = await server.send('POST', '/batch/get', {
      json: { items: ['users/b1', 'users/none', 'nowhere/1', 'urn:themis:x', 'users:b1'] },
    });
    expect(json).toMatchObject({ found: 2, failed: 3 });
    expect(json.results.map((r: { error?: { code: string } }) => r.error?.code)).toEqual([
      undefined,
      'ENTITY_NOT_FOUND',
      'COLLECTION_NOT_FOUND',
      'INVALID_URN',
      undefined,
    ]);
    expect(json.results[4].entity).toEqual(json.results[0].entity);
  });

  test('put writes what can be written, in one transaction', async () => {
    const { json } = await server.send('POST', '/batch/put', {
      json: {
        items: [
          { ref: 'users/b2', entity: { n: 2 } },
          { collection: 'users', entity: { _key: 'b3', n: 3 } },
          { collection: 'users', entity: { n: 4 } },
          { ref: 'users/b2', entity: { n: 5 }, mode: 'insert' },
          { ref: 'users/none', entity: { n: 6 }, mode: 'replace' },
          { ref: 'users/b3', entity: { m: 1 }, mode: 'update' },
          { ref: 'users/b1', entity: {}, if_match: '0000000000000001' },
          { entity: {} },
        ],
      },
    });
    expect(json).toMatchObject({ written: 4, failed: 4 });
    expect(json.results.map((r: { error?: { code: string } }) => r.error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      'KEY_EXISTS',
      'ENTITY_NOT_FOUND',
      undefined,
      'PRECONDITION_FAILED',
      'INVALID_FIELD',
    ]);
    const { _rev } = json.results[0];
    expect(json.results[1]).toMatchObject({ _key: 'b3', _rev, created: true });
    expect((await server.send('GET', '/entity/users%2Fb3')).json).toMatchObject({
      n: 3,
      m: 1,
      _rev,
    });
  });

  test('atomic: one failure and nothing is written', async () => {
    const answer = await server.send('POST', '/batch/put', {
      json: {
        atomic: true,
        items: [
          { ref: 'users/atomic', entity: {} },
          { ref: 'users/none', entity: {}, mode: 'update' },
        ],
      },
    });
    expect([answer.status, answer.code]).toEqual([404, 'ENTITY_NOT_FOUND']);
    expect(answer.json.error.details.index).toBe(1);
    expect((await server.send('GET', '/entity/users%2Fatomic')).status).toBe(404);
  });

  test('delete', async () => {
    await server.send('PUT', '/entity/users%2Fb9', { json: {} });
    const { json } = await server.send('POST', '/batch/delete', {
      json: { items: ['users/b9', { ref: 'users/none' }] },
    });
    expect(json).toMatchObject({ written: 1, failed: 1 });
    expect(json.results[0]._key).toBe('b9');
    expect(json.results[1]).toMatchObject({
      ref: 'users/none',
      error: { code: 'ENTITY_NOT_FOUND' },
    });
  });
});
