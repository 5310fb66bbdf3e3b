import { compareValues, Prng, type Value } from '@themisdb/base';
import { expect, test } from 'vitest';
import { randomValue } from '../expression/random-value.ts';
import { testContext } from '../expression/testing.ts';
import { aggregateTable, type Accumulator } from './aggregates.ts';
import { functionTable } from './table.ts';

const seed = 12;

function filled(name: string, values: readonly Value[]): Accumulator {
  const accumulator = aggregateTable.get(name)!.create();
  for (const value of values) accumulator.add(value);
  return accumulator;
}

function expectSame(actual: Value, wanted: Value, what: string): void {
  if (typeof actual === 'number' && typeof wanted === 'number') {
    expect(Math.abs(actual - wanted), what).toBeLessThanOrEqual(Math.abs(wanted) * 1e-9 + 1e-9);
  } else {
    expect(actual, what).toEqual(wanted);
  }
}

function randomList(prng: Prng): Value[] {
  const length = prng.below(12);
  const kind = prng.below(3);
  return Array.from({ length }, () => {
    if (kind === 0) return randomValue(prng, 2);
    return prng.chance(0.2) ? null : prng.below(kind === 1 ? 5 : 1_000_000) / (kind === 1 ? 1 : 7);
  });
}

test.each([...aggregateTable.keys()])(
  `%s: parts merged are the whole, seed ${String(seed)}`,
  (name) => {
    const prng = new Prng(seed);
    for (let round = 0; round < 200; round++) {
      const values = randomList(prng);
      const cut = prng.below(values.length + 1);
      const merged = filled(name, values.slice(0, cut));
      merged.merge(filled(name, values.slice(cut)).partial());
      expectSame(merged.result(), filled(name, values).result(), JSON.stringify(values));
    }
  },
);

// Where aggregates and functions differ by design, the lists are kept to what both take.
test.each([...aggregateTable.keys()].filter((name) => name !== 'PUSH'))(
  `%s: equals the function of the same name, seed ${String(seed)}`,
  (name) => {
    const prng = new Prng(seed);
    for (let round = 0; round < 200; round++) {
      const values = Array.from({ length: prng.between(1, 9) }, () =>
        prng.chance(0.2) ? null : prng.below(9),
      );
      const wanted = functionTable.get(name)!.call([values], testContext());
      expectSame(filled(name, values).result(), wanted, JSON.stringify(values));
    }
  },
);

test('no rows: counts are 0, lists empty, the rest null', () => {
  for (const name of aggregateTable.keys()) {
    const result = filled(name, []).result();
    if (/LENGTH|COUNT/.test(name)) expect(result, name).toBe(0);
    else if (/UNIQUE|PUSH/.test(name)) expect(result, name).toEqual([]);
    else expect(result, name).toBe(null);
  }
});

test('numeric aggregates are spoilt by anything but numbers and null', () => {
  for (const name of ['SUM', 'AVERAGE', 'VARIANCE', 'STDDEV_SAMPLE', 'BIT_AND']) {
    expect(filled(name, [1, '2', 3]).result(), name).toBe(null);
    expect(filled(name, [1, null, 3]).result(), name).not.toBe(null);
  }
  expect(filled('SUM', [null, null]).result()).toBe(0);
  expect(filled('BIT_OR', [-1]).result()).toBe(null);
});

test('MIN and MAX take any type, UNIQUE keeps the order of arrival', () => {
  const values: Value[] = ['b', 3, null, [1], 3, 'b'];
  expect(filled('MIN', values).result()).toBe(3);
  expect(filled('MAX', values).result()).toEqual([1]);
  expect(filled('UNIQUE', values).result()).toEqual(['b', 3, null, [1]]);
  expect(filled('SORTED_UNIQUE', values).result()).toEqual(
    ['b', 3, null, [1]].sort((a, b) => compareValues(a as Value, b as Value)),
  );
});

test('what an accumulator holds is counted', () => {
  expect(filled('SUM', [1, 2]).bytes).toBe(0);
  expect(filled('PUSH', ['x'.repeat(1000)]).bytes).toBeGreaterThan(1000);
  const unique = filled('UNIQUE', ['abc', 'abc', 'abc']);
  expect(unique.bytes).toBe(filled('UNIQUE', ['abc']).bytes);
});
