import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { aql, hasCode, ThemisClient, type Collection } from './index.ts';

let server: RunningServer;
let client: ThemisClient;
let users: Collection<{ name: string; age: number }>;

beforeAll(async () => {
  server = await startServer(makeConfig({ port: 0, engine: 'memory', 'log-level': 'error' }));
  client = new ThemisClient({ url: server.url });
  await client.createCollection({ name: 'users' });
  users = client.collection('users');
});

afterAll(async () => {
  await client.close();
  await server.stop({ graceMs: 1_000 });
});

const withCode =
  (code: string): ((error: unknown) => boolean) =>
  (error) =>
    hasCode(error, code);

describe('entities', () => {
  test('are written, read, merged, removed, by key and by URN', async () => {
    const written = await users.put('ada', { name: 'Ada', age: 36 });
    expect(written._id).toBe('users/ada');
    const found = (await users.get('ada'))!;
    expect(found).toMatchObject({ name: 'Ada', age: 36, _key: 'ada', _rev: written._rev });
    expect(await client.get(written._urn)).toEqual(found);
    await users.patch('ada', { age: 37 });
    expect((await users.get('ada'))!.age).toBe(37);
    await users.delete('ada');
    expect(await users.get('ada')).toBeUndefined();
    expect(await users.get('ada', { timeoutMs: 5_000 })).toBeUndefined();
  });

  test('keep keys with characters that mean something in paths', async () => {
    for (const key of ['a b', 'ü/ö', 'x%2Fy', '?q=1#f', '..']) {
      await users.put(key, { name: key, age: 1 });
      expect((await users.get(key))!.name).toBe(key);
      expect((await users.get(key, { timeoutMs: 5_000 }))!.name).toBe(key);
      await users.delete(key);
    }
  });

  test('preconditions hold', async () => {
    const { _rev } = await users.put('p', { name: 'P', age: 1 });
    await users.put('p', { name: 'P', age: 2 }, { ifMatch: _rev });
    await expect(users.put('p', { name: 'P', age: 3 }, { ifMatch: _rev })).rejects.toSatisfy(
      withCode('PRECONDITION_FAILED'),
    );
    await expect(users.put('p', { name: 'P', age: 3 }, { ifNoneMatch: '*' })).rejects.toSatisfy(
      withCode('PRECONDITION_FAILED'),
    );
    await expect(users.insert({ _key: 'p', name: 'P', age: 1 })).rejects.toSatisfy(
      withCode('KEY_EXISTS'),
    );
  });

  test('a write repeated under its idempotency key has one effect', async () => {
    const first = await users.patch('p', { age: 10 }, { idempotencyKey: 'once' });
    await users.patch('p', { age: 11 });
    expect(await users.patch('p', { age: 10 }, { idempotencyKey: 'once' })).toEqual(first);
    expect((await users.get('p'))!.age).toBe(11);
  });

  test('batches name what failed in its place', async () => {
    const answer = await users.batchPut([
      { _key: 'b1', name: 'B', age: 1 },
      { _key: '', name: 'bad', age: 0 },
    ]);
    expect(answer).toMatchObject({ written: 1, failed: 1 });
    expect(answer.results[1]).toMatchObject({ error: { code: 'INVALID_KEY' } });
    expect((await users.batchGet(['none', 'b1'])).map((user) => user?.name)).toEqual([
      undefined,
      'B',
    ]);
    expect(await users.batchDelete(['b1', 'none'])).toMatchObject({ written: 1, failed: 1 });
  });
});

test('point reads of one turn are one request, and each gets its own answer', async () => {
  await users.put('c', { name: 'C', age: 1 });
  const before = await requestCount();
  const reads = await Promise.allSettled([
    users.get('c'),
    users.get('c'),
    users.get('none'),
    client.get('nowhere/x'),
  ]);
  expect((await requestCount()) - before).toBeLessThanOrEqual(2);
  expect(
    reads.map((read) =>
      read.status === 'fulfilled' ? read.value?.['name'] : (read.reason as { code: string }).code,
    ),
  ).toEqual(['C', 'C', undefined, 'COLLECTION_NOT_FOUND']);
});

/** Requests the server has answered, by its own metrics. */
async function requestCount(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return [...text.matchAll(/^themis_http_requests_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
}

describe('queries', () => {
  test('bind values by the tag and page as rows are needed', async () => {
    const rows = await client
      .query<number>(aql`FOR i IN 1..${10_000} RETURN i`, { batchSize: 1_000 })
      .all();
    expect(rows.length).toBe(10_000);
    expect(rows.at(-1)).toBe(10_000);
    expect(await client.query('RETURN @x', { x: { deep: [1, null] } }).first()).toEqual({
      deep: [1, null],
    });
    await users.put('q', { name: 'Q', age: 99 });
    expect(
      await client.query(aql`FOR u IN ${users} FILTER u.age == ${99} RETURN u.name`).all(),
    ).toEqual(['Q']);
  });

  test('leaving a loop early closes the cursor on the server', async () => {
    const cursor = client.query<number>('FOR i IN 1..100000 RETURN i', {}, { batchSize: 100 });
    for await (const i of cursor) if (i === 5) break;
    expect(cursor.stats).toBeDefined();
    const open = await (await fetch(`${server.url}/queries`)).text();
    expect(open).not.toContain('1..100000');
  });

  test('errors are typed and carry their place', async () => {
    const failure = client.query('FOR u IN users\nFITLER u RETURN u').all();
    await expect(failure).rejects.toMatchObject({
      code: 'AQL_PARSE',
      kind: 'invalid',
      retryable: false,
      position: { line: 2, column: 1 },
    });
    await expect(client.query('FOR u IN usres RETURN u').all()).rejects.toMatchObject({
      message: expect.stringContaining('users') as string,
    });
  });

  test('the signal and the deadline stop a call', async () => {
    const controller = new AbortController();
    const slow = client
      .query(
        'FOR a IN 1..30000 FOR b IN 1..30000 FILTER a * b < 0 RETURN 1',
        {},
        { signal: controller.signal, maxRuntimeMs: 20_000 },
      )
      .all();
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(slow).rejects.toThrow('enough');
    await expect(
      client
        .query(
          'FOR a IN 1..30000 FOR b IN 1..30000 FILTER a * b < 0 RETURN 1',
          {},
          { timeoutMs: 80 },
        )
        .all(),
    ).rejects.toSatisfy((error) => hasCode(error, 'REQUEST_TIMEOUT', 'QUERY_TIMEOUT'));
  });
});

test('a transaction that meets a conflict runs again', async () => {
  await users.put('counter', { name: 'n', age: 0 });
  const increment = (): Promise<void> =>
    client.transaction(async (transaction) => {
      const counter = transaction.collection<{ age: number }>('users');
      const { age } = (await counter.get('counter'))!;
      await counter.patch('counter', { age: age + 1 });
    });
  await Promise.all(Array.from({ length: 8 }, increment));
  expect((await users.get('counter'))!.age).toBe(8);
});

test('an error inside a transaction leaves nothing behind', async () => {
  await expect(
    client.transaction(async (transaction) => {
      await transaction.put('users/ghost', { name: 'G', age: 0 });
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  expect(await users.get('ghost')).toBeUndefined();
});

test('changes are followed from a token on', async () => {
  const { next } = await client.readChanges({ limit: 10_000 });
  await users.put('seen', { name: 'S', age: 1 });
  await users.delete('seen');
  const seen: string[] = [];
  for await (const change of client.changes({ after: next, collection: 'users' })) {
    seen.push(`${change.operation} ${String(change.document?.['name'] ?? '')}`.trim());
    if (seen.length === 2) break;
  }
  expect(seen).toEqual(['insert S', 'remove']);
});

test('following changes ends when its signal aborts, also while it waits', async () => {
  const abort = new AbortController();
  const { next } = await client.readChanges({ after: 'now' });
  await users.put('last', { name: 'L', age: 1 });
  const seen: string[] = [];
  for await (const change of client.changes({ after: next, signal: abort.signal })) {
    seen.push(change.operation);
    // The loop asks for more first, so that the signal meets a request under way.
    setImmediate(() => abort.abort());
  }
  await users.delete('last');
  expect(seen).toEqual(['insert']);
});

test('imports stream and report lines', async () => {
  const answer = await users.import(
    '{"_key":"i1","name":"I","age":1}\n{"_key":\n{"_key":"i2","name":"J","age":2}\n',
  );
  expect(answer).toMatchObject({ created: 2, failed: 1 });
  expect(answer.errors[0]).toMatchObject({ line: 2, error: { code: 'BAD_JSON' } });
});

describe('when the server is in trouble', () => {
  async function flaky(
    answer: (n: number) => { status: number; body: string } | undefined,
  ): Promise<[Server, string]> {
    let n = 0;
    const http = createServer((request, response) => {
      const reply = answer(++n);
      if (reply === undefined) return void request.socket.destroy();
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return [http, `http://127.0.0.1:${(http.address() as { port: number }).port}`];
  }

  test('a write whose connection broke is repeated under the same key', async () => {
    const [http, url] = await flaky((n) =>
      n < 3 ? undefined : { status: 200, body: '{"_key":"k"}' },
    );
    const other = new ThemisClient({ url });
    expect(await other.put('users/k', {})).toEqual({ _key: 'k' });
    await other.close();
    http.close();
  });

  test('nobody there: a typed error that names the address', async () => {
    const other = new ThemisClient({ url: 'http://127.0.0.1:9', retry: { attemptsMax: 2 } });
    await expect(other.get('users/k')).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('http://127.0.0.1:9') as string,
    });
    await other.close();
  });

  test('the next address is tried', async () => {
    const other = new ThemisClient({ url: ['http://127.0.0.1:9', server.url] });
    expect(await other.query('RETURN 1').all()).toEqual([1]);
    await other.close();
  });

  test('an answer that is not ours says so', async () => {
    const [http, url] = await flaky(() => ({ status: 502, body: '<html>bad gateway</html>' }));
    const other = new ThemisClient({ url, retry: { attemptsMax: 1 } });
    await expect(other.query('RETURN 1').all()).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      details: { status: 502 },
    });
    await other.close();
    http.close();
  });
});
