import { expect, test } from 'vitest';
import { makeMemoryEngine } from '@themisdb/kv';
import { themisError } from '@themisdb/protocol';
import { makeSimEnv } from '@themisdb/testing';
import { openHeld } from '../testing/held-log.ts';
import { doc, longTime, write } from '../testing/test-store.ts';

const retention = { historyMs: 1000, changesMs: 1000 };

test('a checkpoint makes room in a log that is too full to collect what is past its retention', async () => {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const { store, log } = await openHeld({ env, engine: makeMemoryEngine(), retention });
    const c = await store.createCollection('default', { name: 'c' });
    for (let n = 0; n < 3; n++) await write(store, (t) => t.insert(c, doc({ n })));
    const { appliedIndex } = store.stats();
    await env.timers.sleep(60_000);
    let refused = 0;
    log.reserve = () => {
      refused++;
      return Promise.reject(themisError('DISK_FULL', { message: 'planted' }));
    };
    await store.checkpoint();
    expect(refused).toBeGreaterThan(0);
    expect(log.released).toBe(appliedIndex);
    expect(store.stats().flushedIndex).toBe(appliedIndex);

    log.reserve = () => undefined;
    await store.checkpoint();
    expect(log.released).toBeGreaterThan(appliedIndex);
  }, longTime);
});

test('a checkpoint ends with the store that stops under it', async () => {
  const env = makeSimEnv(2);
  await env.run(async () => {
    const { store, machine, log } = await openHeld({ env, engine: makeMemoryEngine(), retention });
    const c = await store.createCollection('default', { name: 'c' });
    await write(store, (t) => t.insert(c, doc({ n: 1 })));
    await env.timers.sleep(60_000);
    log.isHeld = true;
    const ended = expect(store.checkpoint()).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await env.timers.sleep(10);
    expect(log.held.length).toBe(1);
    machine.fail(new Error('planted'));
    await ended;
    expect(log.released).toBe(0);
  }, longTime);
});
