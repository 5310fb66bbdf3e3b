import { connect } from 'node:net';
import { errorCatalogue } from '@themisdb/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestServer, type TestAnswer, type TestServer } from '../testing/test-server.ts';

// Bad input, one by one: each gets one typed error below 500, changes nothing, and the server goes on.

let server: TestServer;
let before: string;

beforeAll(async () => {
  server = await startTestServer();
  await server.send('POST', '/collections', {
    json: {
      name: 'users',
      schema: { rule: { type: 'object', properties: { age: { type: 'number' } } } },
    },
  });
  await server.send('POST', '/collections/users/indexes', {
    json: { fields: ['mail'], unique: true, sparse: true },
  });
  await server.send('PUT', '/entity/users%2Fada', { json: { mail: 'ada@example.org', age: 36 } });
  await server.send('POST', '/collections', {
    json: { name: 'secrets' },
    headers: { 'x-themis-namespace': 'tenant' },
  });
});
afterAll(() => server.stop());

beforeEach(async () => {
  before = await state();
});
afterEach(async () => {
  expect(await state()).toBe(before);
  expect((await server.send('GET', '/livez')).status).toBe(200);
});

/** Everything a caller could have changed. */
async function state(): Promise<string> {
  const users = await server.aql('FOR u IN users SORT u._key RETURN u');
  const collections = await server.send('GET', '/collections');
  const changes = await server.send('GET', '/changefeed');
  return users.json.results
    .concat(collections.json.collections, changes.json.changes)
    .map((part: unknown) => JSON.stringify(part))
    .join('\n');
}

function expectRefusal(answer: TestAnswer, code: string): void {
  expect([answer.status, answer.code]).toEqual([
    errorCatalogue[code as keyof typeof errorCatalogue].status,
    code,
  ]);
  expect(answer.status).toBeLessThan(500);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({
    type: `urn:themis:error:${code}`,
    status: answer.status,
    retryable: expect.any(Boolean),
    request_id: answer.headers['x-request-id'],
    error: { code, message: answer.json.detail },
  });
}

const uuid = '550e8400-e29b-41d4-a716-446655440000';
const good = `urn:themis:document:default:users:${uuid}`;
const ndjson = { 'content-type': 'application/x-ndjson' };

describe('names', () => {
  test.each([
    ['urn:themis', 'INVALID_URN'],
    ['urn:other:document:default:users:' + uuid, 'INVALID_URN'],
    ['urn:themis:table:default:users:' + uuid, 'INVALID_URN'],
    ['urn:themis:document:default:' + uuid, 'INVALID_URN'],
    ['urn:themis:document:9bad:users:' + uuid, 'INVALID_URN'],
    ['urn:themis:document:default:us%20ers:' + uuid, 'INVALID_URN'],
    ['urn:themis:document:default:users:123', 'INVALID_URN'],
    [good + ':more', 'INVALID_URN'],
    [good.replace('document', 'relational'), 'MODEL_MISMATCH'],
    [good.replace('document', 'graph'), 'MODEL_MISMATCH'],
    [good.replace('users', 'usres'), 'COLLECTION_NOT_FOUND'],
    [good.replace('default', 'tenant').replace('users', 'secrets'), 'NAMESPACE_MISMATCH'],
    ['users', 'INVALID_KEY'],
    ['users%2F', 'INVALID_KEY'],
    [`users%2F${'k'.repeat(255)}`, 'INVALID_KEY'],
    [`users%2F${encodeURIComponent('ü'.repeat(128))}`, 'INVALID_KEY'],
    ['%2Fada', 'INVALID_KEY'],
    ['users/', 'INVALID_KEY'],
    ['/ada', 'INVALID_KEY'],
    ['usres/ada', 'COLLECTION_NOT_FOUND'],
    ['users/%ff', 'BAD_UTF8'],
    ['users%2F%ff', 'BAD_UTF8'],
    ['users%2F%zz', 'BAD_UTF8'],
    ['users%2F%ed%a0%80', 'BAD_UTF8'],
  ])('%s is %s', async (name, code) => {
    for (const method of ['GET', 'DELETE']) {
      expectRefusal(await server.send(method, `/entity/${name}`), code);
    }
    expectRefusal(await server.send('PUT', `/entity/${name}`, { json: {} }), code);
    expectRefusal(await server.send('PATCH', `/entity/${name}`, { json: {} }), code);
  });

  test('a mistyped collection gets a suggestion', async () => {
    const { json } = await server.send('GET', `/entity/${good.replace('users', 'usres')}`);
    expect(json.error.message).toContain('did you mean users?');
    expect(json.error.details.suggestion).toBe('users');
  });

  test('a foreign namespace cannot be seen by naming it', async () => {
    const headers = { 'x-themis-namespace': 'nobody' };
    expectRefusal(
      await server.send('GET', '/entity/users%2Fada', { headers }),
      'NAMESPACE_NOT_FOUND',
    );
    const bad = { headers: { 'x-themis-namespace': 'a b' } };
    expectRefusal(await server.send('GET', '/entity/users%2Fada', bad), 'INVALID_NAME');
    const tenant = { headers: { 'x-themis-namespace': 'tenant' } };
    expectRefusal(await server.send('GET', `/entity/${good}`, tenant), 'NAMESPACE_MISMATCH');
    const query = { ...tenant, json: { query: 'FOR u IN users RETURN u' } };
    expectRefusal(await server.send('POST', '/query/aql', query), 'COLLECTION_NOT_FOUND');
  });

  test.each(['', '9', 'a b', 'a/b', 'ü', 'x'.repeat(257)])('collection name %j', async (name) => {
    expectRefusal(await server.send('POST', '/collections', { json: { name } }), 'INVALID_NAME');
  });
});

describe('bodies', () => {
  const put = (body: string | Uint8Array, headers = {}): Promise<TestAnswer> =>
    server.send('PUT', `/entity/${good}`, { body, headers });

  test.each<[string, string | Uint8Array, string]>([
    ['invalid UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'BAD_UTF8'],
    ['overlong UTF-8', Uint8Array.from([0x22, 0xc0, 0xaf, 0x22]), 'BAD_UTF8'],
    ['a lone surrogate in bytes', Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'BAD_UTF8'],
    ['an escaped lone high surrogate', '{"a":"\\ud800"}', 'BAD_UTF8'],
    ['an escaped lone low surrogate', '{"\\udc00":1}', 'BAD_UTF8'],
    ['10^5 arrays deep', '['.repeat(100_000) + ']'.repeat(100_000), 'LIMIT_EXCEEDED'],
    ['10^5 objects deep', '{"a":'.repeat(100_000), 'LIMIT_EXCEEDED'],
    ['129 deep', `{"a":${'['.repeat(128)}${']'.repeat(128)}}`, 'LIMIT_EXCEEDED'],
    ['1e400', '{"a":1e400}', 'NUMBER_OUT_OF_RANGE'],
    ['-1e400', '{"a":-1e400}', 'NUMBER_OUT_OF_RANGE'],
    ['2^53 + 1', '{"a":9007199254740993}', 'NUMBER_OUT_OF_RANGE'],
    ['-(2^53 + 1)', '{"a":[-9007199254740993]}', 'NUMBER_OUT_OF_RANGE'],
    ['a name twice', '{"a":1,"b":2,"a":3}', 'DUPLICATE_ATTRIBUTE'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":3}', 'DUPLICATE_ATTRIBUTE'],
    ['no JSON', 'hello', 'BAD_JSON'],
    ['nothing', '', 'BAD_JSON'],
    ['half an object', '{"a":', 'BAD_JSON'],
    ['two values', '{} {}', 'BAD_JSON'],
    ['NaN', '{"a":NaN}', 'BAD_JSON'],
    ['an array', '[1]', 'INVALID_FIELD'],
    ['null', 'null', 'INVALID_FIELD'],
    ['a number as _key', '{"_key":5}', 'INVALID_KEY'],
    ['another _key', '{"_key":"other"}', 'IMMUTABLE_ATTRIBUTE'],
  ])('%s', async (_, body, code) => {
    expectRefusal(await put(body), code);
  });

  test.each([
    ['/query/aql', (text: string) => `{"query":"RETURN @p","params":{"p":${text}}}`],
    ['/batch/put', (text: string) => `{"items":[{"ref":"users/x","entity":{"p":${text}}}]}`],
    [
      '/v1/execute',
      (text: string) => `{"shard_key":"users/x","query":"RETURN @p","params":${text}}`,
    ],
  ])('deep, huge and broken values inside the body of %s', async (path, around) => {
    const values = [
      ['['.repeat(100_000) + ']'.repeat(100_000), 'LIMIT_EXCEEDED'],
      ['1e400', 'NUMBER_OUT_OF_RANGE'],
      ['9007199254740993', 'NUMBER_OUT_OF_RANGE'],
      ['"\\ud800"', 'BAD_UTF8'],
      ['{"a":1,"a":2}', 'DUPLICATE_ATTRIBUTE'],
    ] as const;
    for (const [text, code] of values) {
      expectRefusal(await server.send('POST', path, { body: around(text) }), code);
    }
  });

  test('bad lines of an import are refused one by one', async () => {
    const lines = [
      '['.repeat(100_000),
      '{"a":1e400}',
      '{"a":"\\ud800"}',
      '{"a":1,"a":2}',
      '[1]',
      '{"_key":5}',
      '{"_key":"ada"}',
      '{"age":"old"}',
      '{"mail":"ada@example.org"}',
      'hello',
    ];
    const path = '/collections/users/import';
    const { json } = await server.send('POST', path, { body: lines.join('\n'), headers: ndjson });
    expect([json.created, json.failed]).toEqual([0, lines.length]);
    const errors = json.errors as { line: number; error: { code: string } }[];
    errors.sort((a, b) => a.line - b.line);
    expect(errors.map(({ error }) => error.code)).toEqual([
      'LIMIT_EXCEEDED',
      'NUMBER_OUT_OF_RANGE',
      'BAD_UTF8',
      'DUPLICATE_ATTRIBUTE',
      'INVALID_FIELD',
      'INVALID_KEY',
      'KEY_EXISTS',
      'SCHEMA_VIOLATION',
      'UNIQUE_VIOLATION',
      'BAD_JSON',
    ]);
  });

  test('faults tell where', async () => {
    const { json } = await put('{\n  "a": 1,\n  "b" 2\n}');
    expect(json.error.position).toEqual({ line: 3, column: 7, offset: 18 });
  });

  test('10,001 attributes', async () => {
    const wide = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`a${i}`, i]));
    expectRefusal(await put(JSON.stringify(wide)), 'LIMIT_EXCEEDED');
  });

  test('__proto__ is data and nothing else', async () => {
    const answer = await server.aql('RETURN @p', {});
    expectRefusal(answer, 'AQL_BIND_MISSING');
    const query = '{"query":"RETURN 1","__proto__":{"params":{}}}';
    expectRefusal(await server.send('POST', '/query/aql', { body: query }), 'UNKNOWN_FIELD');
    const bound = '{"query":"RETURN @p","params":{"p":{"__proto__":{"x":1}}}}';
    const { text } = await server.send('POST', '/query/aql', { body: bound });
    expect(text).toContain('[{"__proto__":{"x":1}}]');
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  test('16 MiB and one byte, told or not, and the connection is sane afterwards', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024 + 1, 0x20);
    const told = await put(body);
    expectRefusal(told, 'BODY_TOO_LARGE');
    expectRefusal(await put(body, { 'transfer-encoding': 'chunked' }), 'BODY_TOO_LARGE');
    const head = `PUT /entity/${good} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const next = 'GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';
    const text = await exchangeRaw(Buffer.concat([Buffer.from(head), body, Buffer.from(next)]));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('BODY_TOO_LARGE');
    expect(text).toMatch(/HTTP\/1\.1 200 OK[^]*"status":"ok"/);
  });

  test.each<[string, Record<string, string>]>([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['Latin-1', { 'content-type': 'application/json; charset=iso-8859-1' }],
    ['a body in gzip', { 'content-encoding': 'gzip' }],
    ['NDJSON where JSON is wanted', ndjson],
  ])('%s', async (_, headers) => {
    expectRefusal(await put('{}', headers), 'UNSUPPORTED_MEDIA_TYPE');
  });

  test('JSON where NDJSON is wanted', async () => {
    const answer = await server.send('POST', '/collections/users/import', { body: '{"_key":"x"}' });
    expectRefusal(answer, 'UNSUPPORTED_MEDIA_TYPE');
  });

  test('a format nobody can answer in', async () => {
    const answer = await server.send('POST', '/query/aql', {
      json: { query: 'RETURN 1' },
      headers: { accept: 'text/csv' },
    });
    expectRefusal(answer, 'NOT_ACCEPTABLE');
  });
});

describe('fields', () => {
  test.each<[string, string, unknown, string, string]>([
    [
      'POST',
      '/query/aql',
      { query: 'RETURN 1', param: {} },
      'UNKNOWN_FIELD',
      'did you mean params?',
    ],
    [
      'POST',
      '/query/aql',
      { query: 1 },
      'INVALID_FIELD',
      'field query: expected string, received number',
    ],
    ['POST', '/query/aql', {}, 'INVALID_FIELD', 'field query: expected string'],
    ['POST', '/query/aql', [], 'INVALID_FIELD', 'the body: expected object, received array'],
    [
      'POST',
      '/query/aql',
      { query: 'RETURN 1', params: [] },
      'INVALID_FIELD',
      'expected a JSON object',
    ],
    [
      'POST',
      '/query/aql',
      { query: 'RETURN 1', options: { batchsize: 1 } },
      'UNKNOWN_FIELD',
      'did you mean batchSize?',
    ],
    [
      'POST',
      '/query/aql',
      { query: 'RETURN 1', options: { batchSize: 0 } },
      'INVALID_FIELD',
      'options.batchSize',
    ],
    [
      'POST',
      '/query/aql',
      { query: 'RETURN 1', options: { isolation: 'none' } },
      'INVALID_FIELD',
      'allowed: serializable, snapshot',
    ],
    ['POST', '/batch/get', { items: [1] }, 'INVALID_FIELD', 'items[0]'],
    ['POST', '/batch/get', { item: [] }, 'UNKNOWN_FIELD', 'did you mean items?'],
    [
      'POST',
      '/batch/put',
      { items: [{ ref: 'users/x', entity: 1 }] },
      'INVALID_FIELD',
      'items[0].entity',
    ],
    [
      'POST',
      '/batch/put',
      { items: [{ ref: 'users/x', entity: {}, mod: 'put' }] },
      'UNKNOWN_FIELD',
      'did you mean mode?',
    ],
    [
      'POST',
      '/batch/delete',
      { items: [{ ref: 'users/x', ifmatch: '' }] },
      'UNKNOWN_FIELD',
      'if_match',
    ],
    [
      'POST',
      '/collections',
      { name: 'x', kind: 'edge' },
      'UNKNOWN_FIELD',
      'Allowed: name, model, type',
    ],
    [
      'POST',
      '/collections',
      { name: 'x', model: 'tabular' },
      'INVALID_FIELD',
      'allowed: relational, document',
    ],
    ['POST', '/collections', { name: 'x', model: 'vector' }, 'NOT_IMPLEMENTED', 'not served'],
    [
      'POST',
      '/collections',
      { name: 'x', schema: { rule: { typ: 'object' } } },
      'INVALID_SCHEMA',
      'typ',
    ],
    ['POST', '/collections', { name: 'x', columns: [] }, 'INVALID_FIELD', 'relational'],
    ['POST', '/collections/users/indexes', { fields: [] }, 'INVALID_FIELD', 'fields'],
    ['POST', '/collections/users/indexes', { fields: ['a..b'] }, 'INVALID_INDEX', ''],
    [
      'POST',
      '/collections/users/indexes',
      { type: 'hash', fields: ['a'] },
      'INVALID_FIELD',
      'allowed: persistent',
    ],
    ['POST', '/transaction/begin', { timeout: 5 }, 'UNKNOWN_FIELD', 'did you mean timeout_ms?'],
    ['POST', '/transaction/commit', {}, 'INVALID_FIELD', 'X-Themis-Transaction'],
  ])('%s %s %j is %s', async (method, path, json, code, text) => {
    const answer = await server.send(method, path, { json });
    // What is understood but not served is the one refusal that is not the caller's fault.
    if (code === 'NOT_IMPLEMENTED') expect([answer.status, answer.code]).toEqual([501, code]);
    else expectRefusal(answer, code);
    expect(answer.json.detail).toContain(text);
  });

  test.each([
    ['/entity/users%2Fada?return=new', 'UNKNOWN_FIELD'],
    ['/collections/users?count=all', 'INVALID_FIELD'],
    ['/collections/users?count=exact&count=exact', 'INVALID_FIELD'],
    ['/changefeed?limit=0', 'INVALID_FIELD'],
    ['/changefeed?limit=ten', 'INVALID_FIELD'],
    ['/changefeed?after=yesterday', 'INVALID_FIELD'],
    ['/changefeed?wait_ms=-1', 'INVALID_FIELD'],
  ])('GET %s is %s', async (path, code) => {
    expectRefusal(await server.send('GET', path), code);
  });

  test.each([
    ['x-request-timeout', 'soon'],
    ['x-request-timeout', '0'],
    ['x-request-timeout', '-5'],
    ['idempotency-key', 'k'.repeat(256)],
    ['if-match', 'no-quotes'],
    ['if-none-match', '"unclosed'],
  ])('header %s: %s', async (name, value) => {
    const answer = await server.send('PUT', '/entity/users%2Fnew', {
      json: {},
      headers: { [name]: value },
    });
    expectRefusal(answer, 'BAD_REQUEST');
  });
});

describe('what the data forbids', () => {
  test('unique violation', async () => {
    const json = { mail: 'ada@example.org' };
    expectRefusal(await server.send('PUT', `/entity/${good}`, { json }), 'UNIQUE_VIOLATION');
    expectRefusal(
      await server.aql('INSERT { mail: "ada@example.org" } INTO users'),
      'UNIQUE_VIOLATION',
    );
    expectRefusal(await server.aql('INSERT { _key: "ada" } INTO users'), 'KEY_EXISTS');
  });

  test('failed If-Match', async () => {
    const headers = { 'if-match': '"0123456789abcdef"' };
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const json = method === 'DELETE' ? {} : { json: { age: 1 } };
      const answer = await server.send(method, '/entity/users%2Fada', { headers, ...json });
      expectRefusal(answer, 'PRECONDITION_FAILED');
    }
  });

  test('schema violation', async () => {
    const answer = await server.send('PUT', `/entity/${good}`, { json: { age: 'old' } });
    expectRefusal(answer, 'SCHEMA_VIOLATION');
    expect(answer.text).not.toContain('old');
    expectRefusal(await server.aql('INSERT { age: "x" } INTO users'), 'SCHEMA_VIOLATION');
  });

  test('half of a query that fails leaves nothing', async () => {
    const query = 'FOR i IN 1..10 INSERT { _key: i == 7 ? "ada" : CONCAT("k", i) } INTO users';
    expectRefusal(await server.aql(query), 'KEY_EXISTS');
  });
});

describe('AQL', () => {
  test.each([
    ['', 'AQL_EMPTY'],
    ['   // nothing', 'AQL_EMPTY'],
    ['RETRN 1', 'AQL_PARSE'],
    ['FOR u users RETURN u', 'AQL_PARSE'],
    ['FOR u IN users', 'AQL_PARSE'],
    ['FOR u IN users FILTER RETURN u', 'AQL_PARSE'],
    ['FOR u IN users RETURN u RETURN u', 'AQL_PARSE'],
    ['RETURN (1', 'AQL_PARSE'],
    ['RETURN [1,', 'AQL_PARSE'],
    ['RETURN { a: }', 'AQL_PARSE'],
    ['RETURN "open', 'AQL_PARSE'],
    ['RETURN 1 +', 'AQL_PARSE'],
    ['RETURN 1 $ 2', 'AQL_PARSE'],
    ['LET x 1 RETURN x', 'AQL_PARSE'],
    ['FOR u IN users LIMIT 1, 2, 3 RETURN u', 'AQL_PARSE'],
    ['RETURN /* open', 'AQL_PARSE'],
    ['RETURN @', 'AQL_PARSE'],
    [`RETURN ${'('.repeat(100_000)}1`, 'AQL_TOO_DEEP'],
    [`RETURN ${'-'.repeat(100_000)}1`, 'AQL_TOO_DEEP'],
    ['RETURN 1e400', 'AQL_NUMBER_OUT_OF_RANGE'],
    ['RETURN 9007199254740993', 'AQL_NUMBER_OUT_OF_RANGE'],
    ['RETURN "\\ud800"', 'AQL_PARSE'],
    ['INSERT [1] INTO users', 'INVALID_DOCUMENT'],
    [`INSERT { _key: "${'k'.repeat(255)}" } INTO users`, 'INVALID_KEY'],
    ['UPDATE "nobody" WITH { a: 1 } INTO users', 'ENTITY_NOT_FOUND'],
    ['RETURN 1..1000000000000', 'LIMIT_EXCEEDED'],
    ['RETURN y', 'AQL_UNKNOWN_VARIABLE'],
    ['LET x = 1 LET x = 2 RETURN x', 'AQL_VARIABLE_REDECLARED'],
    ['RETURN UPER("x")', 'AQL_UNKNOWN_FUNCTION'],
    ['RETURN UPPER()', 'AQL_FUNCTION_ARGUMENTS'],
    ['FOR u IN usres RETURN u', 'COLLECTION_NOT_FOUND'],
    ['RETURN @missing', 'AQL_BIND_MISSING'],
    ['FOR u IN users REMOVE u IN users FOR v IN users RETURN v', 'AQL_ACCESS_AFTER_MODIFICATION'],
  ])('AQL text %#', async (query, code) => {
    expectRefusal(await server.aql(query), code);
  });

  test('faults tell line and column', async () => {
    const { json } = await server.aql('FOR u IN users\n  FILTR u.age > 1\n  RETURN u');
    expect(json.error.position).toMatchObject({ line: 2, column: 3 });
    expect(json.detail).toContain('did you mean FILTER?');
  });

  test.each([
    ['RETURN UPER("x")', {}, 'UPPER'],
    ['FOR u IN usres RETURN u', {}, 'users'],
    ['RETURN @nmae', { name: 1 }, 'name'],
  ])('%s suggests', async (query, params, suggestion) => {
    const { json } = await server.aql(query, params);
    expect(json.detail).toContain(suggestion);
  });

  test('bind parameters of the wrong kind', async () => {
    expectRefusal(await server.aql('RETURN 1', { x: 1 }), 'AQL_BIND_UNUSED');
    expectRefusal(await server.aql('FOR u IN @@c RETURN u', { '@c': 5 }), 'AQL_BIND_TYPE');
    expectRefusal(
      await server.aql('FOR u IN @@c RETURN u', { '@c': 'usres' }),
      'COLLECTION_NOT_FOUND',
    );
  });

  test('division by zero is null and a warning, or an error when asked', async () => {
    const { json } = await server.aql('RETURN 1 / 0');
    expect(json.results).toEqual([null]);
    expect(json.warnings[0].code).toBe('AQL_DIVISION_BY_ZERO');
    const strict = await server.aql('RETURN 1 / 0', {}, { failOnWarning: true });
    expect(strict.status).toBe(400);
  });

  test.each<[string, object, string]>([
    ['time', { maxRuntimeMs: 30 }, 'QUERY_TIMEOUT'],
    ['memory', { memoryLimit: 1_000_000 }, 'QUERY_MEMORY'],
  ])('a query that runs away in %s', async (_, options, code) => {
    const query = 'FOR i IN 1..100000000 SORT -i RETURN i';
    expectRefusal(await server.aql(query, {}, options), code);
  });

  test('a query that runs away in rows', async () => {
    const answer = await server.aql('FOR i IN 1..1000000 RETURN i', {}, { maxRows: 500 });
    expectRefusal(answer, 'QUERY_ROWS');
  });

  test.each<[string, object]>([
    ['a page', {}],
    ['a stream', { accept: 'application/x-ndjson' }],
  ])('results longer than a text can be, as %s', async (_, headers) => {
    const s = 'REPEAT("x", 16777216)';
    const json = { query: `LET a = [${s}] LET b = [a, a, a, a, a, a] RETURN [b, b, b, b, b, b]` };
    const answer = await server.send('POST', '/query/aql', { json, headers: { ...headers } });
    expect(answer.text).toContain('LIMIT_EXCEEDED');
    expect(answer.status).toBe('accept' in headers ? 200 : 400);
  });

  test.each(['[1]', '[RAND()]'])('a value put into itself sixty times, from %s', async (first) => {
    const lets = Array.from({ length: 60 }, (_, i) => `LET v${i + 1} = [v${i}, v${i}]`);
    const query = `LET v0 = ${first} ${lets.join(' ')} RETURN v60`;
    expectRefusal(await server.aql(query), 'AQL_TOO_DEEP');
  });

  test('a runaway write leaves nothing', async () => {
    const query = 'FOR i IN 1..100000000 INSERT { i } INTO users';
    expectRefusal(await server.aql(query, {}, { maxRuntimeMs: 50 }), 'QUERY_TIMEOUT');
  });
});

describe('cursors and clients', () => {
  // That they expire is tested in query.test.ts, where time is the test's own.
  test('a cursor that was read to its end, closed, or never was', async () => {
    expectRefusal(await server.send('GET', '/cursor/nothing'), 'CURSOR_NOT_FOUND');
    const { json } = await server.aql('FOR i IN 1..9 RETURN i', {}, { batchSize: 2 });
    await server.send('DELETE', `/cursor/${json.cursor}`);
    expectRefusal(await server.send('GET', `/cursor/${json.cursor}`), 'CURSOR_NOT_FOUND');
    const { json: short } = await server.aql('FOR i IN 1..3 RETURN i', {}, { batchSize: 2 });
    expect((await server.send('GET', `/cursor/${short.cursor}`)).json.has_more).toBe(false);
    expectRefusal(await server.send('GET', `/cursor/${short.cursor}`), 'CURSOR_NOT_FOUND');
  });

  test('a client gone in the middle of an answer', async () => {
    const message = await server.open('POST', '/query/aql', {
      json: { query: 'FOR i IN 1..10000000 RETURN CONCAT("row number ", i)' },
      headers: { accept: 'application/x-ndjson' },
    });
    await new Promise((resolve) => message.once('data', resolve));
    message.destroy();
    expect((await server.aql('RETURN 1')).json.results).toEqual([1]);
  });

  test('a client gone in the middle of a body', async () => {
    const head = `PUT /entity/${good} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":`;
    expect(await exchangeRaw(Buffer.from(head), true)).toBe('');
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a bad header', 'GET / HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n'],
    [
      'two lengths',
      'POST /query/aql HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    ],
    [
      'a length and chunks',
      'POST /query/aql HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
    [
      'headers without end',
      `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
    ],
  ])('%s', async (_, text) => {
    expect(await exchangeRaw(Buffer.from(text))).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

/** Sends bytes and reads until the server closes, or for `leave` closes at once. */
function exchangeRaw(bytes: Uint8Array, leave = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(server.running.port, '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.write(bytes, () => {
      if (leave) socket.destroy();
    });
  });
}
