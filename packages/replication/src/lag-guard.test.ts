import { expect, test } from 'vitest';
import type { Replica } from './contract.ts';
import type { OpenReplicaOptions } from './open.ts';
import { put, soon, strong, withTrio } from './testing/group-use.ts';
import type { SimGroup } from './testing/sim-group.ts';

const electionMs = 1000;
const told = 'the loop stalled; leadership is handed over';

function withGroup(
  seed: number,
  body: (group: SimGroup, leader: Replica) => Promise<void>,
  options: Partial<OpenReplicaOptions> = {},
): Promise<void> {
  return withTrio(
    seed,
    async (group, leader) => {
      await leader.awaitReadable(strong, soon);
      await body(group, leader);
    },
    options,
  );
}

function isTold(group: SimGroup, { nodeId }: Replica): boolean {
  return group.member(nodeId).env.log.lines.some(({ message }) => message === told);
}

test.each([91, 92, 93])(
  'a leader whose loop stood still hands over to who is furthest, seed %i',
  (seed) =>
    withGroup(seed, async (group, leader) => {
      const { nodeId } = leader;
      const [behind, furthest] = [1, 2, 3].filter((id) => id !== nodeId) as [number, number];
      group.cut(behind);
      await put(leader, 'k', 2);
      group.heal();
      const { term } = leader.status();
      group.stall(nodeId, electionMs + 120);
      await group.sleep(electionMs + 119);
      expect([behind, furthest].map((id) => group.replica(id).status().term)).toEqual([term, term]);
      await group.until(() => leader.status().role !== 'leader');
      await group.until(() => group.replica(furthest).status().role === 'leader');
      expect(isTold(group, leader)).toBe(true);
      expect(group.replica(furthest).status().term).toBe(term + 1);
    }),
);

test('a tick that is late by less costs nobody the lead', () =>
  withGroup(94, async (group, leader) => {
    const { term } = leader.status();
    group.stall(leader.nodeId, electionMs - 200);
    await group.sleep(3000);
    expect(leader.status()).toMatchObject({ role: 'leader', term });
    expect(isTold(group, leader)).toBe(false);
  }));

test('a late tick counts once: a follower whose loop stood still does not take its leader for dead', () =>
  withGroup(96, async (group, leader) => {
    const { term } = leader.status();
    const follower = leader.nodeId === 3 ? 2 : 3;
    let changes = 0;
    group.replica(follower).onRoleChange(() => changes++);
    group.stall(follower, 10 * electionMs);
    await group.sleep(12 * electionMs);
    expect(changes).toBe(0);
    expect(leader.status()).toMatchObject({ role: 'leader', term });
    expect(group.replica(follower).status()).toMatchObject({ role: 'follower', term });
  }));

// A lease this long is no sound configuration: a sound one is over by itself after such a stop.
test('a lease ends with a stop of the loop, also where nobody is there to hand over to', () =>
  withGroup(
    95,
    async (group, leader) => {
      const { nodeId } = leader;
      for (const id of [1, 2, 3]) if (id !== nodeId) group.hangUp(id);
      group.stall(nodeId, electionMs + 120);
      await leader.awaitReadable(strong, { timeoutMs: 0 });
      await group.sleep(electionMs + 121);
      expect(leader.status().role).toBe('leader');
      expect(isTold(group, leader)).toBe(false);
      await expect(leader.awaitReadable(strong, { timeoutMs: 0 })).rejects.toMatchObject({
        code: 'NO_LEADER',
      });
    },
    { timing: { leaseMs: 5000 } },
  ));
