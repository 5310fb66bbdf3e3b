import { expect, test } from 'vitest';
import type { OpenReplicaOptions } from './open.ts';
import type { RaftReplica } from './replica.ts';
import { expectEqual, makeCollection, put } from './testing/group-use.ts';
import { SimGroup } from './testing/sim-group.ts';

const ids = [1, 2, 3];

/** A group that wrote some 60 entries, with a checkpoint every few of them. */
async function withGroup(
  options: Partial<OpenReplicaOptions>,
  body: (group: SimGroup) => Promise<void>,
): Promise<void> {
  const group = new SimGroup(141, { checkpointBytes: 4000, ...options });
  await group.run(async () => {
    await group.start(ids);
    const leader = await group.leader();
    await makeCollection(leader);
    for (let n = 0; n < 60; n++) await put(leader, `k${n}`, n);
    await expectEqual(group, ids);
    await body(group);
  });
}

/** The oldest entries on disk and in memory; the one before the latter is kept for its term. */
function firstOf(group: SimGroup, id: number): { readonly log: number; readonly memory: number } {
  return {
    log: group.member(id).wal!.bounds(1)!.first,
    memory: group.replica(id).status().firstIndex,
  };
}

test('what memory holds for peers stays in the log, however far the engine has flushed', () =>
  withGroup({}, async (group) => {
    for (const id of ids) {
      const { log, memory } = firstOf(group, id);
      expect(log).toBe(1);
      expect(memory).toBe(1);
    }
  }));

test('the log goes up to what memory holds, and not beyond', () =>
  withGroup({ logCacheBytes: 4000 }, async (group) => {
    for (const id of ids) {
      const { log, memory } = firstOf(group, id);
      expect(memory).toBeGreaterThan(20);
      expect(log).toBeGreaterThan(10);
      expect(log).toBeLessThan(memory);
      const replica = group.replica(id) as RaftReplica;
      await replica.release(replica.status().appliedIndex);
      expect(firstOf(group, id)).toEqual({ log: memory - 1, memory });
    }
  }));

test('one a little behind is served from the log also by those that started anew', () =>
  withGroup({}, async (group) => {
    const leader = await group.leader();
    const straggler = leader.nodeId === 1 ? 2 : 1;
    group.crash(straggler);
    for (let n = 0; n < 30; n++) await put(leader, `k${n}`, -n);
    const others = ids.filter((id) => id !== straggler);
    for (const id of others) await group.stop(id);
    for (const id of others) await group.open(id, ids);
    await group.open(straggler, ids);
    await expectEqual(group, ids);
    const told = group.member(straggler).env.log.lines.map(({ message }) => message);
    expect(told).not.toContain('fetching a snapshot');
  }));

test('a replica alone holds no entries in memory, until it is alone no more', async () => {
  const group = new SimGroup(142, { checkpointBytes: 4000 });
  await group.run(async () => {
    const replica = await group.open(1, [1]);
    await makeCollection(replica);
    for (let n = 0; n < 30; n++) await put(replica, `k${n}`, n);
    await group.sleep(10);
    const { lastIndex, firstIndex } = replica.status();
    expect(firstIndex).toBe(lastIndex + 1);
    await group.open(2);
    await replica.changeMembers({ type: 'add', id: 2 });
    for (let n = 0; n < 30; n++) await put(replica, `k${n}`, -n);
    expect(replica.status().firstIndex).toBeLessThanOrEqual(lastIndex + 2);
  });
});
