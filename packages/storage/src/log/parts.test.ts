import { expect, test } from 'vitest';
import { makeMemoryEngine, type MemoryEngine } from '@themisdb/kv';
import { makeSimEnv, type SimEnv } from '@themisdb/testing';
import type { LogEntry } from '../contract/command-log.ts';
import { openMachine } from '../open.ts';
import { openHeld, type HeldLog } from '../testing/held-log.ts';
import { allOf, doc, openTestStore, write } from '../testing/test-store.ts';
import type { ShardStore } from '../store.ts';
import { verify } from '../verify.ts';

const partBytesMax = 400;

/** Commits a document that takes several entries, which the log keeps. */
async function proposeLong(
  { store, log }: { store: ShardStore; log: HeldLog },
  env: SimEnv,
): Promise<{ readonly outcome: Promise<string>; readonly parts: readonly LogEntry[] }> {
  log.isHeld = true;
  const c = store.catalog().find('default', 'c')!;
  const outcome = write(store, (t) => t.insert(c, doc({ _key: 'long', s: 'x'.repeat(1000) }))).then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
  await env.timers.sleep(10);
  const parts = log.held.splice(0);
  expect(parts.length).toBeGreaterThan(2);
  return { outcome, parts };
}

async function keysOf(store: ShardStore): Promise<unknown[]> {
  const t = store.begin({ readOnly: true });
  const records = await allOf(t.scan(store.catalog().find('default', 'c')!));
  t.rollback();
  return records.map((record) => record.document()['_key']).sort();
}

test('a leader deposed between the parts of its own command has it when the next one commits it', async () => {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const held = await openHeld({ env, engine: makeMemoryEngine(), partBytesMax });
    const { store, machine } = held;
    await store.createCollection('default', { name: 'c' });
    const { outcome, parts } = await proposeLong(held, env);
    const [first, ...rest] = parts;
    const before = machine.applied.index;
    await machine.apply([first!]);
    expect(machine.applied.index).toBe(before);
    machine.follow({ leader: 2, committedIndex: first!.index });
    expect(await outcome).toBe('UNKNOWN_OUTCOME');
    await machine.apply(rest);
    expect(machine.applied.index).toBe(parts.at(-1)!.index);
    expect(await keysOf(store)).toEqual(['long']);
    expect((await verify(store)).faults).toEqual([]);
  });
});

test('parts of an own command that ends are not taken for the beginning of another', async () => {
  const env = makeSimEnv(2);
  await env.run(async () => {
    const held = await openHeld({ env, engine: makeMemoryEngine(), partBytesMax });
    const { store, machine } = held;
    await store.createCollection('default', { name: 'c' });
    const { outcome, parts } = await proposeLong(held, env);
    for (const part of parts) await machine.apply([part]);
    expect(await outcome).toBe('done');
    expect(machine.applied.index).toBe(parts.at(-1)!.index);
    expect(store.stats().appliedIndex).toBe(parts.at(-1)!.index);
  });
});

test('after a crash between parts they are read again from the first, which the log still has', async () => {
  const env = makeSimEnv(3);
  await env.run(async () => {
    const engine = makeMemoryEngine({ crashable: true });
    const held = await openHeld({ env, engine, partBytesMax });
    await held.store.createCollection('default', { name: 'c' });
    const { parts } = await proposeLong(held, env);
    await held.machine.apply(parts.slice(0, 2));
    await held.store.checkpoint();
    const [first] = parts;
    expect(held.log.released).toBe(first!.index - 1);
    const left = (engine as MemoryEngine).crash(env.prng);
    const { store, machine } = await openMachine({ env, engine: left });
    expect(machine.applied.index).toBe(first!.index - 1);
    await machine.apply(parts);
    expect(await keysOf(store as ShardStore)).toEqual(['long']);
  });
});

test('a command whose last parts a crash took does not keep the applied place back', async () => {
  const env = makeSimEnv(4);
  await env.run(async () => {
    const engine = makeMemoryEngine({ crashable: true });
    const first = await openTestStore(env, engine, { partBytesMax });
    const c = await first.store.createCollection('default', { name: 'c' });
    const append = first.wal.append.bind(first.wal);
    // Power goes while the parts are written.
    first.wal.append = (records) => append(records.slice(0, 1)).then(() => new Promise(() => {}));
    void write(first.store, (t) => t.insert(c, doc({ s: 'x'.repeat(1000) })));
    await env.timers.sleep(50);
    env.crash();
    const again = await openTestStore(env, engine.crash(env.prng), { partBytesMax });
    expect(again.store.stats().appliedIndex).toBe(1);
    await write(again.store, (t) => t.insert(c, doc({ _key: 'b' })));
    expect(again.store.stats().appliedIndex).toBe(3);
    await write(again.store, (t) => t.insert(c, doc({ _key: 'a', s: 'x'.repeat(1000) })));
    expect(await keysOf(again.store)).toEqual(['a', 'b']);
  });
});
