import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { themisError } from '@themisdb/protocol';
import type { RaftTransport } from '@themisdb/replication';
import { openParts } from './open.ts';

// Real RocksDB in a real folder.

test('a node that joined and is damaged asks the nodes of its configuration for the state', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-open-'));
  const mark = join(folder, 'state.damaged');
  writeFileSync(mark, '');
  const asked: number[] = [];
  const transport = {
    // eslint-disable-next-line require-yield, typescript/require-await
    async *fetchSnapshot(from: number): AsyncGenerator<Uint8Array> {
      asked.push(from);
      throw themisError('STORE_FAILED', { message: 'enough' });
    },
  } as unknown as RaftTransport;
  const member = { nodeId: 3, members: [], peers: [2], transport };
  await expect(openParts(folder, { member })).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(asked).toEqual([2]);
  expect(existsSync(mark)).toBe(true);
  rmSync(folder, { recursive: true });
});
