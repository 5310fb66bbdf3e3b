import { expect, test } from 'vitest';
import { CallIds } from './call-ids.ts';

test('ids go round without 0 and leave out those that are taken', () => {
  const ids = new CallIds(2 ** 32 - 3);
  const taken = new Set([2, 3, 2 ** 32 - 1]);
  const given = Array.from({ length: 4 }, () => ids.next(taken));
  expect(given).toEqual([2 ** 32 - 2, 1, 4, 5]);
  expect(new CallIds().next(new Set())).toBe(1);
});
