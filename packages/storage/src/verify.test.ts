import { expect, test } from 'vitest';
import type { KvOperation } from '@themisdb/kv';
import { keyText, metaName, rangeOf, space } from './keys.ts';
import { encodeCount } from './log/counters.ts';
import { allOf, doc, withStore, write, type TestStore } from './testing/test-store.ts';
import { verify } from './verify.ts';

async function withData(
  body: (test: TestStore, collectionId: number) => Promise<void>,
): Promise<void> {
  await withStore(1, async (test) => {
    const { store } = test;
    const made = await store.createCollection('default', { name: 'c' });
    await store.createIndex(made, { type: 'persistent', fields: ['n'], storedValues: ['m'] });
    await store.createIndex(made, { type: 'persistent', fields: ['u'], unique: true });
    await write(store, (t) =>
      t.insertMany(
        made,
        [1, 2, 3].map((n) => doc({ _key: `${n}`, n, m: n, u: n })),
      ),
    );
    expect(await verify(store)).toEqual({ records: 3, entries: 6, faults: [] });
    await body(test, made.id);
  });
}

type Damage = (test: TestStore, collectionId: number) => Promise<KvOperation>;

async function entry(
  { store, engine }: TestStore,
  of: 2 | 4,
  at: number,
): Promise<{ key: Uint8Array; value: Uint8Array }> {
  const all = await allOf(engine.scan(rangeOf(store.context.keys.whole(of))));
  return all[at]!;
}

const damages: [string, Damage, RegExp][] = [
  [
    'a missing entry',
    async (test) => ({ type: 'delete', key: (await entry(test, 4, 0)).key }),
    /is missing/,
  ],
  [
    'an entry too many',
    async (test) => {
      const { key, value } = await entry(test, 4, 0);
      const other = key.slice();
      other[other.length - 1]! ^= 1;
      return { type: 'put', key: other, value };
    },
    /4 entries instead of 3/,
  ],
  [
    'a wrong stored value',
    async (test) => {
      const { key, value } = await entry(test, 4, 0);
      const other = value.slice();
      other[other.length - 1]! ^= 1;
      return { type: 'put', key, value: other };
    },
    /wrong value/,
  ],
  [
    'a unique entry of another entity',
    async (test) => {
      const { key, value } = await entry(test, 4, 4);
      const other = value.slice();
      other[10]! ^= 1;
      return { type: 'put', key, value: other };
    },
    /wrong value/,
  ],
  [
    'a flipped bit in a record',
    async (test) => {
      const { key, value } = await entry(test, 2, 1);
      const other = value.slice();
      other[20]! ^= 4;
      return { type: 'put', key, value: other };
    },
    /checksum/,
  ],
  [
    'a lost record',
    async (test) => ({ type: 'delete', key: (await entry(test, 2, 1)).key }),
    /count says 3/,
  ],
  [
    'a wrong count',
    async ({ store }, id) => ({
      type: 'put',
      key: store.context.keys.meta(metaName.count, id),
      value: encodeCount(7),
    }),
    /count says 7/,
  ],
];

test.each(damages)('%s is found', (_, damage, expected) =>
  withData(async (test, id) => {
    // Behind the store's back; its current view must be one that sees it.
    await test.engine.write([await damage(test, id)]);
    await test.store.createCollection('default', { name: 'other' });
    const { faults } = await verify(test.store);
    expect(faults.map(({ what }) => what).join('; ')).toMatch(expected);
  }),
);

test('damaged history is found', () =>
  withData(async ({ store, engine }) => {
    const c = store.catalog().find('default', 'c')!;
    await write(store, async (t) => {
      for await (const batch of t.scan(c))
        for (const { uuid } of batch) await t.update(c, uuid, doc({ n: 9 }));
    });
    const [old] = await allOf(engine.scan(rangeOf(store.context.keys.whole(space.history))));
    expect(keyText(old!.key).length).toBe(41);
    const value = old!.value.slice();
    value[15]! ^= 1;
    await engine.write([{ type: 'put', key: old!.key, value }]);
    await store.createCollection('default', { name: 'other' });
    expect((await verify(store)).faults.map(({ what }) => what)).toEqual([
      'a record failed its checksum',
    ]);
  }));

test('a damaged record is never handed out', () =>
  withData(async (test) => {
    const { key, value } = await entry(test, 2, 1);
    const other = value.slice();
    other[other.length - 2]! ^= 1;
    await test.engine.write([{ type: 'put', key, value: other }]);
    await test.store.createCollection('default', { name: 'other' });
    const c = test.store.catalog().find('default', 'c')!;
    const t = test.store.begin();
    const rows = await allOf(t.scan(c));
    const readings = [
      (i: number): unknown => rows[i]!.document(),
      (i: number): unknown => rows[i]!.read({ steps: ['n'] }),
      (i: number): unknown => rows[i]!.version,
    ];
    for (const reading of readings)
      expect(() => reading(1)).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
    t.rollback();
  }));
