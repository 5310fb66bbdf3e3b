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

test('a window that never held more than one message frees it', () => {
  const window = new Inflights(10, Number.POSITIVE_INFINITY);
  for (const index of [4, 5, 6]) {
    window.add(index, 10);
    expect([window.count, window.bytes]).toEqual([1, 10]);
    window.freeUpTo(index);
    expect([window.count, window.bytes]).toEqual([0, 0]);
  }
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
  let [fullByCount, fullByBytes] = [0, 0];
  for (let round = 0; round < 5_000; round++) {
    if (!window.full && prng.chance(0.8)) {
      last += prng.between(1, 3);
      const bytes = prng.below(round % 1_000 < 500 ? 400 : 200);
      window.add(last, bytes);
      list.push({ index: last, bytes });
    } else if (list.length > 0) {
      // A few at a time, so that the window is full again and again.
      const upTo = prng.between(list[0]!.index - 1, list[0]!.index + 8);
      window.freeUpTo(upTo);
      list = list.filter(({ index }) => index > upTo);
    }
    const bytes = list.reduce((sum, item) => sum + item.bytes, 0);
    const isFull = list.length === 37 || bytes >= 5_000;
    const actual = [window.count, window.bytes, window.full];
    const expected = [list.length, bytes, isFull];
    // An expectation in every round would take longer than the rest.
    if (actual.join() !== expected.join()) expect(actual).toEqual(expected);
    fullByCount += list.length === 37 ? 1 : 0;
    fullByBytes += bytes >= 5_000 ? 1 : 0;
  }
  expect(Math.min(fullByCount, fullByBytes)).toBeGreaterThan(100);
});

// Message i has 100 + i bytes; they are added until the window is full, some freed, and again.
test.each<[string, number, number, number, number, number]>([
  ['one message', 1, Number.POSITIVE_INFINITY, 1, 0, 2],
  ['one message over the bytes', 1, 10, 1, 0, 2],
  ['many messages', 15, Number.POSITIVE_INFINITY, 15, 6, 22],
  ['a few bytes over', 8, 400, 4, 2, 7],
  ['the bytes exactly', 8, 406, 4, 3, 8],
  ['many bytes over', 15, 408, 5, 1, 6],
])('a window of %s', (_, countMax, bytesMax, fullAt, freed, fullAgainAt) => {
  const window = new Inflights(countMax, bytesMax);
  const fill = (from: number): number => {
    let at = from;
    for (; !window.full; at++) window.add(at, 100 + at);
    return at;
  };
  expect(fill(0)).toBe(fullAt);
  window.freeUpTo(freed);
  expect(fill(fullAt)).toBe(fullAgainAt);
  expect(() => window.add(100, 1024)).toThrow(InvariantError);
});

test('the window goes round its buffer without losing order', () => {
  const window = new Inflights(10, Number.POSITIVE_INFINITY);
  for (let index = 0; index < 10; index++) window.add(index, 1);
  for (let index = 10; index < 100; index++) {
    window.freeUpTo(index - 10);
    expect(window.count).toBe(9);
    window.add(index, 1);
    expect([window.full, window.bytes]).toEqual([true, 10]);
  }
  window.freeUpTo(98);
  expect(window.count).toBe(1);
});
