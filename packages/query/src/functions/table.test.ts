import { isThemisError, Prng, type Value } from '@themisdb/base';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { randomValue } from '../expression/random-value.ts';
import { testContext } from '../expression/testing.ts';
import { functionFamilies, functionReference, functionTable, knownButAbsent } from './index.ts';

test('names are upper case and given once', () => {
  const names = [...functionFamilies.values()].flat().map((entry) => entry.name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
});

test('nothing is both there and absent', () => {
  expect([...knownButAbsent].filter((name) => functionTable.has(name))).toEqual([]);
});

test('every entry says what it takes and does', () => {
  for (const entry of functionTable.values()) {
    expect(entry.signature, entry.name).toMatch(/^[A-Z0-9_]+\(.*\) → [a-z]+$/);
    expect(entry.summary, entry.name).toMatch(/\.$/);
    expect(entry.argumentsMax).toBeGreaterThanOrEqual(entry.argumentsMin);
  }
});

test('docs/reference/functions.md is made from the table', () => {
  const path = new URL('../../../../docs/reference/functions.md', import.meta.url);
  const page = functionReference();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, page);
  expect(readFileSync(path, 'utf8')).toBe(page);
});

const seed = 4;

// Whatever the arguments: a value that may stand anywhere, or a typed error.
test.each([...functionTable.values()].map((entry) => entry.name))(
  `%s copes with any arguments, seed ${String(seed)}`,
  (name) => {
    const entry = functionTable.get(name)!;
    const prng = new Prng(seed);
    const argumentsMax = Math.min(entry.argumentsMax, entry.argumentsMin + 3);
    for (let round = 0; round < 60; round++) {
      const count = prng.between(entry.argumentsMin, argumentsMax);
      const values = Array.from({ length: count }, () => randomValue(prng, 2));
      const before = JSON.stringify(values);
      try {
        checkValue(entry.call(values, testContext()), `${name}(${before})`);
      } catch (error) {
        if (!isThemisError(error)) throw new Error(`${name}(${before})`, { cause: error });
      }
      expect(JSON.stringify(values), 'arguments are not changed').toBe(before);
    }
  },
);

function checkValue(value: Value | undefined, what: string): void {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) checkValue(item as Value, what);
  } else if (!isSound(value)) {
    expect.fail(`${what} gave ${String(value)}`);
  }
}

const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function isSound(value: Value | undefined): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'string':
      return !loneSurrogate.test(value);
    default:
      return value === null || typeof value === 'boolean';
  }
}
