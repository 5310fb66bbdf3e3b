import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCluster } from '../testing/test-cluster.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
  const answer = await cluster.nodes[0]!.send('POST', '/collections', { json: { name: 'c' } });
  expect(answer.status).toBe(201);
});
afterAll(() => cluster.stop());

describe('a write at any node', () => {
  test('is read at every other at once', async () => {
    for (const writer of cluster.nodes) {
      const put = await writer.send('PUT', `/entity/c%2Fk${writer.id}`, { json: { n: writer.id } });
      expect(put.status, put.text).toBe(201);
      for (const reader of cluster.nodes) {
        const get = await reader.send('GET', `/entity/c%2Fk${writer.id}`);
        expect(get.json, get.text).toMatchObject({ n: writer.id });
      }
    }
  });
});
