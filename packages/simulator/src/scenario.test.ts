import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSeed } from './run/run-seed.ts';
import { formatScenario, parseScenario } from './run/settings.ts';

const folder = join(import.meta.dirname, '..', 'scenario');
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

// Each is a run that once found a bug, as short as it could be made.
test.each(files)('scenario %s', async (file) => {
  const settings = parseScenario(readFileSync(join(folder, file), 'utf8'));
  expect((await runSeed(settings)).failure?.text).toBeUndefined();
});

test('a scenario is read as it was written; equal ones give equal runs', async () => {
  const settings = parseScenario('seed 7 # a comment\nseconds 2\n\n# another\nclients 2\n');
  expect(settings).toMatchObject({ seed: 7, seconds: 2, clients: 2 });
  expect(parseScenario(formatScenario(settings, 'why'))).toEqual(settings);
  const [first, second] = [await runSeed(settings), await runSeed(settings)];
  expect(first.traceHash).toBe(second.traceHash);
  expect((await runSeed({ ...settings, seed: 8 })).traceHash).not.toBe(first.traceHash);
  expect(() => parseScenario('seconds 2')).toThrow('names its seed');
  expect(() => parseScenario('seed 1\nnonsense 2')).toThrow('nonsense 2');
});
