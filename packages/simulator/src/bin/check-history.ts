// `npm run check-history -- FILE ... [--level strict-serializable] [--steps-max N]`: whether recorded
// histories are what a correct system shows. Files of one recording are read as one; `-` is standard
// input. Ends with 0 if all is well, 1 on a violation, 2 if nothing could be read, 3 without a verdict.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkHistory, type CheckedHistory } from '../check/check-history.ts';
import { HistoryError } from '../check/history-events.ts';
import { parseHistory } from '../check/history-file.ts';
import { STEPS_MAX_DEFAULT } from '../check/linearizability.ts';
import type { IsolationLevel } from '../check/list-append/anomaly.ts';

const levels = ['snapshot', 'serializable', 'strict-serializable'];
const exitCodes = { good: 0, violation: 1, unknown: 3 } as const;

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      level: { type: 'string', default: 'strict-serializable' },
      'steps-max': { type: 'string', default: String(STEPS_MAX_DEFAULT) },
    },
  });
  const stepsMax = Number(values['steps-max']);
  if (positionals.length === 0 || !levels.includes(values.level) || !(stepsMax > 0)) {
    console.error(`usage: check-history FILE ... [--level ${levels.join('|')}] [--steps-max N]`);
    return 2;
  }
  const checked = check(positionals, { level: values.level as IsolationLevel, stepsMax });
  if (checked === undefined) return 2;
  console.log(checked.text);
  return exitCodes[checked.type];
}

function check(
  paths: readonly string[],
  options: { level: IsolationLevel; stepsMax: number },
): CheckedHistory | undefined {
  const text = paths.map((path) => readFileSync(path === '-' ? 0 : path, 'utf8')).join('\n');
  try {
    return checkHistory(parseHistory(text), options);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

process.exitCode = main();
