import { describe, expect, test } from 'vitest';
import {
  attribute,
  compareStrings,
  compareValues,
  makeObject,
  objectFrom,
  type Value,
} from './value.ts';
import { utf8Encode, compareBytes } from './bytes.ts';
import { Prng } from './prng.ts';

// "Type and value order" of the AQL manual, smallest first; entries of one row are equal.
const ordered: Value[][] = [
  [null],
  [false],
  [true],
  [-1e308],
  [-1],
  [0, -0],
  [0.5],
  [2 ** 53],
  [''],
  ['A'],
  ['a'],
  ['aa'],
  ['\uffff'],
  ['😀'],
  [[], [null]],
  [[false]],
  [[1]],
  [[1, 2]],
  [[2]],
  [{}, { a: null }],
  [{ b: 1 }],
  [{ a: 0 }, { a: 0, b: null }],
  [{ a: 0, b: 1 }],
  [{ a: 1 }],
];

describe('compareValues', () => {
  test('is the order of the manual', () => {
    const flat = ordered.flatMap((row, rank) => row.map((value) => ({ value, rank })));
    for (const x of flat) {
      for (const y of flat) {
        expect(Math.sign(compareValues(x.value, y.value))).toBe(Math.sign(x.rank - y.rank));
      }
    }
  });
});

test('string order is the order of the UTF-8 bytes', () => {
  const prng = new Prng(5);
  const alphabet = ['a', 'b', 'é', '\u0000', '\ud7ff', '\ue000', '\uffff', '😀', '𐀀'];
  const text = (): string =>
    Array.from({ length: prng.below(4) }, () => prng.pick(alphabet)).join('');
  for (let i = 0; i < 5_000; i++) {
    const [x, y] = [text(), text()];
    expect(Math.sign(compareStrings(x, y))).toBe(
      Math.sign(compareBytes(utf8Encode(x), utf8Encode(y))),
    );
  }
});

test('no attribute name is special', () => {
  const object = makeObject();
  expect(object['constructor']).toBeUndefined();
  object['__proto__'] = 1;
  object['toString'] = 2;
  expect(Object.keys(object)).toEqual(['__proto__', 'toString']);
  expect(JSON.stringify(object)).toBe('{"__proto__":1,"toString":2}');
  expect(attribute(object, '__proto__')).toBe(1);
  expect(attribute({ a: 1 }, 'constructor')).toBeNull();
  expect(attribute('text', 'length')).toBeNull();
  expect(Object.keys(objectFrom(JSON.parse('{"__proto__":1}') as Record<string, Value>))).toEqual([
    '__proto__',
  ]);
});
