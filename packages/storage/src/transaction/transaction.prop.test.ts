import { expect, test } from 'vitest';
import { hasCode, invariants, type ValueObject } from '@themisdb/base';
import type { CollectionInfo, IndexSpec } from '../contract/catalog.ts';
import type { Transaction } from '../contract/transaction.ts';
import type { ShardStore } from '../store.ts';
import { makeWorld, randomDocument, type Model, type ModelWorld } from '../testing/model.ts';
import { allOf, idOf, plain, withStore } from '../testing/test-store.ts';
import { verify } from '../verify.ts';
import { mergePatch } from './document.ts';

// Strategy: transactions of random reads and writes run against a map. Invariants: every read inside a
// transaction gives what the map says; a rollback leaves no trace; a commit makes the map the state;
// after every commit, records, index entries and counts agree (`verify`).
invariants.enabled = true;

const indexSpecs: readonly IndexSpec[] = [
  { type: 'persistent', fields: ['a'] },
  { type: 'persistent', fields: ['b', 'a'], storedValues: ['tags'] },
  { type: 'persistent', fields: ['tags[*]'] },
  { type: 'persistent', fields: ['b', 'tags[*]'], sparse: true },
  { type: 'persistent', fields: ['n.deep', 'n.other'], sparse: true },
  { type: 'persistent', fields: ['u'], unique: true, sparse: true },
];

test.each([1, 2, 3, 4, 5, 6, 7, 8])('random transactions equal a map, seed %i', async (seed) => {
  await withStore(seed, async ({ store, env }) => {
    const world = makeWorld(env.prng, 30);
    let collection = await store.createCollection('default', { name: 'c' });
    const specs = world.prng.shuffle([...indexSpecs]);
    let model: Model = new Map();
    for (let round = 0; round < 60; round++) {
      const spec = specs[round / 10];
      if (spec !== undefined) await tryIndex(store, collection, spec);
      collection = store.catalog().find('default', 'c')!;
      model = await oneTransaction(store, collection, world, model);
      if (round % 17 === 16) await store.checkpoint();
      expect((await verify(store)).faults).toEqual([]);
    }
    const t = store.begin();
    const all = (await allOf(t.scan(collection))).map(plain);
    expect(sortByKey(all)).toEqual(sortByKey([...model.values()].map(asJson)));
    t.rollback();
  });
});

/** A unique index may be refused by the data there is; then it must be gone. */
async function tryIndex(
  store: ShardStore,
  collection: CollectionInfo,
  spec: IndexSpec,
): Promise<void> {
  await store.createIndex(collection, spec).catch((error: unknown) => {
    if (!hasCode(error, 'UNIQUE_VIOLATION')) throw error;
  });
}

async function oneTransaction(
  store: ShardStore,
  collection: CollectionInfo,
  world: ModelWorld,
  before: Model,
): Promise<Model> {
  const { prng } = world;
  const model = new Map(before);
  const t = store.begin();
  const steps = prng.between(1, 12);
  for (let i = 0; i < steps; i++) {
    if (prng.chance(0.6)) await oneWrite(t, collection, world, model);
    else await oneRead(t, collection, world, model);
  }
  if (prng.chance(0.2)) {
    t.rollback();
    return before;
  }
  await t.commit();
  return model;
}

async function oneWrite(
  t: Transaction,
  collection: CollectionInfo,
  world: ModelWorld,
  model: Model,
): Promise<void> {
  const { prng } = world;
  const key = prng.pick(world.keys);
  const uuid = idOf(collection, key);
  const document = randomDocument(world, key);
  const current = model.get(key);
  const isUniqueTaken = collection.indexes.some(({ unique }) => unique);
  const attempt = async (
    write: () => Promise<unknown>,
    next: ValueObject | undefined,
    isAllowed: boolean,
    code: string,
  ): Promise<void> => {
    const clash = isUniqueTaken && next !== undefined && clashes(model, key, next);
    if (isAllowed && !clash) {
      await write();
      if (next === undefined) model.delete(key);
      else model.set(key, next);
    } else {
      const expected = isAllowed ? 'UNIQUE_VIOLATION' : code;
      await expect(write()).rejects.toMatchObject({ code: expected });
    }
  };
  const kind = prng.below(4);
  if (kind === 0)
    await attempt(
      () => t.insert(collection, document),
      document,
      current === undefined,
      'KEY_EXISTS',
    );
  else if (kind === 1)
    await attempt(
      () => t.replace(collection, uuid, document),
      document,
      current !== undefined,
      'ENTITY_NOT_FOUND',
    );
  else if (kind === 2) {
    const merged =
      current && mergePatch(current, document, { mergeObjects: true, removeNulls: false });
    await attempt(
      () => t.update(collection, uuid, document),
      merged,
      current !== undefined,
      'ENTITY_NOT_FOUND',
    );
  } else
    await attempt(
      () => t.remove(collection, uuid),
      undefined,
      current !== undefined,
      'ENTITY_NOT_FOUND',
    );
}

/** The sparse unique index on `u`. */
function clashes(model: Model, key: string, next: ValueObject): boolean {
  const u = next['u'] ?? null;
  if (u === null) return false;
  return [...model].some(([other, document]) => other !== key && document['u'] === u);
}

async function oneRead(
  t: Transaction,
  collection: CollectionInfo,
  { prng, keys }: ModelWorld,
  model: Model,
): Promise<void> {
  const kind = prng.below(4);
  if (kind === 0) {
    const some = prng.shuffle([...keys]).slice(0, 5);
    const records = await t.getMany(
      collection,
      some.map((key) => idOf(collection, key)),
    );
    expect(records.map(plain)).toEqual(some.map((key) => asJson(model.get(key))));
  } else if (kind === 1) {
    expect(await t.count(collection)).toBe(model.size);
  } else if (kind === 2) {
    const reverse = prng.chance(0.5);
    const rows = (await allOf(t.scan(collection, { batchRows: 3, reverse }))).map(plain);
    expect(sortByKey(rows)).toEqual(sortByKey([...model.values()].map(asJson)));
  } else {
    const b = prng.below(5);
    const index = collection.indexes.find(
      ({ fields, state }) =>
        fields[0] === 'b' && fields.length === 2 && fields[1] === 'a' && state === 'ready',
    );
    if (
      index === undefined ||
      !t.catalog
        .byId(collection.id)
        ?.indexes.some(({ id, state }) => id === index.id && state === 'ready')
    )
      return;
    const entries = await allOf(
      t.scanIndex(collection, index, { equal: [b] }, { reverse: prng.chance(0.5) }),
    );
    const expected = [...model.values()].filter((each) => each['b'] === b);
    expect(entries.map(({ uuid }) => uuid).sort()).toEqual(
      expected.map((each) => idOf(collection, each['_key'] as string)).sort(),
    );
    for (const { uuid, values, stored } of entries) {
      const document = expected.find((each) => idOf(collection, each['_key'] as string) === uuid)!;
      expect(asJson([...values])).toEqual(asJson([document['b'] ?? null, document['a'] ?? null]));
      expect(asJson([...stored])).toEqual(asJson([document['tags'] ?? null]));
    }
  }
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function sortByKey(rows: readonly unknown[]): unknown[] {
  const keyOf = (row: unknown): string => (row as { _key: string })._key;
  return [...rows].sort((x, y) => (keyOf(x) < keyOf(y) ? -1 : 1));
}
