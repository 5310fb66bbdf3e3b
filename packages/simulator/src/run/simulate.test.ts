import { expect, test } from 'vitest';
import { sameTwice } from './simulate.ts';
import { Tally, type SeedReport } from './tally.ts';

const report: SeedReport = {
  seed: 7,
  traceHash: 'aa',
  virtualMs: 1000,
  events: 10,
  operations: 3,
  commands: 2,
  marks: [],
  invariant: undefined,
  text: undefined,
};

test('a seed that does not give the same run twice has failed', () => {
  const tally = new Tally();
  tally.add(sameTwice([report, report]));
  expect(tally.failed).toEqual([]);
  tally.add(sameTwice([report, { ...report, traceHash: 'bb' }]));
  expect(tally.failed).toMatchObject([
    {
      seed: 7,
      invariant: 'equal seeds give equal runs',
      text: 'trace aa in one process, bb in another',
    },
  ]);
});
