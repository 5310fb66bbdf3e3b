import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Material, recordMaterial } from './gates.ts';
import { measureScore, type Score } from './score.ts';
import { runPlanted } from './table.ts';
import { ROOT } from './workspace.ts';

/**
 * `npm run conformance:raft-mutations`: plants known bugs in a copy of the core and shows which gate
 * catches each. `-- --score` measures a mutation score of the consensus files instead; `--only FILE`
 * restricts it to the survivors that an earlier run has printed, `--file NAME` to some files,
 * `--no-tests` leaves the unit tests out, and `--tests-only` G1 and G3.
 */
const { values } = parseArgs({
  options: {
    score: { type: 'boolean', default: false },
    scenarios: { type: 'string' },
    workers: { type: 'string', default: '2' },
    budget: { type: 'string', default: '3600' },
    file: { type: 'string', default: '' },
    only: { type: 'string' },
    'tests-only': { type: 'boolean', default: false },
    'no-tests': { type: 'boolean', default: false },
  },
});

const SCORE_MIN = 0.95;
/** Enough for most of thousands of mutants, and for each of a few known bugs. */
const SCENARIOS = values.scenarios ?? (values.score ? '100' : '300');

/** The gates as compiled; loaded by path, because they are no package. */
interface Conformance {
  fetchRaftModule(): { ok: true; dir: string } | { ok: false; reason: string };
  buildGenerator(): { ok: true; program: string } | { ok: false; reason: string };
}

async function main(): Promise<number> {
  const from = (path: string): Promise<unknown> => import(join(ROOT, 'conformance', path));
  const { fetchRaftModule } = (await from('raft-scripts/dist/fetch-module.js')) as Conformance;
  const { buildGenerator } = (await from('raft-oracle/dist/generator.js')) as Conformance;
  const library = fetchRaftModule();
  const generator = library.ok ? buildGenerator() : library;
  if (!library.ok || !generator.ok) {
    console.log(`Raft mutations: skipped, ${library.ok ? 'no generator' : library.reason}`);
    return 0;
  }
  if (!('program' in generator)) return 1;
  const material = recordMaterial(library.dir, generator.program, Number(SCENARIOS));
  try {
    return values.score ? await score(material) : await planted(material);
  } finally {
    material.remove();
  }
}

async function planted(material: Material): Promise<number> {
  const missed = await runPlanted(material, Number(values.workers));
  console.log(missed === 0 ? 'All planted bugs are caught.' : `${missed} planted bugs are missed.`);
  return missed === 0 ? 0 : 1;
}

async function score(material: Material): Promise<number> {
  const result = await measureScore(material, {
    budgetSeconds: Number(values.budget),
    file: values.file,
    only: values.only === undefined ? undefined : keysIn(values.only),
    workers: Number(values.workers),
    tests: !values['no-tests'],
    gates: !values['tests-only'],
  });
  printScore(result);
  return rateOf(result) >= SCORE_MIN ? 0 : 1;
}

/** Mutants named in the output of an earlier run. */
function keysIn(file: string): Set<string> {
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Set(
    lines.flatMap((line) => /^surviv\w+: line \d+ of (.*)$/.exec(line)?.slice(1) ?? []),
  );
}

function rateOf({ tried, survivors }: Score): number {
  return tried === 0 ? 0 : (tried - survivors.length) / tried;
}

function printScore(result: Score): void {
  const { mutants, tried, equivalent, caughtBy, survivors } = result;
  for (const { line, key } of survivors) console.log(`survivor: line ${line} of ${key}`);
  const gates = [...caughtBy].map(([gate, count]) => `${gate} ${count}`).join(', ');
  const rate = (100 * rateOf(result)).toFixed(1);
  console.log(
    `Mutation score ${rate} %: ${tried - survivors.length} of ${tried} mutants caught (${gates}); ` +
      `${mutants} in all, ${equivalent} of them equivalent`,
  );
}

process.exitCode = await main();
