import { describe, expect, test } from 'vitest';
import { compareBytes, type Value } from '@themisdb/base';
import type { IndexInfo, IndexSpec } from '../contract/catalog.ts';
import { defineIndex } from '../catalog/definition.ts';
import { doc } from '../testing/test-store.ts';
import { EntryEncoder, StoredEntry } from './entries.ts';
import { keyRangeOf } from './range.ts';

const owner = new Uint8Array(24).fill(9);

function indexOf(spec: Omit<IndexSpec, 'type'>): IndexInfo {
  return defineIndex(1, { type: 'persistent', ...spec }, 3);
}

function entriesOf(
  spec: Omit<IndexSpec, 'type'>,
  attributes: Record<string, unknown>,
): StoredEntry[] {
  const index = indexOf(spec);
  return new EntryEncoder(1, index)
    .entriesOf(doc(attributes), owner)
    .map(({ key, value }) => new StoredEntry(index, key, value));
}

const valuesOf = (entries: readonly StoredEntry[]): unknown =>
  entries.map(({ values }) => JSON.parse(JSON.stringify(values)) as unknown);

describe('which entries a document has', () => {
  test.each<[string, Omit<IndexSpec, 'type'>, Record<string, unknown>, unknown[]]>([
    ['one field', { fields: ['a'] }, { a: 1 }, [[1]]],
    ['an absent attribute is null', { fields: ['a'] }, {}, [[null]]],
    ['sparse leaves null out', { fields: ['a', 'b'], sparse: true }, { a: 1, b: null }, []],
    ['sparse with all there', { fields: ['a', 'b'], sparse: true }, { a: 1, b: 0 }, [[1, 0]]],
    ['nested', { fields: ['a.b'] }, { a: { b: 'x' } }, [['x']]],
    ['through a non-object', { fields: ['a.b'] }, { a: [1] }, [[null]]],
    ['array elements', { fields: ['t[*]'] }, { t: [1, 2] }, [[1], [2]]],
    ['equal elements once', { fields: ['t[*]'] }, { t: [1, 2, 1] }, [[1], [2]]],
    ['no array, no entries', { fields: ['t[*]'] }, { t: 'x' }, []],
    ['an empty array', { fields: ['t[*]'] }, { t: [] }, []],
    ['null elements', { fields: ['t[*]'] }, { t: [null] }, [[null]]],
    ['null elements, sparse', { fields: ['t[*]'], sparse: true }, { t: [null, 1] }, [[1]]],
    ['inside elements', { fields: ['i[*].s'] }, { i: [{ s: 1 }, { s: 2 }, 3] }, [[1], [2], [null]]],
    [
      'compound',
      { fields: ['a', 't[*]', 'b'] },
      { a: 1, t: [5, 6], b: 2 },
      [
        [1, 5, 2],
        [1, 6, 2],
      ],
    ],
  ])('%s', (_, spec, attributes, expected) => {
    expect(valuesOf(entriesOf(spec, attributes))).toEqual(expected);
  });

  test('equal elements violate a unique index without deduplicate', () => {
    const spec = { fields: ['t[*]'], unique: true };
    expect(entriesOf(spec, { t: [1, 1] }).length).toBe(1);
    expect(() => entriesOf({ ...spec, deduplicate: false }, { t: [1, 1] })).toThrow(
      expect.objectContaining({ code: 'UNIQUE_VIOLATION' }),
    );
  });
});

test.each([
  [{ fields: ['a'] }],
  [{ fields: ['a'], unique: true }],
  [{ fields: ['a'], storedValues: ['b', 'c.d'] }],
  [{ fields: ['a'], unique: true, storedValues: ['b', 'c.d'] }],
])('an entry of %j gives back owner, values and stored values exactly', (spec) => {
  const values: unknown[] = [null, true, 1.5, -0, 'x', [1, null], { z: null, a: 1 }, [[-0]]];
  for (const a of values) {
    const [entry] = entriesOf(spec, { a, b: 'B', c: { d: [1] } });
    expect(entry!.owner).toEqual(owner);
    expect(entry!.uuid).toBe('09090909-0909-0909-0909-090909090909');
    expect(Object.is(entry!.values[0], a) || typeof a === 'object').toBe(true);
    expect(JSON.stringify(entry!.values[0])).toBe(JSON.stringify(a));
    const stored = 'storedValues' in spec ? ['B', [1]] : [];
    expect(JSON.stringify(entry!.stored)).toBe(JSON.stringify(stored));
  }
});

test('ranges take in what they should', () => {
  const index = indexOf({ fields: ['a', 'b'] });
  const encoder = new EntryEncoder(1, index);
  const bs: Value[] = [null, false, -1, 0, 1, 'a', 'ab', 'b', [1], doc({ x: 1 })];
  const keys = [1, 2].flatMap((a) =>
    bs.map((b) => [a, b, encoder.entriesOf(doc({ a, b }), owner)[0]!.key] as const),
  );
  const within = (range: Parameters<typeof keyRangeOf>[1]): unknown[] => {
    const { gte, lt } = keyRangeOf(encoder, range);
    return keys
      .filter(([, , key]) => compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0)
      .map(([a, b]) => (a === 1 ? b : 'other'));
  };
  const equal = [1];
  expect(within({ equal })).toEqual(bs);
  expect(within({ equal: [1, 'a'] })).toEqual(['a']);
  expect(within({ equal, lower: { value: null, inclusive: false } })).toEqual(bs.slice(1));
  expect(
    within({
      equal,
      lower: { value: 0, inclusive: true },
      upper: { value: 'ab', inclusive: false },
    }),
  ).toEqual([0, 1, 'a']);
  expect(
    within({
      equal,
      lower: { value: 0, inclusive: false },
      upper: { value: 'ab', inclusive: true },
    }),
  ).toEqual([1, 'a', 'ab']);
  expect(within({ equal: [], lower: { value: 1, inclusive: false } })).toEqual(
    bs.map(() => 'other'),
  );
  expect(
    within({ equal, lower: { value: 5, inclusive: true }, upper: { value: 2, inclusive: true } }),
  ).toEqual([]);
  expect(() => within({ equal: [1, 2], lower: { value: 1, inclusive: true } })).toThrow(/3 fields/);
});

test.each([
  [{ fields: [] }],
  [{ fields: ['a', 'a'] }],
  [{ fields: ['a[*]', 'b[*]'] }],
  [{ fields: ['_id'] }],
  [{ fields: ['a'], storedValues: ['b[*]'] }],
  [{ fields: ['a'], storedValues: ['_rev'] }],
  [{ fields: ['a'], type: 'fulltext' as 'persistent' }],
  [{ fields: Array.from({ length: 33 }, (_, i) => `f${i}`) }],
])('the definition %j is refused', (spec) => {
  expect(() => indexOf(spec)).toThrow(expect.objectContaining({ code: 'INVALID_INDEX' }));
});
