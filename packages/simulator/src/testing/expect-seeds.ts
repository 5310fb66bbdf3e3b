import { expect } from 'vitest';
import { drawSettings } from '../run/settings.ts';
import { runSeed } from '../run/run-seed.ts';
import { reportOf, Tally } from '../run/tally.ts';

/** Rare paths that every fifty seeds go through, or the faults have lost their teeth. */
const important = [
  'a commit ended as unknown',
  'a commit was not waited for',
  'a deposed leader leads again',
  'a disk was full when a state was written',
  'a keyed write was repeated',
  'a replica stopped after a failed sync',
  'a replica without its data stopped itself',
  'a snapshot could not be fetched',
  'a snapshot was installed',
  'an unknown write had happened',
  'damaged log refused',
  'entries replaced in a log',
  'index under faults',
  'joint membership',
  'leadership transferred',
  'leads no more',
  'read at a deposed leader',
  'read by lease',
  'read round begun anew',
  'replica replaced',
  'states compared',
  'the engine of a leader stood still',
  'two leaders for a while',
  'written while a state travelled',
];

/** For tests: no seed of the range fails, and together they go through the rare paths. */
export async function expectSeedsToHold(from: number, count: number): Promise<void> {
  const tally = new Tally();
  for (let seed = from; seed < from + count; seed++)
    tally.add(reportOf(await runSeed(drawSettings(seed))));
  expect(tally.failed.map(({ seed, text }) => `seed ${seed}: ${text}`)).toEqual([]);
  expect(important.filter((mark) => !tally.marks.has(mark))).toEqual([]);
}
