import { expect, test } from 'vitest';
import type { Message } from '@themisdb/raft';
import type { RaftBatch, Replica } from './contract.ts';
import { put, withTrio } from './testing/group-use.ts';

function othersThan({ nodeId }: Replica): number[] {
  return [1, 2, 3].filter((id) => id !== nodeId);
}

test('what one step has for a peer leaves in one batch', () =>
  withTrio(
    121,
    async (group, leader) => {
      /** By the event in which they were sent, and to whom. */
      const batches = new Map<string, (readonly Message[])[]>();
      group.onSend = (from, { messages }, to) => {
        if (from !== leader.nodeId) return;
        const key = `${group.scheduler.events}>${to}`;
        batches.set(key, [...(batches.get(key) ?? []), messages]);
      };
      await Promise.all(Array.from({ length: 100 }, (_, n) => put(leader, `k${n}`, n)));
      const all = [...batches.values()];
      expect(all.filter((sent) => sent.length > 1)).toEqual([]);
      // Entries of one answer are sent in many messages here.
      expect(Math.max(...all.map(([messages]) => messages!.length))).toBeGreaterThan(5);
    },
    { messageBytesMax: 500 },
  ));

test('commits of one turn travel in one message', () =>
  withTrio(122, async (group, leader) => {
    const [peer] = othersThan(leader);
    const sent = new Map<number, number>();
    group.onSend = (_from, { messages }, to) => {
      if (to !== peer) return;
      for (const { entries } of messages)
        for (const { index } of entries) sent.set(index, entries.length);
    };
    const before = leader.status().lastIndex;
    // The first goes alone, as nothing is under way.
    await Promise.all(Array.from({ length: 50 }, (_, n) => put(leader, `k${n}`, n)));
    expect(leader.status().lastIndex).toBe(before + 50);
    expect(Math.max(...sent.values())).toBeGreaterThanOrEqual(49);
  }));

test.each([131, 132, 133, 134])(
  'who is told that its connection to the leader broke elects at once, seed %i',
  (seed) =>
    withTrio(seed, async (group, leader) => {
      const { nodeId } = leader;
      const others = othersThan(leader);
      group.crash(nodeId);
      // What it had sent is read before the end of the connection is.
      await group.sleep(2);
      group.hangUp(nodeId);
      const startMs = group.scheduler.nowMs;
      await group.until(() => others.some((id) => group.replica(id).status().role === 'leader'));
      // 200 ms of heartbeat times 0.25 to 1.25, and the votes.
      expect(group.scheduler.nowMs - startMs).toBeLessThan(400);
    }),
);

test('a connection that breaks and comes again costs a leader that is heard nothing', () =>
  withTrio(135, async (group, leader) => {
    const { term } = leader.status();
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        await put(leader, 'k', n);
        await group.sleep(10);
      }
    })();
    for (let round = 0; round < 5; round++) {
      await group.sleep(300);
      group.hangUp(leader.nodeId);
    }
    await group.sleep(300);
    isOver = true;
    await writing;
    expect(leader.status()).toMatchObject({ role: 'leader', term });
  }));

test('a broken connection to somebody else than the leader starts no election', () =>
  withTrio(136, async (group, leader) => {
    const { term } = leader.status();
    const [gone, left] = othersThan(leader) as [number, number];
    group.crash(gone);
    for (let round = 0; round < 5; round++) {
      group.hangUp(gone);
      await group.sleep(300);
    }
    expect(group.replica(left).status()).toMatchObject({ role: 'follower', term });
    expect(leader.status()).toMatchObject({ role: 'leader', term });
  }));

test.each([
  { of: 'another shard', alter: { shard: 2 }, message: {}, isTaken: false },
  { of: 'somebody else', alter: {}, message: { from: 9 }, isTaken: false },
  { of: 'its sender for somebody else', alter: {}, message: { to: 9 }, isTaken: false },
  { of: 'another life of its sender', alter: { incarnation: 5 }, message: {}, isTaken: false },
  { of: 'its sender', alter: {}, message: {}, isTaken: true },
])('a message of $of is taken: $isTaken', ({ alter, message, isTaken }) =>
  withTrio(137, async (group, leader) => {
    const [peer] = othersThan(leader) as [number, number];
    let batch: RaftBatch | undefined;
    group.onSend = (from, sent, to) => {
      if (from === leader.nodeId && to === peer && sent.messages.length > 0) batch ??= sent;
    };
    await group.until(() => batch !== undefined);
    const messages = [{ ...batch!.messages[0]!, term: 50, ...message }];
    group.transport(peer).receive(leader.nodeId, { ...batch!, ...alter, messages });
    expect(group.replica(peer).status().term === 50).toBe(isTaken);
  }),
);
