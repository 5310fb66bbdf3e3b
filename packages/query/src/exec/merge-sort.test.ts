import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { MergeSorter } from './merge-sort.ts';
import type { Run } from './operator.ts';

function runThatCounts(): { run: Run; pauses: () => number } {
  let pauses = 0;
  const run = {
    checkpoint: () => true,
    pause: async () => {
      pauses++;
    },
  } as Partial<Run> as Run;
  return { run, pauses: () => pauses };
}

test.each([0, 1, 4096, 4097, 30_000])('%i items come out sorted and stable', async (length) => {
  const prng = new Prng(length);
  const items = Array.from({ length }, (_, at) => ({ key: prng.below(500), at }));
  const order = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  const sorter = new MergeSorter(order);
  for (const item of items) sorter.add(item);
  expect(sorter.length).toBe(length);
  const { run, pauses } = runThatCounts();
  const sorted = await sorter.finish(run);
  expect(sorted).toEqual(items.toSorted(order));
  if (length > 10_000) expect(pauses()).toBeGreaterThan(4);
});
