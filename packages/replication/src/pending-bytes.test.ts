import { expect, test } from 'vitest';
import type { RaftReplica } from './replica.ts';
import { PendingBytes } from './pending-bytes.ts';
import { makeCollection, put } from './testing/group-use.ts';
import { SimGroup } from './testing/sim-group.ts';

const mib: number = 1024 * 1024;

/** Whether it resolves with what is to be done by now. */
async function isThere(room: Promise<void> | undefined): Promise<boolean> {
  let found = false;
  void room?.then(() => (found = true));
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return room === undefined || found;
}

test('there is room up to the bound, and again when enough is applied', async () => {
  const pending = new PendingBytes(10);
  pending.add(3, [new Uint8Array(4), new Uint8Array(3)]);
  pending.add(5, [new Uint8Array(3)]);
  expect(pending.room()).toBeUndefined();
  pending.add(6, [new Uint8Array(8)]);
  const first = pending.room();
  const second = pending.room();
  expect(await isThere(first)).toBe(false);
  pending.applied(2);
  expect(await isThere(first)).toBe(false);
  // 11 bytes are left, then 8.
  pending.applied(4);
  expect(await isThere(first)).toBe(false);
  pending.applied(5);
  expect(await isThere(first)).toBe(true);
  expect(await isThere(second)).toBe(true);
  expect(pending.room()).toBeUndefined();
});

test('what is not ours any more is not waited for', async () => {
  const pending = new PendingBytes(10);
  pending.add(1, [new Uint8Array(11)]);
  const room = pending.room();
  expect(await isThere(room)).toBe(false);
  pending.clear();
  expect(await isThere(room)).toBe(true);
  // None of it is counted when it is applied after all.
  pending.add(2, [new Uint8Array(11)]);
  pending.applied(1);
  expect(await isThere(pending.room())).toBe(false);
});

test('a leader takes 128 MiB that are not applied, and no more', async () => {
  const group = new SimGroup(111);
  await group.run(async () => {
    const replica = (await group.open(1, [1])) as RaftReplica;
    await replica.store.createCollection('default', { name: 'c' });
    const part = new Uint8Array(mib);
    replica.propose(Array.from({ length: 127 }, () => part));
    replica.propose([new Uint8Array(mib - 100)]);
    expect(replica.reserve(1)).toBeUndefined();
    replica.propose([new Uint8Array(200)]);
    expect(replica.reserve(1)).toBeInstanceOf(Promise);
    // All in one turn: neither log nor store have heard of that.
    group.crash(1);
  });
});

test.each([1, 3])('commits wait while too much is not applied, in a group of %i', async (size) => {
  const bound = 5000;
  const group = new SimGroup(112, { pendingBytesMax: bound });
  const ids = Array.from({ length: size }, (_, i) => i + 1);
  await group.run(async () => {
    await group.start(ids);
    const leader = await group.leader();
    await makeCollection(leader);
    await put(leader, 'k', 0);
    const { lastIndex } = leader.status();
    group.slowDown(leader.nodeId, 1000);
    const writers = Array.from({ length: 100 }, async (_, w) => {
      await group.sleep(5 * w);
      await put(leader, `k${w}`, w);
    });
    await group.sleep(900);
    const { lastIndex: taken, appliedIndex } = leader.status();
    expect(appliedIndex).toBe(lastIndex);
    // Each is some 200 bytes long.
    expect(taken - lastIndex).toBeGreaterThan(10);
    expect(taken - lastIndex).toBeLessThan(50);
    await Promise.all(writers);
    expect(leader.status().appliedIndex).toBe(lastIndex + 100);
  });
});

test.each(['is deposed', 'stops'])('nothing is waited for when the leader %s', async (how) => {
  const group = new SimGroup(113, { pendingBytesMax: 100 });
  await group.run(async () => {
    await group.start([1, 2, 3]);
    const leader = (await group.leader()) as RaftReplica;
    await makeCollection(leader);
    group.cut(leader.nodeId);
    const lost = put(leader, 'k', 1);
    const ended = expect(lost).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' });
    await group.sleep(100);
    const room = leader.reserve(1);
    expect(await isThere(room)).toBe(false);
    if (how === 'stops') leader.quarantine(new Error('planted'));
    await ended;
    expect(await isThere(room)).toBe(true);
    expect(leader.reserve(1)).toBeUndefined();
  });
});
