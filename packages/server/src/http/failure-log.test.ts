import type { Log, LogLevel } from '@themisdb/base';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeConfig } from '../config/config.ts';
import { startServer, type RunningServer } from '../server.ts';
import { testClient, type TestClient } from '../testing/test-server.ts';

const lines: { level: LogLevel; requestId: unknown }[] = [];
const log: Log = {
  write: (level, _message, fields) => void lines.push({ level, requestId: fields?.['requestId'] }),
};
let server: RunningServer;
let client: TestClient;
beforeAll(async () => {
  const rules = () => ({
    prepare() {
      throw new TypeError('a defect of ours');
    },
  });
  server = await startServer(makeConfig({ port: 0, engine: 'memory' }), { log, rules });
  client = testClient(server.url);
  await client.send('POST', '/collections', { json: { name: 'c' } });
});
afterAll(() => server.stop());
beforeEach(() => void lines.splice(0));

test('a defect is logged under the id the client was given', async () => {
  const answer = await client.send('PUT', '/entity/c/x', { json: {} });
  expect(answer.code).toBe('INTERNAL');
  expect(lines).toEqual([{ level: 'error', requestId: answer.json.request_id }]);
});

test.each([
  ['FOR v IN ANY "a/1" GRAPH "g" RETURN v', 'NOT_IMPLEMENTED'],
  ['RETRN 1', 'AQL_PARSE'],
])('%s is the caller’s affair and is not', async (query, code) => {
  expect((await client.aql(query)).code).toBe(code);
  expect(lines).toEqual([]);
});
