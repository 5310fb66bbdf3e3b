// `npm run kill-nine [-- --rounds 200 --seed 1]`: kills a writing process again and again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runKillRounds } from './kill-rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const folder = mkdtempSync(join(tmpdir(), 'themis-kill-'));
const { acknowledged, faults } = await runKillRounds({
  folder,
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  onRound: (round, count) => {
    if (round % 10 === 9) console.log(`round ${round + 1}: ${count} acknowledged writes checked`);
  },
});
for (const fault of faults) console.log(fault);
if (faults.length === 0) rmSync(folder, { recursive: true });
else console.log(`the data is left in ${folder}`);
console.log(`${values.rounds} kills, ${acknowledged} acknowledged writes, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
