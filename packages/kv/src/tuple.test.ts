import { toHex } from '@themisdb/base';
import { expect, test } from 'vitest';
import { decodeTuple, encodeTuple, TupleWriter } from './tuple.ts';

// Data format: a change of any of these bytes orphans every index on disk.
test.each([
  [[null], '10'],
  [[false, true], '2021'],
  [[0], '308000000000000000'],
  [[-0], '308000000000000000'],
  [[1], '30bff0000000000000'],
  [[-1], '30400fffffffffffff'],
  [[''], '4000'],
  [['a\0é'], '406201c4aa00'],
  [[[1, null]], '5030bff000000000000000'],
  [[{ b: true, a: null }], '609cff2100'],
])('%j is written as %s', (values, hex) => {
  expect(toHex(encodeTuple(values))).toBe(hex);
});

test('one writer builds many keys around a common head', () => {
  const writer = new TupleWriter();
  const head = writer.u32(7).u8(3).length;
  const first = writer.value('x').u64(0x0102030405060708n).finish();
  const second = writer.u32(7).u8(3).value(null).truncate(head).value(true).finish();
  expect(toHex(first)).toBe('0000000703' + '407900' + '0102030405060708');
  expect(toHex(second)).toBe('0000000703' + '21');
});

test('keys stay as they were while the writer goes on', () => {
  const writer = new TupleWriter();
  const keys = Array.from({ length: 5_000 }, (_, i) => writer.value(i).value(`v${i}`).finish());
  keys.push(writer.value('long'.repeat(10_000)).finish());
  for (const [i, key] of keys.entries()) {
    const expected = i < 5_000 ? [i, `v${i}`] : ['long'.repeat(10_000)];
    expect(decodeTuple(key).values).toEqual(expected);
  }
});

test('a lone surrogate and NaN are programming errors', () => {
  expect(() => encodeTuple(['\ud800'])).toThrow('well-formed');
  expect(() => encodeTuple(['\ud800a'])).toThrow('well-formed');
  expect(() => encodeTuple([Number.NaN])).toThrow('NaN');
});
