import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '@themisdb/server';
import type { Terminal } from '../terminal.ts';
import { writeConfigFiles } from './config-files.ts';
import { DevCluster } from './dev-cluster.ts';
import { prefixOf, readableLine } from './log-lines.ts';
import { rowsTable } from './topology-table.ts';

test('each node gets a file it can be started with', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-dev-'));
  const options = { nodes: 3, folder, port: 8081, peerPort: 7081, engine: 'memory' };
  const nodes = writeConfigFiles(options);
  expect(nodes.map(({ url }) => url)).toEqual([
    'http://127.0.0.1:8081',
    'http://127.0.0.1:8082',
    'http://127.0.0.1:8083',
  ]);
  for (const { id, folder: data, configFile } of nodes) {
    const { config } = loadConfig({ file: configFile });
    expect(config).toMatchObject({ port: 8080 + id, data, engine: 'memory' });
    expect(config.cluster).toMatchObject({ node: id, listen: `127.0.0.1:${7080 + id}` });
    expect(config.cluster.peers.map((peer) => [peer.id, peer.url])).toEqual(
      nodes.map((node) => [node.id, node.url]),
    );
    expect(readFileSync(configFile, 'utf8')).toMatch(/^# /);
  }
  rmSync(folder, { recursive: true });
});

test('log lines are for people, and cannot steer the terminal', () => {
  const line = JSON.stringify({
    shard: 1,
    reason: 'a\u001b[31mb',
    time: '2026-01-02T03:04:05.678Z',
    level: 'warn',
    message: 'peer is down',
  });
  expect(readableLine(line)).toBe('03:04:05.678 WARN peer is down  shard=1  reason=a·[31mb');
  expect(readableLine('plain\u0007')).toBe('plain·');
  expect(prefixOf(2, { hasColor: false })).toBe('n2 |');
  expect(prefixOf(2, { hasColor: true })).toBe('\u001b[33mn2 |\u001b[0m');
});

test('the topology is a table', () => {
  const url = 'http://127.0.0.1:8081';
  const node = { id: 1, url, is_reachable: true, role: 'leader', term: 3, commit_index: 12 };
  const text = rowsTable({
    nodes: [
      { ...node, applied_index: 12, lag_entries: 0 },
      { id: 2, is_reachable: false },
    ],
  });
  expect(text.split('\n')).toEqual([
    '  node  role           term  commit  applied  lag  url',
    `  1     leader         3     12      12       0    ${url}`,
    '  2     not reachable',
    '',
  ]);
});

test('a node whose data was in memory is not started again: it could not come back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-dev-'));
  let printed = '';
  const terminal = {
    stdout: { write: (text: string) => (printed += text) },
  } as unknown as Terminal;
  const options = { nodes: 3, folder, port: 8081, peerPort: 7081, engine: 'memory' };
  const cluster = new DevCluster(options, ['false'], terminal);
  expect(await cluster.obey('r 2')).toBe(true);
  expect(printed).toContain('node 2: its data is in memory');
  expect(cluster.nodes.some(({ isRunning }) => isRunning)).toBe(false);
  rmSync(folder, { recursive: true });
});
