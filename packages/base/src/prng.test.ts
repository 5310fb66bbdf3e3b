import { expect, test } from 'vitest';
import { Prng } from './prng.ts';

test('the same seed gives the same numbers, for ever', () => {
  const prng = new Prng(42);
  expect([prng.u32(), prng.u32(), prng.u32()]).toEqual([
    new Prng(42).u32(),
    ...(() => {
      const again = new Prng(42);
      again.u32();
      return [again.u32(), again.u32()];
    })(),
  ]);
  expect(new Prng(1).u32()).not.toBe(new Prng(2).u32());
  expect(new Prng(1n << 40n).u32()).not.toBe(new Prng(0).u32());
});

test('is roughly uniform', () => {
  const prng = new Prng(7);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[prng.below(10)]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('bounds are kept', () => {
  const prng = new Prng(3);
  for (let i = 0; i < 10_000; i++) {
    const f = prng.float();
    expect(f >= 0 && f < 1).toBe(true);
    const n = prng.between(-2, 2);
    expect(n >= -2 && n <= 2).toBe(true);
  }
});

test('a fork does not depend on what its parent draws later', () => {
  const a = new Prng(9);
  const forkA = a.fork();
  const b = new Prng(9);
  const forkB = b.fork();
  b.u32();
  expect(forkA.bytes(16)).toEqual(forkB.bytes(16));
});
