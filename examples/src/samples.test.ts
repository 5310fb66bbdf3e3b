import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '@themisdb/base';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { runClient } from './client.ts';
import { runEmbedded } from './embedded.ts';
import { runTransactions } from './transactions.ts';

let server: RunningServer;
const folder = mkdtempSync(join(tmpdir(), 'themis-samples-'));

beforeAll(async () => {
  server = await startServer(makeConfig({ port: 0, engine: 'memory' }), { log: silentLog });
});

afterAll(async () => {
  await server.stop({ graceMs: 1_000 });
  rmSync(folder, { recursive: true });
});

test('embedded: what was written is found again by a second run', async () => {
  const expected = ['after 1900: Dune', 'awards of Dune: Hugo, Nebula', 'books: 2'];
  expect(await runEmbedded(folder)).toEqual(expected);
  expect(await runEmbedded(folder)).toEqual(expected);
});

test('client: queries, conditional writes, changes', async () => {
  expect(await runClient(server.url)).toEqual([
    'after 1900: Dune',
    'the second patch was refused',
    'changes: insert, insert, update',
  ]);
});

test('transactions: concurrent transfers lose nothing', async () => {
  expect(await runTransactions(server.url)).toEqual([
    'ada: 30',
    'bob: 70',
    'a transfer too many: not enough money',
  ]);
});
