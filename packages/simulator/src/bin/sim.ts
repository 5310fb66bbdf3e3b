// `npm run sim -- --seeds N [--from S] [--nodes N] [--seconds N] [--workers 2] [--double-check]
// [--shrink] [--set NAME=NUMBER ...] [--scenario FILE] [--report FILE] [--tail]`
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSeed } from '../run/run-seed.ts';
import {
  drawSettings,
  parseScenario,
  settingNames,
  type SettingName,
  type Settings,
} from '../run/settings.ts';
import { simulate } from '../run/simulate.ts';
import { sourceCommit } from '../run/source-commit.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    nodes: { type: 'string' },
    seconds: { type: 'string' },
    workers: { type: 'string', default: '1' },
    'double-check': { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    failures: { type: 'string', default: '20' },
    set: { type: 'string', multiple: true, default: [] },
    scenario: { type: 'string' },
    report: { type: 'string' },
    tail: { type: 'boolean', default: false },
  },
});

const lines: string[] = [];
const print = (line: string): void => {
  lines.push(line);
  console.log(line);
};

function fixedSettings(): Partial<Record<SettingName, number>> {
  const fixed: Partial<Record<SettingName, number>> = {};
  if (values.nodes !== undefined) fixed.nodes = Number(values.nodes);
  if (values.seconds !== undefined) fixed.seconds = Number(values.seconds);
  for (const pair of values.set) {
    const [name, value] = pair.split('=');
    if (!settingNames.includes(name as SettingName)) throw new TypeError(`no setting ${name}`);
    fixed[name as SettingName] = Number(value);
  }
  return fixed;
}

/** One run in this process, which can tell its last events. */
async function replay(settings: Settings): Promise<number> {
  const result = await runSeed(settings);
  const { failure, traceHash } = result;
  print(failure === undefined ? `no failure, trace ${traceHash}` : failure.text);
  if (values.tail) for (const line of failure?.tail ?? []) print(line);
  return failure === undefined ? 0 : 1;
}

async function main(): Promise<number> {
  if (values.scenario !== undefined)
    return replay(parseScenario(readFileSync(values.scenario, 'utf8')));
  const from = Number(values.from);
  if (values.tail) {
    if (values.seeds !== '1') throw new TypeError('--tail is for one seed: --seeds 1 --from SEED');
    return replay(drawSettings(from, fixedSettings()));
  }
  print(`commit ${sourceCommit() ?? 'unknown'}, seeds from ${from}`);
  const tally = await simulate({
    seeds: Number(values.seeds),
    from,
    workers: Number(values.workers),
    fixed: fixedSettings(),
    isDoubleChecked: values['double-check'],
    shrinks: values.shrink,
    failuresMax: Number(values.failures),
    print,
    nowMs: () => performance.now(),
  });
  return tally.failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
if (values.report !== undefined) writeFileSync(values.report, lines.join('\n') + '\n');
