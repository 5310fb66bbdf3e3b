import { InvariantError, Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { Inflights } from './inflights.ts';

test('the count limits the window', () => {
  const window = new Inflights(2, Number.POSITIVE_INFINITY);
  window.add(5, 100);
  expect(window.full).toBe(false);
  window.add(7, 100);
  expect(window.full).toBe(true);
  expect(() => window.add(8, 1)).toThrow(InvariantError);
});

test('the byte limit is soft: the message that reaches it is taken', () => {
  const window = new Inflights(10, 100);
  window.add(1, 99);
  expect(window.full).toBe(false);
  window.add(2, 1000);
  expect(window.full).toBe(true);
  window.freeUpTo(1);
  expect(window.bytes).toBe(1000);
  expect(window.full).toBe(true);
  window.freeUpTo(2);
  expect(window.bytes).toBe(0);
  expect(window.full).toBe(false);
});

test('an acknowledgement frees every message up to its index and no other', () => {
  const window = new Inflights(10, Number.POSITIVE_INFINITY);
  for (const index of [3, 6, 9]) window.add(index, index);
  window.freeUpTo(2);
  expect([window.count, window.bytes]).toEqual([3, 18]);
  window.freeUpTo(7);
  expect([window.count, window.bytes]).toEqual([1, 9]);
  window.freeUpTo(100);
  expect([window.count, window.bytes]).toEqual([0, 0]);
});

test('reset leaves no bytes behind', () => {
  const window = new Inflights(3, 10);
  window.add(1, 10);
  window.reset();
  expect([window.count, window.bytes, window.full]).toEqual([0, 0, false]);
});

test('the window equals a plain list under random use, seed 7', () => {
  const prng = new Prng(7);
  const window = new Inflights(37, 5_000);
  let list: { index: number; bytes: number }[] = [];
  let last = 0;
  for (let round = 0; round < 5_000; round++) {
    if (!window.full && prng.chance(0.6)) {
      last += prng.between(1, 3);
      const bytes = prng.below(400);
      window.add(last, bytes);
      list.push({ index: last, bytes });
    } else if (list.length > 0) {
      const upTo = prng.between(list[0]!.index - 1, last);
      window.freeUpTo(upTo);
      list = list.filter(({ index }) => index > upTo);
    }
    const bytes = list.reduce((sum, item) => sum + item.bytes, 0);
    expect(window.count === list.length && window.bytes === bytes).toBe(true);
    expect(window.full).toBe(list.length === 37 || bytes >= 5_000);
  }
});
