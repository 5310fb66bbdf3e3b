// A process with a planted bug: runs seeds until one fails. Arguments: the bug as JSON, the first seed,
// the most seeds. Prints what it found as JSON.
import { register } from 'node:module';
import type { PlantedBug } from './bugs.ts';

const [json, from, seedsMax] = process.argv.slice(2) as [string, string, string];
const bug = JSON.parse(json) as PlantedBug;
register('./plant-hooks.mjs', import.meta.url, { data: bug.edits });
const { runSeed } = await import('../run/run-seed.ts');
const { drawSettings } = await import('../run/settings.ts');

let found: { seeds: number; invariant: string; text: string } | undefined;
for (let n = 0; n < Number(seedsMax) && found === undefined; n++) {
  const { failure } = await runSeed(drawSettings(Number(from) + n, bug.fixed));
  if (failure !== undefined)
    found = { seeds: n + 1, invariant: failure.invariant, text: failure.text };
}
console.log(JSON.stringify(found ?? null));
process.exit();
