import { Prng } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { frameType } from './format.ts';
import { LogIndex } from './log-index.ts';

// The index against a plain map of maps, over random frames. A moved record takes its new place and
// nothing else changes.

interface Held {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

function check(index: LogIndex, model: Map<number, Map<number, Held>>): void {
  const live = new Map<number, number>();
  const filled = [...model].filter(([, held]) => held.size > 0).map(([group]) => group);
  expect(index.groups()).toEqual(filled.sort((a, b) => a - b));
  for (const group of filled) {
    const held = model.get(group)!;
    const indexes = [...held.keys()];
    const records = index.group(group)!;
    expect([records.first, records.last]).toEqual([Math.min(...indexes), Math.max(...indexes)]);
    expect(records.hasHoles).toBe(false);
    for (const [i, place] of held) {
      expect(records.get(i)).toEqual(place);
      expect(index.isAt(group, i, place.segment, place.offset)).toBe(true);
      live.set(place.segment, (live.get(place.segment) ?? 0) + place.bytes);
    }
    expect(records.get(records.first - 1)).toBeUndefined();
    expect(records.get(records.last + 1)).toBeUndefined();
  }
  for (let segment = 0; segment < 12; segment++) {
    expect(index.liveBytes(segment)).toBe(live.get(segment) ?? 0);
  }
}

describe('LogIndex agrees with plain maps', () => {
  test.each(Array.from({ length: 40 }, (_, i) => i + 1))('seed %i', (seed) => {
    const prng = new Prng(seed);
    const index = new LogIndex();
    const model = new Map<number, Map<number, Held>>();
    for (let step = 0; step < 400; step++) {
      const group = prng.below(3);
      const held = model.get(group) ?? new Map<number, Held>();
      model.set(group, held);
      const indexes = [...held.keys()];
      const [first, last] = [Math.min(...indexes), Math.max(...indexes)];
      const place = { segment: Math.floor(step / 40), offset: step * 8, bytes: 40 + prng.below(9) };
      const choice = prng.below(30);
      if (held.size === 0 || choice < 25) {
        const next = held.size === 0 ? prng.between(1, 2_000) : last + 1;
        const at = held.size > 0 && choice === 0 ? prng.between(first, last) : next;
        for (const i of indexes) if (i >= at) held.delete(i);
        held.set(at, place);
        index.apply({ type: frameType.record, group, index: at }, place);
      } else if (choice < 28) {
        const at = prng.pick(indexes);
        held.set(at, place);
        index.apply({ type: frameType.carried, group, index: at }, place);
      } else {
        const at = prng.between(first, last + 2);
        for (const i of indexes) if (i < at) held.delete(i);
        index.apply({ type: frameType.truncated, group, index: at }, place);
      }
      if (step % 20 === 0) check(index, model);
    }
    check(index, model);
  });
});

describe('while a log is read in', () => {
  const at = (offset: number): Held => ({ segment: 1, offset, bytes: 40 });

  test('moved records may come behind later ones, and fill their hole', () => {
    const index = new LogIndex();
    index.apply({ type: frameType.record, group: 1, index: 9 }, at(0));
    index.apply({ type: frameType.carried, group: 1, index: 7 }, at(40));
    expect(index.brokenGroup()).toBe(1);
    index.apply({ type: frameType.carried, group: 1, index: 8 }, at(80));
    expect(index.brokenGroup()).toBeUndefined();
    expect(index.group(1)).toMatchObject({ first: 7, last: 9, count: 3 });
  });

  test('a hole is closed by truncating past it too', () => {
    const index = new LogIndex();
    index.apply({ type: frameType.carried, group: 1, index: 2 }, at(0));
    index.apply({ type: frameType.record, group: 1, index: 9 }, at(40));
    index.apply({ type: frameType.truncated, group: 1, index: 9 }, at(80));
    expect(index.brokenGroup()).toBeUndefined();
    expect(index.group(1)).toMatchObject({ first: 9, last: 9 });
  });
});
