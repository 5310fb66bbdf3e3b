import { expect, test } from 'vitest';
import { themisError } from '@themisdb/protocol';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { membersOf } from './members-of.ts';
import type { RaftTransport } from './contract.ts';
import { fetchState } from './rebuild.ts';
import type { ReplicaLog } from './replica-log.ts';
import { encodeChunk, encodeEnd, encodeHead } from './snapshot-chunks.ts';
import type { PendingInstall, ReplicaState } from './state-record.ts';

const confState = membersOf([1, 2, 3]);

/** Replica 1, whose log begins behind entry 7, asks peers that have applied so much, or nothing to give. */
async function rebuild(
  indexes: ReadonlyMap<number, number>,
  env: SimEnv = makeSimEnv(1),
): Promise<{ readonly installing: PendingInstall | undefined; readonly asked: readonly number[] }> {
  const asked: number[] = [];
  let installing: PendingInstall | undefined;
  const transport: Pick<RaftTransport, 'fetchSnapshot'> = {
    async *fetchSnapshot(from, request) {
      asked.push(from);
      expect(request).toEqual({ id: undefined, after: undefined });
      const index = indexes.get(from);
      if (index === undefined) throw themisError('SNAPSHOT_GONE', { message: 'planted' });
      yield encodeHead({ id: `of ${from}`, index, term: 2, confState });
      yield encodeChunk([{ key: Uint8Array.of(from), value: Uint8Array.of(index) }]);
      yield encodeEnd(1);
    },
  };
  const log = {
    cache: { before: { index: 7, term: 1 } },
    saveState: async (change: Partial<ReplicaState>) => void (installing = change.installing),
  };
  await env.run(() =>
    fetchState({
      env,
      log: log as unknown as ReplicaLog,
      shard: 1,
      transport: transport as RaftTransport,
      peers: [2, 3],
      signal: new AbortController().signal,
    }),
  );
  return { installing, asked };
}

test('a state that the log follows is taken from the first peer that has one', async () => {
  const { installing, asked } = await rebuild(new Map([[3, 7]]));
  expect(asked).toEqual([2, 3]);
  expect(installing).toEqual({ index: 7, term: 2, confState, file: 'snapshots/1-rebuild' });
});

test('a state that ends before the log begins is of no use', async () => {
  const indexes = new Map([
    [2, 6],
    [3, 9],
  ]);
  const { installing, asked } = await rebuild(indexes);
  expect(asked).toEqual([2, 3]);
  expect(installing?.index).toBe(9);
});

test('a disk that fails is not taken for a peer that does', async () => {
  const env = makeSimEnv(2);
  env.disk.fail({ operation: 'datasync', code: 'DISK_IO', nth: 1 });
  await expect(rebuild(new Map([[2, 9]]), env)).rejects.toMatchObject({ code: 'DISK_IO' });
});
