import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, makeConfig } from './config.ts';
import { configNames, flagOf, variableOf } from './keys.ts';
import { isLoopbackHost } from './loopback.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, `${configNames.length}-${Math.abs(text.length)}.json`);
  writeFileSync(path, text);
  return path;
}

test('flags win over variables, variables over the file, the file over defaults', () => {
  const path = file('{"port":1,"data":"/from/file","hosts":["a.example"],"limits":{"depthMax":7}}');
  const { config, sources } = loadConfig({
    file: path,
    variables: { THEMIS_PORT: '2', THEMIS_LIMITS_BODY_BYTES_MAX: '1MiB', HOME: '/root' },
    flags: { port: '3', 'limits-cursor-idle-ms': '5s', host: undefined },
  });
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 3,
    data: '/from/file',
    hosts: ['a.example'],
  });
  expect(config.limits).toMatchObject({ depthMax: 7, bodyBytesMax: 1 << 20, cursorIdleMs: 5000 });
  expect(sources).toMatchObject({
    host: 'default',
    port: 'flag --port',
    data: `file ${path}`,
    'limits.bodyBytesMax': 'variable THEMIS_LIMITS_BODY_BYTES_MAX',
  });
});

test('the variable THEMIS_CONFIG names the file', () => {
  const path = file('{"limits.depthMax": 9}');
  expect(loadConfig({ variables: { THEMIS_CONFIG: path } }).config.limits.depthMax).toBe(9);
});

test('flag and variable names follow from the key', () => {
  expect(flagOf('limits.bodyBytesMax')).toBe('limits-body-bytes-max');
  expect(variableOf('limits.bodyBytesMax')).toBe('THEMIS_LIMITS_BODY_BYTES_MAX');
  expect(new Set(configNames.map(flagOf)).size).toBe(configNames.length);
});

describe('refused', () => {
  test.each([
    [{ flags: { prot: 1 } }, 'flag --prot is not a setting; did you mean --port?'],
    [
      { variables: { THEMIS_HOTS: 'x' } },
      'variable THEMIS_HOTS is not a setting; did you mean THEMIS_HO',
    ],
    [
      { flags: { port: '80a' } },
      'flag --port has the value "80a"; allowed: an integer from 0 to 65535',
    ],
    [{ flags: { port: 65_536 } }, 'an integer from 0 to 65535'],
    [{ variables: { THEMIS_ENGINE: 'lmdb' } }, 'allowed: rocksdb, memory'],
    [
      { variables: { THEMIS_LIMITS_BODY_BYTES_MAX: '5 parsecs' } },
      'as 65536, 64KiB, 16MiB or 1GiB',
    ],
    [{ flags: { data: '' } }, 'a text that is not empty'],
    [{ file: '/nonexistent/themis.json' }, 'it cannot be read'],
  ])('%j', (input, message) => {
    expect(() => loadConfig(input)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(message),
      }),
    );
  });

  test('a file with an unknown key, a duplicate or no object', () => {
    expect(() => loadConfig({ file: file('{"limits":{"depthMx":1}}') })).toThrow(
      /key limits.depthMx is not a setting; did you mean limits.depthMax/,
    );
    expect(() => loadConfig({ file: file('{"port":1,"port":2}') })).toThrow(/same attribute twice/);
    expect(() => loadConfig({ file: file('[]') })).toThrow(/must hold an object/);
    expect(() => loadConfig({ file: file('{"port":\n 70000}') })).toThrow(
      /line 1, column 2 has the value 70000/,
    );
    expect(() => loadConfig({ file: file('port: 8080') })).toThrow(
      /not named .yaml or .yml are read as JSON/,
    );
  });

  test.each([
    '0.0.0.0',
    '::',
    '192.168.1.4',
    'example.org',
    '127.0.0.1.evil.example',
    '1270.0.0.1',
  ])('host %s without authentication', (host) => {
    expect(() => makeConfig({ host })).toThrow(
      expect.objectContaining({
        code: 'UNSAFE_BIND',
        message: expect.stringContaining(
          'without authentication the server listens on loopback only',
        ),
      }),
    );
  });
});

test('loopback names and addresses', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'db.localhost',
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '[::1]',
  ])
    expect(isLoopbackHost(host), host).toBe(true);
  for (const host of ['', 'localhost.evil.example', '127.0.0', '127.0.0.256', '::2', '0.0.0.0'])
    expect(isLoopbackHost(host), host).toBe(false);
});

test('what other programs and Kubernetes set is left alone', () => {
  const variables = {
    THEMIS_URL: 'http://x',
    THEMIS_SERVICE_HOST: '10.0.0.1',
    THEMIS_PORT: 'tcp://10.0.0.1:8080',
    THEMIS_PORT_8080_TCP_ADDR: '10.0.0.1',
  };
  expect(loadConfig({ variables }).config.port).toBe(8080);
});

describe('a cluster', () => {
  const peers = [
    { id: 1, address: '127.0.0.1:7001', url: 'http://127.0.0.1:8001' },
    { id: 2, address: '127.0.0.1:7002', url: 'http://127.0.0.1:8002' },
  ];
  const good = { node: 1, listen: '127.0.0.1:7001', peers };

  test('is told by file, or in short by flag and variable', () => {
    const { cluster } = loadConfig({ file: file(JSON.stringify({ cluster: good })) }).config;
    expect(cluster).toMatchObject({ ...good, id: 'themis', join: false });
    const short = '1=127.0.0.1:7001=http://127.0.0.1:8001, 2=127.0.0.1:7002=http://127.0.0.1:8002/';
    const variables = { THEMIS_CLUSTER_PEERS: short, THEMIS_CLUSTER_LISTEN: good.listen };
    const given = loadConfig({ variables, flags: { 'cluster-node': 1 } }).config.cluster;
    expect(given).toEqual(cluster);
  });

  test('is absent unless this node has a number in it', () => {
    expect(makeConfig().cluster.node).toBe(0);
  });

  test.each([
    [{ peers }, 'cluster.node is needed with it'],
    [{ ...good, listen: 'here' }, 'needs an address host:port'],
    [{ ...good, peers: [peers[0]] }, 'it names no other node'],
    [{ ...good, peers: 5 }, 'it must be a list of objects with id, address and url'],
    [{ ...good, peers: [{ ...peers[1], adress: 'x' }] }, 'item 1: adress is unknown; did you mean'],
    [{ ...good, peers: [peers[0], { ...peers[1], id: 0 }] }, 'item 2: id must be a whole number'],
    [{ ...good, peers: [{ ...peers[1], address: '127.0.0.1' }] }, 'address must be host:port'],
    [{ ...good, peers: [{ ...peers[1], url: 'ftp://x' }] }, 'url must be http://host:port'],
    [{ ...good, peers: [peers[1], { ...peers[1], id: 3 }] }, 'stands there twice'],
    [{ ...good, heartbeatMs: 10 }, 'must not be below cluster.tickMs'],
    [{ ...good, electionMs: 300 }, 'must be twice cluster.heartbeatMs'],
    [{ ...good, leaseMs: '1s' }, 'must be below cluster.electionMs'],
    [{ ...good, pears: [] }, 'key cluster.pears is not a setting; did you mean cluster.peers?'],
  ])('%j is refused', (cluster, message) => {
    expect(() => loadConfig({ file: file(JSON.stringify({ cluster })) })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(message),
      }),
    );
  });

  test('listens on loopback only', () => {
    const cluster = { ...good, listen: '0.0.0.0:7001' };
    expect(() => loadConfig({ file: file(JSON.stringify({ cluster })) })).toThrow(
      expect.objectContaining({ code: 'UNSAFE_BIND' }),
    );
  });
});
