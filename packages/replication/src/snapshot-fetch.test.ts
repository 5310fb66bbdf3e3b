import { expect, test } from 'vitest';
import { utf8Encode } from '@themisdb/base';
import type { Message, Snapshot } from '@themisdb/raft';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { membersOf } from './members-of.ts';
import type { RaftTransport, SnapshotRequest } from './contract.ts';
import { encodeChunk, encodeEnd, encodeHead } from './snapshot-chunks.ts';
import { SnapshotFetch } from './snapshot-fetch.ts';

const confState = membersOf([1, 2]);

interface Fetch extends SnapshotRequest {
  readonly signal: AbortSignal;
}

/** States of one entry, whose entry comes after 10 ms and whose end after another 10. */
async function withFetch(
  body: (parts: {
    readonly env: SimEnv;
    readonly fetching: SnapshotFetch;
    readonly fetches: readonly Fetch[];
    /** Of what the core was told. */
    readonly told: readonly number[];
    /** State `index` is announced. */
    readonly announce: (index: number) => void;
    /** Fetches end behind the entry. */
    readonly breakNext: () => void;
  }) => Promise<void>,
): Promise<void> {
  const env = makeSimEnv(1);
  const fetches: Fetch[] = [];
  const told: number[] = [];
  let isBroken = false;
  const transport: Pick<RaftTransport, 'fetchSnapshot'> = {
    async *fetchSnapshot(_from, request, signal) {
      fetches.push({ ...request, signal });
      const breaks = isBroken;
      isBroken = false;
      yield encodeHead({ id: request.id!, index: Number(request.id), term: 1, confState });
      await env.timers.sleep(10, signal);
      if (request.after === undefined)
        yield encodeChunk([{ key: Uint8Array.of(1), value: Uint8Array.of(2) }]);
      if (breaks) throw new Error('the connection broke');
      // What has arrived already is read to its end.
      await env.timers.sleep(10);
      yield encodeEnd(1);
    },
  };
  const fetching = new SnapshotFetch({
    env,
    shard: 1,
    transport: transport as RaftTransport,
    fetched: ({ snapshot }) => void told.push(snapshot!.metadata.index),
  });
  const announce = (index: number): void => {
    const metadata = { index, term: 1, confState };
    const snapshot: Snapshot = { metadata, data: utf8Encode(String(index)) };
    fetching.take(2, { snapshot } as Message, snapshot);
  };
  const breakNext = (): void => void (isBroken = true);
  await env.run(() => body({ env, fetching, fetches, told, announce, breakNext }));
}

test('a state that is announced again while it is fetched is fetched once, and told twice after', () =>
  withFetch(async ({ env, fetches, told, announce }) => {
    announce(5);
    await env.timers.sleep(15);
    announce(5);
    expect(told).toEqual([]);
    await env.timers.sleep(1000);
    expect(told).toEqual([5]);
    announce(5);
    expect(told).toEqual([5, 5]);
    expect(fetches.length).toBe(1);
  }));

test('another state takes the place of the one that is fetched', () =>
  withFetch(async ({ env, fetches, told, announce }) => {
    announce(5);
    await env.timers.sleep(15);
    announce(6);
    expect(fetches.map(({ signal }) => signal.aborted)).toEqual([true]);
    await env.timers.sleep(1000);
    expect(fetches.map(({ id }) => id)).toEqual(['5', '6']);
    expect(fetches[1]!.signal.aborted).toBe(false);
    expect(told).toEqual([6]);
  }));

test('what broke off is gone on with when it is announced again', () =>
  withFetch(async ({ env, fetches, told, announce, breakNext }) => {
    breakNext();
    announce(5);
    await env.timers.sleep(1000);
    expect(told).toEqual([]);
    announce(5);
    await env.timers.sleep(1000);
    expect(fetches.map(({ after }) => after)).toEqual([undefined, Uint8Array.of(1)]);
    expect(told).toEqual([5]);
  }));

test('nothing is fetched during an installation, nor told after the end', () =>
  withFetch(async ({ env, fetching, fetches, told, announce }) => {
    await fetching.installing('4', async (keep) => {
      expect(keep).toBeUndefined();
      announce(5);
      await env.timers.sleep(1000);
    });
    expect(fetches.length).toBe(0);
    announce(5);
    await env.timers.sleep(15);
    await fetching.installing('4', async (keep) => expect(keep).toBe('snapshots/1-5'));
    fetching.close();
    expect(fetches[0]!.signal.aborted).toBe(true);
    await env.timers.sleep(1000);
    expect(told).toEqual([]);
  }));
