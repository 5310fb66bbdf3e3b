import { expect, test } from 'vitest';
import { toHex } from '@themisdb/base';
import { decodeChunk } from './snapshot-chunks.ts';
import { SimGroup } from './testing/sim-group.ts';
import { expectEqual, get, makeCollection, put, soon, strong } from './testing/group-use.ts';

const small = { logCacheBytes: 2000, checkpointBytes: 10_000, snapshotChunkBytes: 1000 };

/** Group of three of which one was down while far more was written than is kept for it. */
async function withStraggler(
  seed: number,
  body: (group: SimGroup, straggler: number) => Promise<void>,
): Promise<void> {
  const group = new SimGroup(seed, small);
  await group.run(async () => {
    await group.start([1, 2, 3]);
    const leader = await group.leader();
    await makeCollection(leader);
    for (let n = 0; n < 10; n++) await put(leader, `k${n}`, n);
    const straggler = leader.nodeId === 1 ? 2 : 1;
    await group.until(() => group.replica(straggler).status().appliedIndex > 5);
    group.crash(straggler);
    for (let n = 0; n < 150; n++) await put(leader, `k${n}`, n + 1);
    await body(group, straggler);
  });
}

function snapshotFiles(group: SimGroup, id: number): string[] {
  const paths = group
    .member(id)
    .env.disk.files()
    .map(({ path }) => path);
  return paths.filter((path) => path.startsWith('snapshots/'));
}

test('one far behind gets a snapshot, reads it strongly, and goes on with the log', () =>
  withStraggler(21, async (group, straggler) => {
    const replica = await group.open(straggler, [1, 2, 3]);
    await replica.awaitReadable(strong, soon);
    const messages = group.member(straggler).env.log.lines.map(({ message }) => message);
    expect(messages).toContain('a snapshot was installed');
    expect(snapshotFiles(group, straggler)).toEqual([]);
    expect(await get(replica, 'k149')).toBe(150);
    await put(await group.leader(), 'k0', 1000);
    await expectEqual(group, [1, 2, 3]);
    group.crash(straggler);
    await group.open(straggler, [1, 2, 3]);
    await put(await group.leader(), 'k1', 1001);
    await expectEqual(group, [1, 2, 3]);
  }));

test.each(Array.from({ length: 12 }, (_, i) => 31 + i))(
  'a crash at any moment of a snapshot is taken up, seed %i',
  (seed) =>
    withStraggler(seed, async (group, straggler) => {
      for (let crashes = 0; crashes < 4; crashes++) {
        await group.open(straggler, [1, 2, 3]);
        await group.sleep(group.member(straggler).env.prng.float() * 1500);
        group.crash(straggler);
      }
      await group.open(straggler, [1, 2, 3]);
      await put(await group.leader(), 'k0', 5000);
      await expectEqual(group, [1, 2, 3]);
    }),
);

test('a fetch that breaks off goes on where it was', () =>
  withStraggler(50, async (group, straggler) => {
    const leader = (await group.leader()).nodeId;
    group.breakSnapshots = 3;
    group.chunksBeforeBreak = 4;
    const asked: { readonly id: string | undefined; readonly after: string | undefined }[] = [];
    group.onFetch = (_to, { id, after }) =>
      void asked.push({ id, after: after === undefined ? undefined : toHex(after) });
    /** The last keys of the attempts that broke off, and all keys that arrived. */
    const ends: string[] = [];
    const keys: string[] = [];
    group.onChunk = (_to, bytes) => {
      const chunk = decodeChunk(bytes);
      if (chunk.type === 'entries') keys.push(...chunk.entries.map(({ key }) => toHex(key)));
      if (chunk.type === 'head' && keys.length > 0) ends.push(keys.at(-1)!);
    };
    await group.open(straggler, [1, 2, 3]);
    await expectEqual(group, [1, 2, 3]);
    expect(group.breakSnapshots).toBe(0);
    expect(ends.length).toBe(3);
    expect(asked.map(({ after }) => after)).toEqual([undefined, ...ends]);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    // Each key came once, in order.
    expect(keys).toEqual([...new Set(keys)].sort());
    expect(keys.length).toBeGreaterThan(150);
    expect(group.replica(leader).status().failure).toBeUndefined();
  }));

// What `outgoing-snapshots.test.ts` shows of the limit, with the limit that the replica was opened with.
test.each([
  { snapshotBytesPerSecond: 20_000, perSecond: 20_000 },
  { snapshotBytesPerSecond: undefined, perSecond: 100_000_000 },
])('a replica sends $perSecond bytes a second of its state', (limit) =>
  withStraggler(53, async (group) => {
    const { nodeId } = await group.leader();
    await group.stop(nodeId);
    const { snapshotBytesPerSecond } = limit;
    await group.open(nodeId, [1, 2, 3], { snapshotBytesPerSecond });
    const startMs = group.scheduler.nowMs;
    let bytes = 0;
    const never = new AbortController().signal;
    for await (const chunk of group.transport(nodeId).serveSnapshot(9, {}, never))
      bytes += chunk.length;
    expect(bytes).toBeGreaterThan(10_000);
    const seconds = (group.scheduler.nowMs - startMs) / 1000;
    // Of the chunks alone: head and end cost nothing.
    expect(seconds).toBeGreaterThan((0.95 * bytes) / limit.perSecond);
    expect(seconds).toBeLessThan((1.05 * bytes) / limit.perSecond);
  }),
);

test('a state is held for a minute after it was read', () =>
  withStraggler(54, async (group) => {
    const { serveSnapshot } = group.transport((await group.leader()).nodeId);
    const read = async (wanted?: string): Promise<string> => {
      for await (const chunk of serveSnapshot(9, { id: wanted }, new AbortController().signal)) {
        const head = decodeChunk(chunk);
        if (head.type === 'head') return head.head.id;
      }
      throw new Error('a state without a head');
    };
    const id = await read();
    await group.sleep(59_900);
    expect(await read(id)).toBe(id);
    await group.sleep(60_100);
    await expect(read(id)).rejects.toMatchObject({ code: 'SNAPSHOT_GONE' });
  }));

test('a replica whose engine is lost gets its state from a peer and keeps its log and votes', () =>
  withStraggler(51, async (group, straggler) => {
    await group.open(straggler, [1, 2, 3]);
    await expectEqual(group, [1, 2, 3]);
    const term = group.replica(straggler).status().term;
    group.crash(straggler);
    group.loseEngine(straggler);
    await group.open(straggler, [1, 2, 3], { rebuild: true });
    expect(group.replica(straggler).status().term).toBeGreaterThanOrEqual(term);
    await put(await group.leader(), 'k0', 7);
    await expectEqual(group, [1, 2, 3]);
  }));

test('the only copy is not rebuilt from nothing', async () => {
  const group = new SimGroup(52);
  await group.run(async () => {
    await group.open(1, [1]);
    await makeCollection(group.replica(1));
    group.crash(1);
    group.loseEngine(1);
    await expect(group.open(1, [1], { rebuild: true })).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
    });
  });
});

test('an installation that outlasts the patience of the leader, under writes', () =>
  withStraggler(21, async (group, straggler) => {
    group.slowDown(straggler, 400);
    const replica = await group.open(straggler, [1, 2, 3]);
    const endMs = group.scheduler.nowMs + 60_000;
    for (let n = 0; group.scheduler.nowMs < endMs; n++) {
      await put(await group.leader(), `w${n % 50}`, n);
      await group.sleep(50);
    }
    expect(replica.status().failure).toBeUndefined();
    group.kill(straggler);
    await group.open(straggler, [1, 2, 3]);
    await expectEqual(group, [1, 2, 3]);
  }));

test.each(['is gone', 'is damaged'])(
  'where the file of an installation that was begun %s, the state is fetched again',
  (how) =>
    withStraggler(27, async (group, straggler) => {
      group.slowDown(straggler, 400);
      await group.open(straggler, [1, 2, 3]);
      const { disk, log } = group.member(straggler).env;
      const file = (): string | undefined =>
        disk.files().find(({ path }) => path.startsWith('snapshots/'))?.path;
      await group.until(() => log.lines.some(({ message }) => message === 'fetching a snapshot'));
      // Fetched in no time, and then installed at 400 ms a batch.
      await group.sleep(700);
      group.kill(straggler);
      const path = file()!;
      if (how === 'is gone') await disk.remove(path);
      else disk.flipBit(path, 300, 1);
      await group.open(straggler, [1, 2, 3]);
      const messages = log.lines.map(({ message }) => message);
      expect(messages).toContain('a snapshot was installed');
      await expectEqual(group, [1, 2, 3]);
    }),
);

test('an engine that is full for a while is waited for during an installation', () =>
  withStraggler(28, async (group, straggler) => {
    const replica = await group.open(straggler, [1, 2, 3]);
    const { log } = group.member(straggler).env;
    const isTold = (what: string): boolean =>
      log.lines.some(({ message }) => message.startsWith(what));
    await group.until(() => isTold('fetching a snapshot'));
    group.fillEngine(straggler, 10_000);
    await group.until(() => isTold('the engine has no space left for'));
    await group.sleep(5000);
    expect(replica.status().failure).toBeUndefined();
    await expectEqual(group, [1, 2, 3]);
  }));

test('what is left of a fetch is removed at the next start; other shards have their own', () =>
  withStraggler(56, async (group, straggler) => {
    group.breakSnapshots = Number.POSITIVE_INFINITY;
    await group.open(straggler, [1, 2, 3]);
    await group.until(() => snapshotFiles(group, straggler).length > 0);
    const { disk } = group.member(straggler).env;
    await (await disk.open('snapshots/2-other', { create: true })).close();
    group.kill(straggler);
    group.cut(straggler);
    await group.open(straggler, [1, 2, 3]);
    expect(snapshotFiles(group, straggler)).toEqual(['snapshots/2-other']);
  }));

test('a replica that closed gives no state, and the one that was being read ends with it', () =>
  withStraggler(55, async (group) => {
    const { nodeId } = await group.leader();
    const { signal } = new AbortController();
    const chunks = group.transport(nodeId).serveSnapshot(9, {}, signal)[Symbol.asyncIterator]();
    await chunks.next();
    await group.stop(nodeId);
    await expect(chunks.next()).rejects.toMatchObject({ code: 'SNAPSHOT_GONE' });
    expect(() => group.transport(nodeId).serveSnapshot(9, {}, signal)).toThrow('has stopped');
    await group.sleep(120_000);
  }));

test('a replica that has stopped gives no state: what it holds may be what is damaged', () =>
  withStraggler(57, async (group) => {
    const leader = await group.leader();
    leader.quarantine(new Error('planted'));
    const { signal } = new AbortController();
    expect(() => group.transport(leader.nodeId).serveSnapshot(9, {}, signal)).toThrow(
      'has stopped',
    );
  }));
