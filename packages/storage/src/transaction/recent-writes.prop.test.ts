import { expect, test } from 'vitest';
import { Prng } from '@themisdb/base';
import type { KeyText } from '../keys.ts';
import { RecentWrites, type Written, type WrittenKeys } from './recent-writes.ts';

// Strategy: commits, undone commits and forgetting against a plain list of all writes.
test.each([1, 2, 3, 4, 5, 6])('answers like a list of all writes, seed %i', (seed) => {
  const prng = new Prng(seed);
  const recent = new RecentWrites();
  let log: { index: number; keys: KeyText[]; range?: { gte: KeyText; lt: KeyText } }[] = [];
  let index = 0;
  let floor = 0;
  const key = (): KeyText => String.fromCharCode(97 + prng.below(26)) as KeyText;
  const range = (): { gte: KeyText; lt: KeyText } => {
    const [gte, lt] = [key(), key()].sort() as [KeyText, KeyText];
    return { gte, lt };
  };
  for (let step = 0; step < 3000; step++) {
    const kind = prng.below(10);
    if (kind < 4) {
      index += prng.between(1, 2);
      const keys = Array.from({ length: prng.below(4) }, key);
      const entry = prng.chance(0.1) ? { index, keys, range: range() } : { index, keys };
      log.push(entry);
      recent.record(
        index,
        prng.chance(0.3) && keys.length > 1 ? [inOne(keys)] : keys.map((text) => ({ text })),
        'range' in entry ? [entry.range!] : [],
      );
    } else if (kind === 4 && log.length > 0) {
      const from = Math.max(floor + 1, index - prng.below(4));
      recent.undo(from);
      log = log.filter((entry) => entry.index < from);
      index = from - 1;
    } else if (kind === 5 && prng.chance(0.3)) {
      floor = Math.min(index, floor + prng.below(10));
      recent.forget(floor);
    } else {
      const since = prng.between(floor, index + 1);
      const after = log.filter((entry) => entry.index > since);
      const k = key();
      const hit = after.some(
        (entry) =>
          entry.keys.includes(k) ||
          (entry.range !== undefined && k >= entry.range.gte && k < entry.range.lt),
      );
      expect(recent.changedSince(k, since)).toBe(hit);
      const r = range();
      const rangeHit = after.some(
        (entry) =>
          entry.keys.some((each) => each >= r.gte && each < r.lt) ||
          (entry.range !== undefined && entry.range.gte < r.lt && r.gte < entry.range.lt),
      );
      if (r.gte < r.lt) expect(recent.rangeChangedSince(r, since)).toBe(rangeHit);
    }
    expect(recent.isForgotten(floor)).toBe(false);
    if (floor > 0) expect(recent.isForgotten(floor - 1)).toBe(true);
  }
});

function inOne(keys: readonly KeyText[]): Written {
  const all: WrittenKeys = {
    count: keys.length,
    has: (text) => keys.includes(text),
    forEach: (visit) => keys.forEach(visit),
  };
  return { text: keys[0]!, all };
}

test('past the limit the oldest commits are forgotten', () => {
  const recent = new RecentWrites(10);
  for (let index = 1; index <= 5; index++) {
    const keys = Array.from({ length: 4 }, (_, i) => ({ text: `${index}.${i}` as KeyText }));
    recent.record(index, keys, []);
  }
  expect(recent.size).toBeLessThanOrEqual(10);
  expect(recent.isForgotten(2)).toBe(true);
  expect(recent.isForgotten(3)).toBe(false);
  expect(recent.changedSince('5.0' as KeyText, 4)).toBe(true);
});
