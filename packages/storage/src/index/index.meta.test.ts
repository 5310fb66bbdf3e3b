import { expect, test } from 'vitest';
import { compareValues, hasCode, type Prng, type Value, type ValueObject } from '@themisdb/base';
import type { Uuid } from '@themisdb/protocol';
import type { CollectionInfo, IndexInfo, IndexSpec } from '../contract/catalog.ts';
import type { IndexRange, StoredRecord, Transaction } from '../contract/transaction.ts';
import { valueAt } from '../codec/path-reader.ts';
import { makeWorld, randomDocument, type ModelWorld } from '../testing/model.ts';
import { allOf, idOf, withStore } from '../testing/test-store.ts';

// Strategy: random data, part of it only in an open transaction; every range of every index must give
// the entities, values and order that a full scan with the same condition gives.

const specs: readonly IndexSpec[] = [
  { type: 'persistent', fields: ['a'] },
  { type: 'persistent', fields: ['b', 'a'] },
  { type: 'persistent', fields: ['a', 'b'], sparse: true },
  { type: 'persistent', fields: ['tags[*]', 'b'] },
  { type: 'persistent', fields: ['u', 'b'], unique: true, sparse: true },
];

test.each([1, 2, 3, 4])('indexes give what a scan gives, seed %i', (seed) =>
  withStore(seed, async ({ store, env }) => {
    const world = makeWorld(env.prng, 60);
    const made = await store.createCollection('default', { name: 'c' });
    for (const spec of specs) await store.createIndex(made, spec);
    const c = store.catalog().byId(made.id)!;
    for (let round = 0; round < 8; round++) {
      const t = store.begin();
      await writeSome(t, c, world, 25);
      for (const index of c.indexes) await compareRanges(t, c, index, env.prng);
      await t.commit();
    }
  }),
);

async function writeSome(
  t: Transaction,
  c: CollectionInfo,
  world: ModelWorld,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const key = world.prng.pick(world.keys);
    const uuid = idOf(c, key);
    const document = randomDocument(world, key);
    try {
      if ((await t.get(c, uuid)) === undefined) await t.insert(c, document);
      else if (world.prng.chance(0.3)) await t.remove(c, uuid);
      else await t.replace(c, uuid, document);
    } catch (error) {
      if (!hasCode(error, 'UNIQUE_VIOLATION')) throw error;
    }
  }
}

async function compareRanges(
  t: Transaction,
  c: CollectionInfo,
  index: IndexInfo,
  prng: Prng,
): Promise<void> {
  const records = await allOf(t.scan(c));
  const rows = records.flatMap((record) => rowsOf(index, record));
  for (let i = 0; i < 8; i++) {
    const range = randomRange(index, rows, prng);
    const expected = rows
      .filter(({ values }) => isIn(values, range))
      .sort((x, y) => compareValues([...x.values], [...y.values]));
    const entries = await allOf(t.scanIndex(c, index, range, { batchRows: 3 }));
    expect(bag(entries)).toEqual(bag(expected));
    const order = entries.map(({ values }) => values);
    expect(order.every((v, n) => n === 0 || compareValues([...order[n - 1]!], [...v]) <= 0)).toBe(
      true,
    );
    const backwards = await allOf(t.scanIndex(c, index, range, { reverse: true }));
    expect(backwards.map(({ uuid }) => uuid)).toEqual(entries.map(({ uuid }) => uuid).reverse());
    const some = await allOf(t.scanIndex(c, index, range, { limit: 3 }));
    expect(some.map(({ uuid }) => uuid)).toEqual(entries.slice(0, 3).map(({ uuid }) => uuid));
  }
}

interface Row {
  readonly uuid: Uuid;
  readonly values: readonly Value[];
}

/** The rows of a document in an index, found the plain way. */
function rowsOf(index: IndexInfo, record: StoredRecord): Row[] {
  const document = record.document();
  const lists = index.fields.map((field) => listOf(document, field));
  const rows = lists.reduce<Value[][]>(
    (sofar, list) => sofar.flatMap((row) => list.map((value) => [...row, value])),
    [[]],
  );
  return rows
    .filter((values) => !index.sparse || !values.includes(null))
    .map((values) => ({ uuid: record.uuid, values }));
}

function listOf(document: ValueObject, field: string): Value[] {
  if (!field.endsWith('[*]')) return [valueAt(document, [field])];
  const array = valueAt(document, [field.slice(0, -3)]);
  return Array.isArray(array) ? [...new Set(array as Value[])] : [];
}

function randomRange(index: IndexInfo, rows: readonly Row[], prng: Prng): IndexRange {
  const value = (field: number): Value =>
    rows.length === 0 || prng.chance(0.1) ? 1 : prng.pick(rows).values[field]!;
  const equal = Array.from({ length: prng.below(index.fields.length + 1) }, (_, i) => value(i));
  if (equal.length === index.fields.length) return { equal };
  const bound = (): IndexRange['lower'] =>
    prng.chance(0.3) ? undefined : { value: value(equal.length), inclusive: prng.chance(0.5) };
  return { equal, lower: bound(), upper: bound() };
}

function isIn(values: readonly Value[], { equal, lower, upper }: IndexRange): boolean {
  if (!equal.every((value, i) => compareValues(values[i]!, value) === 0)) return false;
  const next = values[equal.length] ?? null;
  const low = lower === undefined ? 1 : compareValues(next, lower.value);
  const high = upper === undefined ? -1 : compareValues(next, upper.value);
  const isAbove = low > 0 || (low === 0 && lower!.inclusive);
  return isAbove && (high < 0 || (high === 0 && upper!.inclusive));
}

function bag(rows: readonly Row[]): string[] {
  return rows.map(({ uuid, values }) => `${uuid} ${JSON.stringify(values)}`).sort();
}
