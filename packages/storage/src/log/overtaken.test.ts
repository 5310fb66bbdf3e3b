import { expect, test } from 'vitest';
import { makeMemoryEngine } from '@themisdb/kv';
import { makeSimEnv } from '@themisdb/testing';
import type { StateMachine } from '../contract/command-log.ts';
import { openMachine } from '../open.ts';
import type { ShardStore } from '../store.ts';
import { HeldLog, openHeld } from '../testing/held-log.ts';
import { doc, idOf, write } from '../testing/test-store.ts';
import { verify } from '../verify.ts';

async function install(from: StateMachine, into: StateMachine): Promise<void> {
  const state = from.hold();
  await into.install(state.entries());
  state.release();
}

test('own commits known to be committed succeed when a snapshot overtakes them', async () => {
  const env = makeSimEnv(1);
  await env.run(async () => {
    const old = await openHeld({ env, engine: makeMemoryEngine() });
    const c = await old.store.createCollection('default', { name: 'c' });
    const next = await openMachine({ env, engine: makeMemoryEngine() });
    await install(old.machine, next.machine);

    old.log.isHeld = true;
    const t = old.store.begin();
    await t.insert(c, doc({ _key: 'a' }));
    let seen: unknown;
    const commit = t.commit().then(async (timestamp) => {
      const u = old.store.begin({ readOnly: true });
      seen = (await u.get(c, idOf(c, 'a')))?.version;
      u.rollback();
      return timestamp;
    });
    await env.timers.sleep(10);
    const entries = old.log.held.splice(0);
    old.machine.follow({ leader: 2, committedIndex: entries[0]!.index });

    await next.machine.apply(entries);
    const log = new HeldLog(next.machine);
    next.machine.attach(log);
    await next.machine.lead(2);
    for (let n = 0; n < 5; n++)
      await write(next.store as ShardStore, (u) => u.insert(c, doc({ n })));
    await install(next.machine, old.machine);
    expect(await commit).toBe(seen);

    // Nothing of it is left in the way.
    old.log.isHeld = false;
    old.log.nextIndex = old.machine.applied.index + 1;
    await old.machine.lead(3);
    await write(old.store, (u) => u.insert(c, doc({ _key: 'b' })));
    expect((await verify(old.store)).faults).toEqual([]);
    await old.store.close();
  });
});
