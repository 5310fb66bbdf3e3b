import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { makeConfig } from './config/config.ts';
import { startServer } from './server.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

describe('start', () => {
  test('refuses any host but loopback, however the configuration was made', async () => {
    const config = { ...makeConfig({ engine: 'memory', port: 0 }), host: '0.0.0.0' };
    await expect(startServer(config)).rejects.toMatchObject({ code: 'UNSAFE_BIND' });
  });

  test('a taken port is told, and the data is closed again', async () => {
    const server = await startTestServer();
    const { port } = server.running;
    await expect(startServer(makeConfig({ engine: 'memory', port }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('the port is taken'),
    });
    await server.stop();
  });
});

describe('stop', () => {
  test('ends long polls at once, and rolls open transactions back', async () => {
    const server = await startTestServer();
    const poll = server.send('GET', '/changefeed?after=now&wait_ms=60000');
    await underWay(server);
    await server.send('POST', '/transaction/begin');
    const stopped = server.running.stop();
    const { status, json } = await poll;
    expect([status, json.changes]).toEqual([200, []]);
    await stopped;
    await expect(server.send('GET', '/livez')).rejects.toThrow(/ECONNREFUSED/);
    expect(() => server.running.database.collections()).toThrow(/closed/);
  });

  test('lets requests under way finish, then closes their connections', async () => {
    const server = await startTestServer();
    const query = server.aql('RETURN LENGTH(FOR i IN 1..2000000 FILTER i % 2 == 0 RETURN i)');
    const socket = connect(server.running.port, '127.0.0.1');
    const chunks: string[] = [];
    socket.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    // A request whose body is not there yet keeps its connection busy.
    socket.write(
      'POST /query/aql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n',
    );
    while ((await server.send('GET', '/queries')).json.queries.length === 0);
    const stopped = server.running.stop();
    socket.write('{"query":"RETURN 1"}GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect((await query).json.results).toEqual([1_000_000]);
    await stopped;
    await closed;
    expect(chunks.join('')).toMatch(/"results":\[1\]/);
    expect(chunks.join('')).toMatch(/connection: close/i);
  });

  test('cuts off what takes longer than the grace', async () => {
    const server = await startTestServer();
    const endless = server
      .aql('FOR i IN 1..100000000 FILTER i < 0 RETURN i')
      .catch(() => 'cut off');
    while ((await server.send('GET', '/queries')).json.queries.length === 0);
    await server.running.stop({ graceMs: 50 });
    expect(await endless).toBe('cut off');
  });

  test('is the same stop when asked twice', async () => {
    const server = await startTestServer();
    await Promise.all([server.running.stop(), server.running.stop()]);
  });
});

/** Until the server is at work on a request besides the one that asks. */
async function underWay(server: TestServer): Promise<void> {
  const pattern = /^themis_http_requests_in_flight 2$/m;
  while (!pattern.test((await server.send('GET', '/metrics')).text));
}
