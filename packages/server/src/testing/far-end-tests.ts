import { setTimeout as sleep } from 'node:timers/promises';
import { emptyBytes, utf8Decode } from '@themisdb/base';
import type { ChannelHandlers, ShardChannel } from '@themisdb/channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { farCallsMax, farDeathCode, type Seen } from './far-end.ts';

export interface Near {
  readonly channel: ShardChannel;
  /** The exit code of the far thread or process. */
  readonly ended: Promise<number>;
}

/** Of the near end: that the other side is gone is told by the carrier, not found out by silence. */
export const patientLimits = { helloTimeoutMs: 600_000, deadAfterMs: 600_000 } as const;

/** What the contract of channels promises, where handlers are in another thread or process than the test. */
export function runFarEndTests(
  name: string,
  open: (handlers: ChannelHandlers) => Promise<Near>,
): void {
  describe(`a channel to ${name}`, () => {
    const handlers: ChannelHandlers = {
      call: { double: (body) => body.map((byte) => 2 * byte) },
    };
    let near: Near;
    beforeAll(async () => {
      near = await open(handlers);
    });
    afterAll(() => near.channel.close());

    async function seen(): Promise<Seen> {
      const body = await near.channel.call('seen', emptyBytes);
      return JSON.parse(utf8Decode(body)) as Seen;
    }

    async function untilSeen(holds: (seen: Seen) => boolean): Promise<Seen> {
      for (;;) {
        const now = await seen();
        if (holds(now)) return now;
        await sleep(5);
      }
    }

    test('is called, streams, and takes as much as it gives', async () => {
      const { channel } = near;
      expect(channel.peer).toEqual({ nodeId: 2, clusterId: 'test', role: 'far' });
      const body = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
      const answer = await channel.call('reverse', body);
      expect(Buffer.compare(answer, body.slice().reverse())).toBe(0);
      let total = 0;
      for await (const chunk of channel.stream('count', Uint8Array.of(100))) total += chunk.length;
      expect(total).toBe(1_000_000);
      const parts = Array.from({ length: 30 }, (_, n) => body.subarray(n, n + 50_000 * (n % 3)));
      const { head, chunks } = await channel.duplex('echo', Uint8Array.of(7), give(parts));
      expect(head).toEqual(Uint8Array.of(7));
      let at = 0;
      for await (const chunk of chunks) expect(Buffer.compare(chunk, parts[at++]!)).toBe(0);
      expect(at).toBe(parts.length);
    });

    test('is called back before it answers, and hears messages in their order', async () => {
      const { channel } = near;
      expect(await channel.call('askBack', Uint8Array.of(21))).toEqual(Uint8Array.of(42));
      for (let n = 0; n < 50; n++) expect(channel.send('note', Uint8Array.of(n))).toBe(true);
      const { notes } = await untilSeen((now) => now.notes.length === 50);
      expect(notes).toEqual(Array.from({ length: 50 }, (_, n) => n));
    });

    test('gives errors as they were thrown, and of a defect no word', async () => {
      const { channel } = near;
      const full = { code: 'DISK_FULL', message: 'no space', details: { free: 0 } };
      await expect(channel.call('refuse', emptyBytes)).rejects.toMatchObject(full);
      const error = await channel.call('broken', emptyBytes).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'INTERNAL' });
      expect((error as Error).message).not.toContain('secret');
      const missing = { code: 'NOT_IMPLEMENTED' };
      await expect(channel.call('other', emptyBytes)).rejects.toMatchObject(missing);
    });

    test('is told when a call is cancelled, or late', async () => {
      const { channel } = near;
      const leaving = new AbortController();
      const { signal } = leaving;
      const cancelled = channel.call('hang', emptyBytes, { signal });
      leaving.abort(new Error('enough'));
      await expect(cancelled).rejects.toThrow('enough');
      await untilSeen(({ aborted }) => aborted.length === 1);
      const late = channel.call('hang', emptyBytes, { deadlineMs: 20 });
      await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
      const { aborted } = await untilSeen((now) => now.aborted.length === 2);
      expect(aborted[0]).toBe('REQUEST_CANCELLED');
      expect(['REQUEST_CANCELLED', 'REQUEST_TIMEOUT']).toContain(aborted[1]);
    });

    test('makes no more of a stream than is read, and learns when nobody reads on', async () => {
      const iterator = near.channel.stream('endless', emptyBytes)[Symbol.asyncIterator]();
      await iterator.next();
      // As much as one window, 256 KiB, and no more however long nothing is read.
      await untilSeen(({ chunksMade }) => chunksMade > 20);
      await sleep(50);
      expect((await seen()).chunksMade).toBeLessThan(40);
      for (let n = 0; n < 60; n++) await iterator.next();
      expect((await seen()).streamsLeft).toBe(0);
      await iterator.return!();
      await untilSeen(({ streamsLeft }) => streamsLeft === 1);
    });

    test('is not asked more than it said it takes', async () => {
      const { channel } = near;
      const leaving = new AbortController();
      const { signal } = leaving;
      const calls = Array.from({ length: farCallsMax }, () =>
        channel.call('hang', emptyBytes, { signal }),
      );
      for (const call of calls) call.catch(() => {});
      const refusal = { code: 'TOO_MANY_REQUESTS' };
      await expect(channel.call('hang', emptyBytes)).rejects.toMatchObject(refusal);
      leaving.abort(new Error('enough'));
      await Promise.allSettled(calls);
      while (channel.stats().callsOut > 0) await sleep(5);
      expect(await channel.call('reverse', Uint8Array.of(1, 2))).toEqual(Uint8Array.of(2, 1));
    });

    test('is told of an orderly close, and ends', async () => {
      await near.channel.close();
      expect(await near.ended).toBe(0);
    });

    test('breaks when the other side dies', async () => {
      const { channel, ended } = await open({});
      const lost = (sent: boolean): object => ({ code: 'CONNECTION_FAILED', details: { sent } });
      await expect(channel.call('die', emptyBytes)).rejects.toMatchObject(lost(true));
      expect(await ended).toBe(farDeathCode);
      await expect(channel.call('reverse', emptyBytes)).rejects.toMatchObject(lost(false));
    });
  });
}

async function* give(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield part;
}
