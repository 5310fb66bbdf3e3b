import { expect, test } from 'vitest';
import { hasCode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { MessageType } from '@themisdb/raft';
import type { Replica } from './contract.ts';
import { expectEqual, get, makeCollection, put, soon, strong } from './testing/group-use.ts';
import { SimGroup } from './testing/sim-group.ts';

async function withGroup(
  seed: number,
  ids: readonly number[],
  body: (group: SimGroup, leader: Replica) => Promise<void>,
): Promise<void> {
  const group = new SimGroup(seed, { checkpointBytes: 5000 });
  await group.run(async () => {
    await group.start(ids);
    const leader = await group.leader();
    await makeCollection(leader);
    for (let n = 0; n < 10; n++) await put(leader, `k${n}`, n);
    await body(group, leader);
  });
}

/** Writes until the first is refused; gives the number that were acknowledged. */
async function fill(leader: Replica): Promise<number> {
  for (let n = 0; ; n++) {
    try {
      await put(leader, `full${n}`, n);
    } catch (error) {
      if (hasCode(error, 'DISK_FULL')) return n;
      throw error;
    }
  }
}

test('alone on a full disk: writes are refused, reads live, writes come back by themselves', () =>
  withGroup(81, [1], async (group, replica) => {
    const { disk } = group.member(1).env;
    disk.setCapacity(disk.usedBytes());
    const written = await fill(replica);
    await replica.awaitReadable(strong, soon);
    expect(await get(replica, `full${written - 1}`)).toBe(written - 1);
    expect(await get(replica, `full${written}`)).toBeUndefined();
    disk.setCapacity(Number.POSITIVE_INFINITY);
    await put(replica, 'k0', 100);
    group.crash(1);
    const again = await group.open(1, [1]);
    expect(await get(again, 'k0')).toBe(100);
    expect(await get(again, `full${written}`)).toBeUndefined();
  }));

test('a leader on a full disk refuses; the others keep what was acknowledged', () =>
  withGroup(82, [1, 2, 3], async (group, leader) => {
    const { disk } = group.member(leader.nodeId).env;
    disk.setCapacity(disk.usedBytes());
    const written = await fill(leader);
    expect(written).toBeGreaterThan(0);
    disk.setCapacity(Number.POSITIVE_INFINITY);
    await put(await group.leader(), 'k0', 100);
    await expectEqual(group, [1, 2, 3]);
    expect(await get(leader, `full${written - 1}`)).toBe(written - 1);
  }));

test('a follower on a full disk holds nobody up, and catches up when there is space', () =>
  withGroup(83, [1, 2, 3], async (group, leader) => {
    const follower = [1, 2, 3].find((id) => id !== leader.nodeId)!;
    const { disk } = group.member(follower).env;
    disk.setCapacity(disk.usedBytes());
    for (let n = 0; n < 300; n++) await put(leader, `more${n}`, n);
    expect(group.replica(follower).status().failure).toBeUndefined();
    disk.setCapacity(Number.POSITIVE_INFINITY);
    await expectEqual(group, [1, 2, 3]);
  }));

test('votes are not asked for before the own one is stored', () =>
  withGroup(89, [1, 2, 3, 4, 5], async (group, leader) => {
    const [full, ...others] = [1, 2, 3, 4, 5].filter((id) => id !== leader.nodeId);
    const { disk } = group.member(full!).env;
    disk.setCapacity(disk.usedBytes());
    for (let n = 0; n < 300; n++) await put(leader, `more${n}`, n);
    group.cut(leader.nodeId);
    // Started anew they follow nobody, and would elect the full one at once.
    for (const id of others) {
      await group.stop(id);
      await group.open(id, [1, 2, 3, 4, 5]);
    }
    const asked = new Set<number>();
    group.onSend = (from, { messages }) => {
      if (messages.some(({ type }) => type === MessageType.Vote)) asked.add(from);
    };
    group.hangUp(leader.nodeId);
    const next = await group.leader(others);
    // A second life of it could win the same term again, with other entries.
    expect([...asked]).not.toContain(full);
    expect(await get(next, 'more299')).toBe(299);
    disk.setCapacity(Number.POSITIVE_INFINITY);
    group.heal();
    await expectEqual(group, [1, 2, 3, 4, 5]);
  }));

test('a failed sync stops that replica alone; it comes back with all it had acknowledged', () =>
  withGroup(84, [1, 2, 3], async (group, leader) => {
    const id = leader.nodeId;
    group.member(id).env.disk.fail({ operation: 'datasync', nth: 1 });
    await put(leader, 'k0', 1).catch((error: unknown) => {
      if (!hasCode(error, 'STORE_FAILED', 'UNKNOWN_OUTCOME')) throw error;
    });
    await group.until(() => leader.status().failure !== undefined);
    expect(leader.status().role).toBe('failed');
    await expect(leader.awaitReadable(strong, soon)).rejects.toMatchObject({
      code: 'STORE_FAILED',
    });
    const others = [1, 2, 3].filter((other) => other !== id);
    await put(await group.leader(others), 'k1', 2);
    group.crash(id);
    await group.open(id, [1, 2, 3]);
    await expectEqual(group, [1, 2, 3]);
  }));

test('a leader whose store has stopped leads no more', () =>
  withGroup(85, [1, 2, 3], async (group, leader) => {
    const { engine } = group.member(leader.nodeId);
    engine.flush = () => Promise.reject(new Error('planted'));
    // Enough for a checkpoint that nobody asked for.
    for (let n = 0; leader.status().failure === undefined; n++)
      await put(leader, `more${n}`, n).catch((error: unknown) => {
        if (!hasCode(error, 'STORE_FAILED', 'UNKNOWN_OUTCOME')) throw error;
      });
    const others = [1, 2, 3].filter((id) => id !== leader.nodeId);
    await put(await group.leader(others), 'k1', 2);
  }));

test('a replica put into quarantine tells its listeners, and takes no part any more', () =>
  withGroup(86, [1, 2, 3], async (group, leader) => {
    const seen: unknown[] = [];
    leader.onRoleChange(({ role, failureCode }) => void seen.push([role, failureCode]));
    leader.quarantine(themisError('DATA_CORRUPT', { message: 'planted' }));
    await group.sleep(1);
    expect(seen).toEqual([['failed', 'DATA_CORRUPT']]);
    const others = [1, 2, 3].filter((id) => id !== leader.nodeId);
    await put(await group.leader(others), 'k1', 2);
  }));

test('a follower whose disk is full ends in order', () =>
  withGroup(83, [1, 2, 3], async (group, leader) => {
    const follower = group.replica(leader.nodeId === 1 ? 2 : 1);
    const { disk, log } = group.member(follower.nodeId).env;
    disk.setCapacity(disk.usedBytes());
    const isFull = (): boolean =>
      log.lines.some(({ message }) => message === 'the log has no space left; trying again');
    for (let n = 0; !isFull(); n++) await put(leader, `more${n}`, n);
    const closed = follower.close().then(() => 'closed');
    expect(await Promise.race([closed, group.sleep(10_000)])).toBe('closed');
    expect(log.lines.map(({ message }) => message)).not.toContain('the replica stopped');
  }));
