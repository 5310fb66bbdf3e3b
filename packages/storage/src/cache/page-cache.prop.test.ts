import { expect, test } from 'vitest';
import { hasCode } from '@themisdb/base';
import type { CollectionInfo } from '../contract/catalog.ts';
import type { Transaction } from '../contract/transaction.ts';
import { allOf, doc, idOf, withStore, write } from '../testing/test-store.ts';

// Strategy: writers change a collection while readers of many ages scan it, in whole or in part; every
// full scan must give what point reads of the same transaction give. A page served to a view it does not
// fit shows up as a difference.

async function scanEqualsGets(
  t: Transaction,
  c: CollectionInfo,
  keys: readonly string[],
): Promise<void> {
  const scanned = new Map((await allOf(t.scan(c))).map((r) => [r.uuid as string, r.version]));
  const got = await t.getMany(
    c,
    keys.map((key) => idOf(c, key)),
  );
  const expected = new Map(
    got.flatMap((r) => (r === undefined ? [] : [[r.uuid as string, r.version]])),
  );
  expect(scanned).toEqual(expected);
}

test.each([1, 2, 3, 4, 5, 6])(
  'scans of old and new views are right under writers, seed %i',
  (seed) =>
    withStore(
      seed,
      async ({ store, env }) => {
        const { prng } = env;
        const keys = Array.from({ length: 400 }, (_, i) => `k${i}`);
        let c = await store.createCollection('default', { name: 'c' });
        await write(store, (t) =>
          t.insertMany(
            c,
            keys.map((key) => doc({ _key: key, n: 0 })),
          ),
        );
        let isOver = false;
        const writer = async (): Promise<void> => {
          while (!isOver) {
            await env.timers.sleep(prng.float() * 3);
            const t = store.begin();
            try {
              for (let i = prng.between(1, 4); i > 0; i--) {
                const uuid = idOf(c, prng.pick(keys));
                const there = await t.get(c, uuid);
                if (there === undefined) await t.insert(c, doc({ _key: prng.pick(keys), n: 1 }));
                else if (prng.chance(0.3)) await t.remove(c, uuid);
                else
                  await t.update(
                    c,
                    uuid,
                    doc({ n: prng.below(1000), s: 'x'.repeat(prng.below(50)) }),
                  );
              }
              await t.commit();
            } catch (error) {
              t.rollback();
              if (!hasCode(error, 'WRITE_CONFLICT', 'KEY_EXISTS')) throw error;
            }
          }
        };
        const reader = async (): Promise<void> => {
          for (let i = 0; i < 25; i++) {
            await env.timers.sleep(prng.float() * 2);
            const t = store.begin({ readOnly: true });
            await env.timers.sleep(prng.chance(0.5) ? prng.float() * 10 : 0);
            if (prng.chance(0.3)) {
              // Stops somewhere in the middle and leaves some pages.
              for await (const rows of t.scan(c)) if (rows.length > 0 && prng.chance(0.4)) break;
            }
            await scanEqualsGets(t, c, keys);
            t.rollback();
          }
        };
        const writers = [writer(), writer()];
        await Promise.all([reader(), reader(), reader()]);
        await store.truncateCollection(c);
        const t = store.begin({ readOnly: true });
        await scanEqualsGets(t, c, keys);
        t.rollback();
        await Promise.all([reader(), reader()]);
        isOver = true;
        await Promise.all(writers);
        c = store.catalog().byId(c.id)!;
      },
      // Small enough to evict now and then.
      { pageCacheBytes: prngBytes(seed) },
    ),
);

function prngBytes(seed: number): number {
  return [0, 20_000, 60_000, 1_000_000][seed % 4]!;
}

test('a second scan asks the engine for nothing, a write costs one page', () =>
  withStore(9, async ({ store, engine }) => {
    const c = await store.createCollection('default', { name: 'c' });
    const rows = Array.from({ length: 3000 }, (_, n) => doc({ _key: `${n}`, n }));
    await write(store, (t) => t.insertMany(c, rows));
    const scan = async (): Promise<number> => {
      const t = store.begin({ readOnly: true });
      const { scans } = engine.stats();
      expect((await allOf(t.scan(c))).length).toBe(3000);
      t.rollback();
      return engine.stats().scans - scans;
    };
    expect(await scan()).toBeGreaterThan(0);
    expect(await scan()).toBe(0);
    await write(store, (t) => t.update(c, idOf(c, '17'), doc({ n: -1 })));
    expect(await scan()).toBe(1);
    expect(await scan()).toBe(0);
    expect(store.context.pages.bytes).toBeGreaterThan(3000 * 40);
    await store.dropCollection(c);
    expect(store.context.pages.bytes).toBe(0);
  }));

test('large records are read a few at a time', () =>
  withStore(10, async ({ store }) => {
    const c = await store.createCollection('default', { name: 'c' });
    for (let i = 0; i < 40; i++)
      await write(store, (t) => t.insert(c, doc({ _key: `${i}`, s: 'x'.repeat(300_000) })));
    const t = store.begin({ readOnly: true });
    await allOf(t.scan(c));
    expect(store.context.pages.rowsAtOnce(c.id)).toBe(3);
    const sizes = [];
    for await (const batch of t.scan(c, { limit: 20 })) sizes.push(batch.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
    t.rollback();
  }));
