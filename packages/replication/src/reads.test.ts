import { expect, test } from 'vitest';
import type { Replica } from './contract.ts';
import type { OpenReplicaOptions } from './open.ts';
import { get, put, soon, strong, withTrio } from './testing/group-use.ts';
import type { SimGroup } from './testing/sim-group.ts';

function withGroup(
  seed: number,
  body: (group: SimGroup, leader: Replica, follower: Replica) => Promise<void>,
  options: Partial<OpenReplicaOptions> = {},
): Promise<void> {
  return withTrio(
    seed,
    (group, leader) => body(group, leader, group.replica(leader.nodeId === 3 ? 2 : 3)),
    options,
  );
}

const noLeader = { code: 'NO_LEADER' };

test('a commit token is waited for', () =>
  withGroup(71, async (group, leader, follower) => {
    await follower.awaitReadable(strong, soon);
    group.cut(follower.nodeId);
    const timestamp = await put(leader, 'k', 2);
    const mode = { type: 'atLeast', timestamp } as const;
    await expect(follower.awaitReadable(mode, { timeoutMs: 300 })).rejects.toMatchObject(noLeader);
    const waiting = follower.awaitReadable(mode, soon);
    group.heal();
    await waiting;
    expect(await get(follower, 'k')).toBe(2);
  }));

test('a bounded read is served without asking while it is fresh enough, and not after', () =>
  withGroup(72, async (group, leader, follower) => {
    await follower.awaitReadable(strong, soon);
    group.cut(follower.nodeId);
    await put(leader, 'k', 2);
    await follower.awaitReadable({ type: 'bounded', maxLagMs: 5000 }, { timeoutMs: 0 });
    expect(await get(follower, 'k')).toBe(1);
    await group.sleep(2000);
    const mode = { type: 'bounded', maxLagMs: 1000 } as const;
    await expect(follower.awaitReadable(mode, { timeoutMs: 300 })).rejects.toMatchObject(noLeader);
    group.heal();
    await follower.awaitReadable(mode, soon);
    expect(await get(follower, 'k')).toBe(2);
  }));

test('a wait ends when its signal aborts', () =>
  withGroup(73, async (group, _leader, follower) => {
    group.cut(follower.nodeId);
    const stop = new AbortController();
    const waiting = follower.awaitReadable(strong, { timeoutMs: 60_000, signal: stop.signal });
    const reason = new Error('the client left');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  }));

test('strong reads of one turn share one round', () =>
  withGroup(74, async (group, leader) => {
    const before = group.messagesFrom(leader.nodeId);
    await Promise.all(Array.from({ length: 100 }, () => leader.awaitReadable(strong, soon)));
    // One heartbeat to each of two peers, and those of a tick that may come between.
    expect(group.messagesFrom(leader.nodeId) - before).toBeLessThanOrEqual(4);
    expect(group.messagesFrom(leader.nodeId) - before).toBeGreaterThanOrEqual(2);
  }));

test('with a lease a leader reads alone until it ends, and not a moment longer', () =>
  withGroup(
    75,
    async (group, leader) => {
      await leader.awaitReadable(strong, soon);
      group.cut(leader.nodeId);
      // Within the lease: no answer from anybody is needed.
      await leader.awaitReadable(strong, { timeoutMs: 0 });
      await group.sleep(600);
      await expect(leader.awaitReadable(strong, { timeoutMs: 100 })).rejects.toMatchObject(
        noLeader,
      );
    },
    { timing: { leaseMs: 500 } },
  ));

test('a lease ends with a hand-over', () =>
  withGroup(
    76,
    async (group, leader, follower) => {
      await leader.awaitReadable(strong, soon);
      await leader.transferLeadership(follower.nodeId);
      await put(await group.leader([follower.nodeId]), 'k', 9);
      await leader.awaitReadable(strong, soon);
      expect(await get(leader, 'k')).toBe(9);
      group.cut(leader.nodeId);
      await expect(leader.awaitReadable(strong, { timeoutMs: 100 })).rejects.toMatchObject(
        noLeader,
      );
    },
    { timing: { leaseMs: 500 } },
  ));

/** Whether the leader still reads by its lease, now that others lead. */
async function expectLeaseOver(group: SimGroup, old: Replica): Promise<void> {
  const others = [1, 2, 3].filter((id) => id !== old.nodeId);
  await group.until(() => others.some((id) => group.replica(id).status().role === 'leader'));
  await expect(old.awaitReadable(strong, { timeoutMs: 0 })).rejects.toMatchObject(noLeader);
}

test.each([76, 77, 78, 79])('a restart does not vote a lease away, seed %i', (seed) =>
  withGroup(
    seed,
    async (group, leader, follower) => {
      const third = 6 - leader.nodeId - follower.nodeId;
      group.cut(follower.nodeId);
      await group.sleep(900);
      await leader.awaitReadable(strong, soon);
      group.crash(third);
      group.heal();
      group.cut(leader.nodeId);
      await group.open(third, [1, 2, 3]);
      await expectLeaseOver(group, leader);
    },
    { timing: { leaseMs: 800 } },
  ),
);

test('broken connections do not vote a lease away', () =>
  withGroup(
    80,
    async (group, leader) => {
      await leader.awaitReadable(strong, soon);
      group.cut(leader.nodeId);
      group.hangUp(leader.nodeId);
      await expectLeaseOver(group, leader);
    },
    { timing: { leaseMs: 800 } },
  ));

test('no lease in the rest of a term in which leadership was offered', () =>
  withGroup(
    81,
    async (group, leader, follower) => {
      group.cut(follower.nodeId);
      await expect(leader.transferLeadership(follower.nodeId)).rejects.toMatchObject({
        code: 'MEMBER_CHANGE_REFUSED',
      });
      await leader.awaitReadable(strong, soon);
      expect(leader.status().role).toBe('leader');
      group.cut(leader.nodeId);
      await expect(leader.awaitReadable(strong, { timeoutMs: 0 })).rejects.toMatchObject(noLeader);
    },
    { timing: { leaseMs: 500 } },
  ));

test('reads that gave up ask no more', () =>
  withGroup(82, async (group, _leader, follower) => {
    group.cut(follower.nodeId);
    await group.sleep(3000);
    const reads = Array.from({ length: 500 }, async (_, n) => {
      await group.sleep(n);
      await follower.awaitReadable(strong, { timeoutMs: 50 });
    });
    for (const read of reads) await expect(read).rejects.toMatchObject(noLeader);
    await group.sleep(3000);
    const before = group.messagesFrom(follower.nodeId);
    group.heal();
    await group.sleep(2000);
    // Answers to heartbeats and the like.
    expect(group.messagesFrom(follower.nodeId) - before).toBeLessThan(40);
    await follower.awaitReadable(strong, soon);
  }));
