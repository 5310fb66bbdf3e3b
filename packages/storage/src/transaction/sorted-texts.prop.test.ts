import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import type { KeyText } from '../keys.ts';
import { SortedTexts } from './sorted-texts.ts';

test.each([1, 2, 3, 4])('equals a sorted array, seed %i', (seed) => {
  const prng = new Prng(seed);
  const map = new SortedTexts<number>();
  const model = new Map<KeyText, number>();
  const key = (): KeyText =>
    String.fromCharCode(
      ...Array.from({ length: prng.between(0, 3) }, () => prng.below(256)),
    ) as KeyText;
  for (let i = 0; i < 4000; i++) {
    const k = prng.chance(0.3) ? (String(i).padStart(6, '0') as KeyText) : key();
    if (prng.chance(0.7)) {
      map.set(k, i);
      model.set(k, i);
    } else {
      const victim = prng.chance(0.5) ? k : prng.pick([...model.keys(), k]);
      map.delete(victim);
      model.delete(victim);
    }
    if (i % 50 !== 0) continue;
    expect(map.size).toBe(model.size);
    const [a, b] = [key(), key()];
    const inside = [...model].filter(([each]) => each >= a && each < b).sort(byKey);
    expect(map.slice(a, b)).toEqual(inside.map(([, value]) => value));
    expect(map.some(a, b, (value) => value % 7 === 0)).toBe(inside.some(([, v]) => v % 7 === 0));
    const rest = [...model].filter(([each]) => each >= a).sort(byKey);
    expect(map.slice(a, undefined)).toEqual(rest.map(([, value]) => value));
    expect(map.get(a)).toBe(model.get(a));
  }
});

function byKey([a]: readonly [KeyText, number], [b]: readonly [KeyText, number]): number {
  return a < b ? -1 : 1;
}
