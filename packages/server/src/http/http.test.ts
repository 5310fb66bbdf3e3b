import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { MetricsRegistry } from '../metrics-registry.ts';
import { HostGuard } from './host-guard.ts';
import { negotiate } from './media-type.ts';
import { Router } from './router.ts';
import { Turns, type Waiter } from './turns.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ hosts: 'db.example' });
});
afterAll(() => server.stop());

describe('routing', () => {
  test('what is not there', async () => {
    for (const path of ['/nothing', '/', '/entity', '/entity/', '/collections/a/b/c', '//livez']) {
      const { status, code } = await server.send('GET', path);
      expect([status, code], path).toEqual([404, 'ROUTE_NOT_FOUND']);
    }
  });

  test('methods a route does not take', async () => {
    const { status, code, headers } = await server.send('POST', '/collections/x/schema');
    expect([status, code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(headers.allow).toBe('GET, PUT');
    expect((await server.send('OPTIONS', '/query/aql')).status).toBe(405);
    expect((await server.send('TRACE', '/livez')).status).toBe(405);
  });

  test('no page of another origin is let in', async () => {
    const { headers } = await server.send('GET', '/livez');
    expect(Object.keys(headers).some((name) => name.startsWith('access-control'))).toBe(false);
  });

  test('the router takes one segment for a name and fixed segments first', () => {
    const router = new Router<string>();
    router.add('GET', '/a/{x}', 'x');
    router.add('GET', '/a/b', 'b');
    router.add('PUT', '/a/{x}/c/{y}', 'xy');
    expect(router.find('GET', '/a/b')).toMatchObject({ target: 'b', values: [] });
    expect(router.find('HEAD', '/a/1%2F2')).toMatchObject({ target: 'x', values: ['1%2F2'] });
    expect(router.find('PUT', '/a/1/c/2')).toMatchObject({ names: ['x', 'y'], values: ['1', '2'] });
    expect(router.find('GET', '/a/1/c/2')).toEqual({ type: 'no-method', allowed: ['PUT'] });
    for (const path of ['/a', '/a/', '/a//c/2', '/a/1/', '', '/a/1/c/2/d']) {
      expect(router.find('GET', path), path).toEqual({ type: 'no-route' });
    }
  });
});

describe('who may ask', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:1234', 200],
    ['127.0.0.1:80', 200],
    ['[::1]:8080', 200],
    ['app.localhost', 200],
    ['db.example', 200],
    ['DB.example:8080', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['127.0.0.1@evil.example', 403],
    ['localhost:8080:9', 403],
    ['10.0.0.1', 403],
  ])('host %s gets %i', async (host, status) => {
    expect((await server.send('GET', '/livez', { headers: { host } })).status).toBe(status);
  });

  test.each([
    ['http://127.0.0.1:8080', '127.0.0.1:8080', 200],
    ['https://db.example', 'db.example', 200],
    ['http://localhost:3000', 'localhost:8080', 403],
    ['https://evil.example', 'localhost', 403],
    ['null', 'localhost', 403],
  ])('origin %s at host %s gets %i', async (origin, host, status) => {
    const answer = await server.send('GET', '/livez', { headers: { origin, host } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.code).toBe('HOST_NOT_ALLOWED');
  });

  test('no host at all is refused', () => {
    expect(() => new HostGuard([]).check(undefined, undefined)).toThrow(/loopback names/);
  });
});

describe('request ids', () => {
  test('come back when they are sane, else are made', async () => {
    const given = await server.send('GET', '/livez', {
      headers: { 'x-request-id': 'trace-1.2:3' },
    });
    expect(given.headers['x-request-id']).toBe('trace-1.2:3');
    const odd = await server.send('GET', '/livez', { headers: { 'x-request-id': 'a b"c' } });
    expect(odd.headers['x-request-id']).toMatch(/^[\w-]+-[0-9a-z]+$/);
    const long = await server.send('GET', '/x', { headers: { 'x-request-id': 'x'.repeat(200) } });
    expect(long.json.request_id).toBe(long.headers['x-request-id']);
    expect(long.json.request_id.length).toBeLessThan(40);
  });
});

describe('expect: 100-continue', () => {
  test('a body that is too large is not even asked for', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(`${server.url}/query/aql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(20 * 1024 * 1024),
          expect: '100-continue',
        },
      });
      outgoing.on('continue', () => reject(new Error('the body was asked for')));
      outgoing.on('response', (message) => {
        resolve(message.statusCode!);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      outgoing.flushHeaders();
    });
    expect(status).toBe(413);
  });

  test('a body of good size is', async () => {
    const body = '{"query":"RETURN 1"}';
    const text = await new Promise<string>((resolve, reject) => {
      const outgoing = httpRequest(`${server.url}/query/aql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(body.length),
          expect: '100-continue',
        },
      });
      outgoing.on('continue', () => outgoing.end(body));
      outgoing.on('response', (message) => {
        message.setEncoding('utf8').on('data', resolve);
      });
      outgoing.on('error', reject);
      outgoing.flushHeaders();
    });
    expect(text).toContain('"results":[1]');
  });
});

test('formats are chosen by weight and specificity', () => {
  const offered = ['application/json', 'application/x-ndjson'];
  const chosen = (accept?: string): string => negotiate(accept, offered);
  expect(chosen()).toBe('application/json');
  expect(chosen('*/*')).toBe('application/json');
  expect(chosen('application/x-ndjson')).toBe('application/x-ndjson');
  expect(chosen('application/*;q=0.5, application/x-ndjson')).toBe('application/x-ndjson');
  expect(chosen('application/json;q=0.1, */*')).toBe('application/x-ndjson');
  expect(chosen('text/html, application/json')).toBe('application/json');
  expect(() => chosen('application/json;q=0, text/html')).toThrow(/can answer application\/json/);
});

test('metrics count what was answered', async () => {
  await server.send('GET', '/livez');
  await server.send('GET', '/entity/nowhere%2F1');
  const { text, headers } = await server.send('GET', '/metrics');
  expect(headers['content-type']).toContain('text/plain; version=0.0.4');
  expect(text).toMatch(
    /themis_http_requests_total\{method="GET",route="\/livez",status="200"\} \d+/,
  );
  expect(text).toMatch(/themis_errors_total\{code="COLLECTION_NOT_FOUND"\} \d+/);
  expect(text).toMatch(
    /themis_http_request_duration_seconds_count\{method="GET",route="\/livez"\} \d+/,
  );
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) themis_\w+ .+|themis_\w+(\{.*\})? -?[\d.e+-]+)$/);
  }
});

test('histograms are cumulative, labels escaped', () => {
  const registry = new MetricsRegistry();
  const histogram = registry.histogram('h', 'A histogram.', [1, 2], ['l']);
  const series = histogram.series('a"b\\');
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(series, value);
  expect(registry.text()).toBe(`# HELP h A histogram.
# TYPE h histogram
h_bucket{l="a\\"b\\\\",le="1"} 2
h_bucket{l="a\\"b\\\\",le="2"} 3
h_bucket{l="a\\"b\\\\",le="+Inf"} 4
h_sum{l="a\\"b\\\\"} 12
h_count{l="a\\"b\\\\"} 4
`);
});

test('turns go in the order of arrival and leave nothing behind', async () => {
  const turns = new Turns();
  const order: number[] = [];
  const patient: Waiter = { wait: (turn) => turn };
  const work = async (n: number): Promise<void> => {
    const leave = await turns.enter('x', patient);
    order.push(n);
    await Promise.resolve();
    order.push(n);
    leave();
  };
  await Promise.all([work(1), work(2), work(3)]);
  expect(order).toEqual([1, 1, 2, 2, 3, 3]);
  expect(turns.size).toBe(0);
});

test('who does not wait for his turn is passed over, and lets nobody in early', async () => {
  const turns = new Turns();
  const patient: Waiter = { wait: (turn) => turn };
  const hasty: Waiter = { wait: () => Promise.reject(new Error('no time')) };
  const leave = await turns.enter('x', patient);
  await expect(turns.enter('x', hasty)).rejects.toThrow('no time');
  let isIn = false;
  const third = turns.enter('x', patient).then((leaveToo) => {
    isIn = true;
    leaveToo();
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIn).toBe(false);
  leave();
  await third;
  expect(turns.size).toBe(0);
});
