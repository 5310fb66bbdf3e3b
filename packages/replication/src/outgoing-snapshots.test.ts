import { expect, test } from 'vitest';
import { assert, utf8Decode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { HeldState, StateEntry, StateMachine } from '@themisdb/storage';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import { membersOf } from './members-of.ts';
import { OutgoingSnapshots, type OutgoingOptions } from './outgoing-snapshots.ts';
import { decodeChunk, type Chunk } from './snapshot-chunks.ts';

const confState = membersOf([1]);
const idleMs = 60_000;
const entries: readonly StateEntry[] = Array.from({ length: 20 }, (_, n) => {
  return { key: Uint8Array.of(n), value: new Uint8Array(991).fill(n) };
});
/** A chunk an entry: 991 bytes of value, 1 of key, 8 of overhead. */
const chunkBytes = 1000;

/** A machine that counts the states it holds; its applied place moves on with each. */
class HoldingMachine {
  readonly membership = undefined;
  readonly applied = { index: 7, term: 2, timestamp: 0n };
  held = 0;
  /** What reading the state throws behind its entries. */
  damage: Error | undefined;

  hold(): HeldState {
    this.held++;
    const { damage } = this;
    return {
      applied: { ...this.applied },
      membership: undefined,
      async *entries(after) {
        yield entries.filter(({ key }) => after === undefined || key[0]! > after[0]!);
        if (damage !== undefined) throw damage;
      },
      release: () => {
        this.held--;
        assert(this.held >= 0, 'a state was released more often than held');
      },
    };
  }
}

async function withOutgoing(
  options: Partial<OutgoingOptions>,
  body: (parts: {
    readonly env: SimEnv;
    readonly machine: HoldingMachine;
    readonly outgoing: OutgoingSnapshots;
  }) => Promise<void>,
): Promise<void> {
  const env = makeSimEnv(1);
  const machine = new HoldingMachine();
  const outgoing = new OutgoingSnapshots({
    env,
    machine: machine as unknown as StateMachine,
    confState,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    chunkBytes,
    idleMs,
    ...options,
  });
  await env.run(() => body({ env, machine, outgoing }));
}

const never = new AbortController().signal;

/** What was read: `each` is awaited between chunks. */
async function readAll(
  chunks: AsyncIterable<Uint8Array>,
  each: () => Promise<void> = async () => {},
): Promise<Chunk[]> {
  const found: Chunk[] = [];
  for await (const chunk of chunks) {
    found.push(decodeChunk(chunk));
    await each();
  }
  return found;
}

function idOf(outgoing: OutgoingSnapshots): string {
  return utf8Decode(outgoing.snapshot(8).data!);
}

test('a state is sent no faster than its limit', () =>
  withOutgoing({ bytesPerSecond: 10_000 }, async ({ env, outgoing }) => {
    const id = idOf(outgoing);
    const found = await readAll(outgoing.serve({ id }, never));
    expect(found.length).toBe(entries.length + 2);
    // 20 KB.
    expect(env.clock.monotonicMs()).toBeGreaterThanOrEqual(2000);
    expect(env.clock.monotonicMs()).toBeLessThan(2100);
  }));

test('a reader that left does not wait for its turn', () =>
  withOutgoing({ bytesPerSecond: 10 }, async ({ env, outgoing }) => {
    const stop = new AbortController();
    env.timers.after(1000, () => stop.abort(new Error('the reader left')));
    await expect(readAll(outgoing.serve({ id: idOf(outgoing) }, stop.signal))).rejects.toThrow(
      'the reader left',
    );
    expect(env.clock.monotonicMs()).toBe(1000);
  }));

test('who goes on gets what is behind the key, and the number of all entries', () =>
  withOutgoing({}, async ({ outgoing }) => {
    const id = idOf(outgoing);
    const found = await readAll(outgoing.serve({ id, after: Uint8Array.of(14) }, never));
    const got = found.flatMap((chunk) => (chunk.type === 'entries' ? chunk.entries : []));
    expect(got.map(({ key }) => key[0])).toEqual([15, 16, 17, 18, 19]);
    expect(found[0]).toMatchObject({ type: 'head', head: { id, index: 7, term: 2 } });
    expect(found.at(-1)).toEqual({ type: 'end', count: entries.length });
  }));

test('a state that nobody reads is given up after its time, and is not there any more', () =>
  withOutgoing({}, async ({ env, machine, outgoing }) => {
    const id = idOf(outgoing);
    await env.timers.sleep(idleMs - 1);
    expect(machine.held).toBe(1);
    await readAll(outgoing.serve({ id }, never));
    // Counted from the last read.
    await env.timers.sleep(idleMs - 1);
    expect(machine.held).toBe(1);
    await env.timers.sleep(2);
    expect(machine.held).toBe(0);
    await expect(readAll(outgoing.serve({ id }, never))).rejects.toMatchObject({
      code: 'SNAPSHOT_GONE',
    });
    expect(idOf(outgoing)).not.toBe(id);
  }));

test('a state is not given up while somebody reads it, however slowly', () =>
  withOutgoing({}, async ({ env, machine, outgoing }) => {
    const id = idOf(outgoing);
    const slow = readAll(outgoing.serve({ id }, never), () => env.timers.sleep(idleMs / 2));
    await readAll(outgoing.serve({ id }, never));
    expect(outgoing.isRead(7)).toBe(true);
    const found = await slow;
    expect(found.at(-1)).toEqual({ type: 'end', count: entries.length });
    expect(machine.held).toBe(1);
    expect(outgoing.isRead(7)).toBe(false);
    await env.timers.sleep(idleMs + 1);
    expect(machine.held).toBe(0);
  }));

test('one state is offered to all who need one that new; another is made for who needs a newer one', () =>
  withOutgoing({}, async ({ machine, outgoing }) => {
    const id = idOf(outgoing);
    machine.applied.index = 9;
    expect(utf8Decode(outgoing.snapshot(8).data!)).toBe(id);
    expect(machine.held).toBe(1);
    const newer = outgoing.snapshot(9);
    expect(newer.metadata.index).toBe(9);
    expect(machine.held).toBe(2);
    outgoing.close();
    expect(machine.held).toBe(0);
  }));

test('a reader whose state goes with the replica is told so, and nothing is released again', () =>
  withOutgoing({}, async ({ env, machine, outgoing }) => {
    const id = idOf(outgoing);
    const reading = readAll(outgoing.serve({ id }, never), () => env.timers.sleep(10));
    const going = readAll(outgoing.serve({ id, after: Uint8Array.of(4) }, never), () =>
      env.timers.sleep(10),
    );
    void going.catch(() => undefined);
    await env.timers.sleep(5);
    outgoing.close();
    expect(machine.held).toBe(0);
    await expect(reading).rejects.toMatchObject({ code: 'SNAPSHOT_GONE' });
    await expect(going).rejects.toMatchObject({ code: 'SNAPSHOT_GONE' });
    await env.timers.sleep(2 * idleMs);
    expect(machine.held).toBe(0);
  }));

test('who asked for a damaged state is told, and so is the operator of this node', () =>
  withOutgoing({}, async ({ env, machine, outgoing }) => {
    machine.damage = themisError('DATA_CORRUPT', { message: 'block checksum mismatch' });
    await expect(readAll(outgoing.serve({}, never))).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
    });
    expect(env.log.lines).toMatchObject([
      { level: 'error', fields: { reason: 'block checksum mismatch' } },
    ]);
    outgoing.close();
    expect(machine.held).toBe(0);
  }));
