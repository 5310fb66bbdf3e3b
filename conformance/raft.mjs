// `npm run conformance:raft`: the gates that hold packages/raft equal to etcd's library. They need Go;
// without it they are skipped and the exit code is 0.
//
//   --scenarios N    scenarios of G3 (default 2,000)
//   --from SEED      its first seed (default 1)
//   --transcript     print every operation of the scenarios (for one seed: --from SEED --scenarios 1)
import { parseArgs } from 'node:util';
import { runScripts } from './raft-scripts/dist/gate.js';
import { runGate } from './raft-oracle/dist/gate.js';
import { buildGenerator } from './raft-oracle/dist/generator.js';

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    transcript: { type: 'boolean', default: false },
  },
});

/** From this many scenarios on, a rare event that never happened fails the run. */
const SCENARIOS_FOR_COVERAGE = 2000;

function isUnmet(scenarios, result) {
  const missing = [...result.marks].filter(([, count]) => count === 0).map(([name]) => name);
  if (scenarios < SCENARIOS_FOR_COVERAGE || missing.length === 0) return false;
  console.log(`G3: these events never happened: ${missing.join(', ')}`);
  return true;
}

function printMarks(marks) {
  console.log('Rare events in the scenarios of G3:');
  for (const [name, count] of marks) console.log(`${String(count).padStart(10)}  ${name}`);
}

async function main() {
  const g1 = runScripts();
  if (!g1.ok) {
    console.log(`Raft conformance: skipped, ${g1.reason}`);
    return 0;
  }
  const { filesEqual, files, commandsEqual, commands } = g1;
  const g1Text = `G1 ${filesEqual}/${files} files, ${commandsEqual}/${commands} commands equal`;
  console.log(g1Text);
  const generator = buildGenerator();
  if (!generator.ok) {
    console.log(`Raft conformance: skipped, ${generator.reason}`);
    return 0;
  }
  const scenarios = Number(values.scenarios);
  const range = { from: Number(values.from), count: scenarios };
  const g3 = await runGate(generator.program, range, { transcript: values.transcript });
  printMarks(g3.marks);
  const rate = Math.round(g3.scenarios / g3.seconds);
  console.log(
    `G3: ${g3.steps} operations in ${g3.seconds.toFixed(0)} s, ${rate} scenarios a second`,
  );
  const isUncovered = isUnmet(scenarios, g3);
  console.log(`${g1Text}; G3 ${g3.equal}/${scenarios} scenarios equal`);
  const isEqual = commands > 0 && commandsEqual === commands && g3.equal === scenarios;
  return isEqual && !isUncovered ? 0 : 1;
}

process.exitCode = await main();
