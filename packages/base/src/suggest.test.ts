import { expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

test('the distance counts insertions, deletions, substitutions and neighbour swaps', () => {
  expect(editDistance('', '')).toBe(0);
  expect(editDistance('abc', '')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('fitler', 'filter')).toBe(1);
  expect(editDistance('ca', 'abc')).toBe(3);
});

test('the distance may stop early but never reports less than the limit', () => {
  expect(editDistance('aaaaaaaa', 'bbbbbbbb', 2)).toBeGreaterThanOrEqual(2);
  expect(editDistance('abcd', 'badc', 3)).toBe(2);
});

test('the nearest candidate wins, far ones are not named', () => {
  const words = ['FILTER', 'FOR', 'RETURN', 'SORT'];
  expect(suggest('FITLER', words)).toBe('FILTER');
  expect(suggest('retrun', words)).toBe('RETURN');
  expect(suggest('xyzzy', words)).toBeUndefined();
  expect(suggest('', words)).toBeUndefined();
  expect(suggest('users', ['user', 'users'])).toBe('users');
  expect(suggest('a'.repeat(1000), ['a'.repeat(1000)])).toBeUndefined();
});
