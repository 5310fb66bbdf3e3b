// `npm run sim:bugs [-- --starts 3 --seeds 300 --workers 2 --only TEXT]`: plants bugs one by one and
// counts the seeds until each is found, from several starting seeds.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { plantedBugs, type PlantedBug } from './bugs.ts';

interface Found {
  readonly seeds: number;
  readonly invariant: string;
}

interface Row {
  readonly bug: PlantedBug;
  readonly found: readonly (Found | undefined)[];
}

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '3' },
    seeds: { type: 'string', default: '300' },
    workers: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const trial = fileURLToPath(new URL('./trial.ts', import.meta.url));

async function runTrial(bug: PlantedBug, from: number): Promise<Found | undefined> {
  const args = [trial, JSON.stringify(bug), String(from), values.seeds];
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const out = (await text(child.stdout)).trim().split('\n').at(-1)!;
  // A process that a bug takes down has found it, but says nothing of how.
  if (out === '') throw new Error('a trial ended without an answer');
  return (JSON.parse(out) as Found | null) ?? undefined;
}

async function rowOf(bug: PlantedBug): Promise<Row> {
  const found: (Found | undefined)[] = [];
  for (let start = 0; start < Number(values.starts); start++)
    found.push(await runTrial(bug, 1 + 10_000 * start));
  return { bug, found };
}

function describe({ bug, found }: Row): string {
  const seeds = found.map((each) => each?.seeds ?? Infinity).sort((a, b) => a - b);
  const median = seeds[Math.floor(seeds.length / 2)]!;
  const by = [...new Set(found.flatMap((each) => (each === undefined ? [] : [each.invariant])))];
  const name =
    bug.fixed === undefined ? bug.name : `${bug.name} (${Object.keys(bug.fixed).join(', ')} fixed)`;
  return `| ${name} | ${Number.isFinite(median) ? median : 'not found'} | ${seeds.join(', ')} | ${by.join('; ')} |`;
}

const waiting = plantedBugs.filter(({ name }) => name.includes(values.only));
const total = waiting.length;
let missed = 0;
console.log('| Bug | Seeds, median | Seeds of each start | Found by |\n|---|---|---|---|');
await Promise.all(
  Array.from({ length: Number(values.workers) }, async () => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const row = await rowOf(bug);
      if (row.found.every((each) => each === undefined)) missed++;
      console.log(describe(row));
    }
  }),
);
console.log(`\n${total - missed} of ${total} planted bugs are found`);
process.exitCode = missed === 0 ? 0 : 1;
