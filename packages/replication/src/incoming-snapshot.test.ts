import { expect, test } from 'vitest';
import { makeSimEnv } from '@themisdb/testing';
import type { StateEntry } from '@themisdb/storage';
import { membersOf } from './members-of.ts';
import type { RaftTransport } from './contract.ts';
import { IncomingSnapshot, isSnapshotWhole, readSnapshotFile } from './incoming-snapshot.ts';
import { encodeChunk, encodeEnd, encodeHead } from './snapshot-chunks.ts';

const confState = membersOf([1]);
const entries: readonly StateEntry[] = [1, 2, 3, 4].map((n) => {
  return { key: Uint8Array.of(n), value: new Uint8Array(600).fill(n) };
});

/** Serves one entry a chunk, from behind the key it is asked for. */
const transport: Pick<RaftTransport, 'fetchSnapshot'> = {
  async *fetchSnapshot(_from, { after }) {
    yield encodeHead({ id: 'x', index: 7, term: 2, confState });
    for (const entry of entries)
      if (after === undefined || entry.key[0]! > after[0]!) yield encodeChunk([entry]);
    yield encodeEnd(entries.length);
  },
};

// Found by the simulator: a chunk was counted before it was written, so that an attempt which met a
// full disk left it out of the file, and the next one called the file whole.
test.each([
  { operation: 'write', code: 'DISK_FULL', nth: 4 },
  { operation: 'write', code: 'DISK_IO', nth: 2 },
  { operation: 'datasync', code: 'DISK_IO', nth: 1 },
] as const)('a fetch that met $code at $operation leaves nothing out later', async (fault) => {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const incoming = new IncomingSnapshot(env, { shard: 1, id: 'x' });
    const fetch = (): Promise<unknown> =>
      incoming.fetch(transport as RaftTransport, 2, new AbortController().signal);
    env.disk.fail(fault);
    await expect(fetch()).rejects.toMatchObject({ code: fault.code });
    await fetch();
    // What a failed sync covered is not durable, whatever later syncs say.
    env.crash();
    const found: StateEntry[] = [];
    for await (const batch of readSnapshotFile(env.disk, incoming.file)) found.push(...batch);
    expect(found).toEqual(entries);
  });
});

// Found by the simulator: the name of the new folder was never made durable.
test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a whole snapshot outlives a power cut, seed %i',
  async (seed) => {
    const env = makeSimEnv(seed);
    await env.run(async () => {
      const incoming = new IncomingSnapshot(env, { shard: 1, id: 'x' });
      await incoming.fetch(transport as RaftTransport, 2, new AbortController().signal);
      env.crash();
      expect(await env.disk.exists(incoming.file)).toBe(true);
    });
  },
);

test.each([3, 5])(
  'a snapshot of four entries that says it has %i is not taken for whole',
  (count) => {
    const env = makeSimEnv(2);
    const lying: Pick<RaftTransport, 'fetchSnapshot'> = {
      async *fetchSnapshot() {
        yield encodeHead({ id: 'x', index: 7, term: 2, confState });
        yield encodeChunk(entries);
        yield encodeEnd(count);
      },
    };
    return env.run(async () => {
      const incoming = new IncomingSnapshot(env, { shard: 1, id: 'x' });
      const { signal } = new AbortController();
      await expect(incoming.fetch(lying as RaftTransport, 2, signal)).rejects.toMatchObject({
        code: 'DATA_CORRUPT',
        message: `snapshot x has 4 of ${count} entries`,
      });
      expect(await isSnapshotWhole(env.disk, incoming.file)).toBe(false);
    });
  },
);

test.each([
  {
    how: 'is out of order',
    chunks: () => [encodeChunk([entries[1]!]), encodeChunk([entries[0]!])],
  },
  {
    how: 'is out of order',
    chunks: () => [encodeChunk([entries[0]!]), encodeChunk([entries[0]!])],
  },
  {
    how: 'became y',
    chunks: () => [encodeChunk(entries), encodeHead({ id: 'y', index: 8, term: 2, confState })],
  },
])('a snapshot that $how is not taken', ({ how, chunks }) => {
  const env = makeSimEnv(2);
  const wrong: Pick<RaftTransport, 'fetchSnapshot'> = {
    async *fetchSnapshot() {
      yield encodeHead({ id: 'x', index: 7, term: 2, confState });
      yield* chunks();
      yield encodeEnd(how === 'became y' ? 4 : 2);
    },
  };
  return env.run(async () => {
    const incoming = new IncomingSnapshot(env, { shard: 1, id: 'x' });
    const { signal } = new AbortController();
    await expect(incoming.fetch(wrong as RaftTransport, 2, signal)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: `snapshot x ${how}`,
    });
  });
});
