// `npm run sim -- --seeds N`
import { parseArgs } from 'node:util';
import { drawSettings } from '../run/settings.ts';
import { runSeed } from '../run/run-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    tail: { type: 'boolean' },
  },
});
const from = Number(values.from);
const started = process.cpuUsage();
const all = new Map<string, number>();
let bad = 0;
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const r = await runSeed(drawSettings(seed));
  for (const m of r.marks) all.set(m, (all.get(m) ?? 0) + 1);
  if (r.failure) {
    bad++;
    console.log(seed, r.failure.text.slice(0, 1500));
    if (values.tail) console.log(r.failure.tail.slice(-100000).join('\n'));
  } else if (values.tail)
    console.log(seed, r.traceHash, Math.round(r.virtualMs), r.events, r.operations, r.commands);
}
const { user, system } = process.cpuUsage(started);
console.log(bad, 'failed', (user + system) / 1e6 / Number(values.seeds), 's cpu each');
console.log([...all].map(([a, b]) => `${b} ${a}`).join('\n'));
