import { expect, test } from 'vitest';
import type { ProgressView } from '@themisdb/raft';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import type { OutgoingSnapshots } from './outgoing-snapshots.ts';
import { SentSnapshots } from './sent-snapshots.ts';

const patienceMs = 2000;

/** One peer, 2, and what the leader and the sender of states know of it. */
async function withPeer(
  body: (parts: {
    readonly env: SimEnv;
    readonly sent: SentSnapshots;
    readonly failed: readonly number[];
    readonly peer: { pendingSnapshot: number; state: ProgressView['state']; isReading: boolean };
  }) => Promise<void>,
): Promise<void> {
  const env = makeSimEnv(1);
  const peer = { state: 'snapshot' as ProgressView['state'], pendingSnapshot: 7, isReading: false };
  const failed: number[] = [];
  const sent = new SentSnapshots({
    env,
    outgoing: { isRead: (index) => peer.isReading && index === 7 } as OutgoingSnapshots,
    patienceMs,
    progressOf: () => peer as unknown as ProgressView,
    failed: (to) => void failed.push(to),
  });
  await env.run(() => body({ env, sent, failed, peer }));
}

test('a peer that does not begin to read is tried again in time', () =>
  withPeer(async ({ env, sent, failed }) => {
    expect(sent.lowestIndex).toBe(Number.POSITIVE_INFINITY);
    sent.sent(2, { index: 7 });
    await env.timers.sleep(patienceMs - 1);
    expect(sent.lowestIndex).toBe(7);
    expect(failed).toEqual([]);
    await env.timers.sleep(2);
    expect(failed).toEqual([2]);
    expect(sent.lowestIndex).toBe(Number.POSITIVE_INFINITY);
  }));

test('a peer that reads is waited for, and what comes behind its state kept, however long', () =>
  withPeer(async ({ env, sent, failed, peer }) => {
    sent.sent(2, { index: 7 });
    peer.isReading = true;
    await env.timers.sleep(20 * patienceMs + 1);
    expect(failed).toEqual([]);
    expect(sent.lowestIndex).toBe(7);
    peer.isReading = false;
    await env.timers.sleep(patienceMs);
    expect(failed).toEqual([2]);
  }));

test('a peer that is done has not failed', () =>
  withPeer(async ({ env, sent, failed, peer }) => {
    sent.sent(2, { index: 7 });
    peer.state = 'replicate';
    await env.timers.sleep(patienceMs + 1);
    expect(failed).toEqual([]);
    expect(sent.lowestIndex).toBe(Number.POSITIVE_INFINITY);
  }));

test('a newer state is not given up with the older one', () =>
  withPeer(async ({ env, sent, failed, peer }) => {
    sent.sent(2, { index: 7 });
    await env.timers.sleep(patienceMs / 2);
    peer.pendingSnapshot = 9;
    sent.sent(2, { index: 9 });
    await env.timers.sleep(patienceMs / 2 + 1);
    expect(failed).toEqual([]);
    expect(sent.lowestIndex).toBe(9);
    await env.timers.sleep(patienceMs / 2);
    expect(failed).toEqual([2]);
  }));
