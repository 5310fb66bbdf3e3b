import { compareValues, equalValues, Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { randomValue } from '../expression/random-value.ts';
import { ValueMap, ValueSet } from './value-set.ts';

const seed = 77;

test(`a set holds what == says, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  for (let round = 0; round < 100; round++) {
    const values = Array.from({ length: 30 }, () => randomValue(prng, 3));
    const set = new ValueSet();
    const map = new ValueMap<number>();
    const distinct: typeof values = [];
    values.forEach((value, i) => {
      const isNew = distinct.every((other) => !equalValues(other, value));
      expect(set.add(value)).toBe(isNew);
      expect(map.has(value)).toBe(!isNew);
      if (isNew) distinct.push(value);
      map.set(value, i);
      expect(map.get(value)).toBe(i);
    });
    expect(set.size).toBe(distinct.length);
    expect(map.size).toBe(distinct.length);
  }
});

test(`the order of values is total, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  for (let i = 0; i < 20_000; i++) {
    const [a, b, c] = [randomValue(prng, 3), randomValue(prng, 3), randomValue(prng, 3)];
    const ab = Math.sign(compareValues(a, b));
    const antisymmetric = ab === -Math.sign(compareValues(b, a)) + 0;
    const transitive = ab > 0 || compareValues(b, c) > 0 || compareValues(a, c) <= 0;
    if (antisymmetric && transitive && compareValues(a, a) === 0) continue;
    expect.fail(JSON.stringify([a, b, c]));
  }
});
