import { SeedWorkers } from './seed-workers.ts';
import { drawSettings, formatScenario, type SettingName, type Settings } from './settings.ts';
import { runSeed } from './run-seed.ts';
import { shrinkSettings } from './shrink-settings.ts';
import { Tally, type SeedReport } from './tally.ts';

export interface SimulateOptions {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  /** Settings of every seed, in the place of drawn ones. */
  readonly fixed: Partial<Record<SettingName, number>>;
  /** Run each seed in two processes and compare what happened. */
  readonly isDoubleChecked: boolean;
  /** Reduce failing seeds to what they need to fail. */
  readonly shrinks: boolean;
  /** Failures after which no more seeds are begun. */
  readonly failuresMax: number;
  readonly print: (line: string) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

const progressMs = 10_000;
const workerFile: URL = new URL(
  import.meta.url.endsWith('.ts') ? './seed-worker.ts' : './seed-worker.js',
  import.meta.url,
);

/** Runs seeds, prints how it goes and what failed. */
export async function simulate(options: SimulateOptions): Promise<Tally> {
  const { workers, print, isDoubleChecked, nowMs, failuresMax } = options;
  const pool = new SeedWorkers(isDoubleChecked ? 2 : workers, workerFile);
  const tally = new Tally();
  const startMs = nowMs();
  let toldMs = startMs;
  const onReport = (report: SeedReport): void => {
    tally.add(report);
    if (report.invariant !== undefined) print(`seed ${report.seed} failed: ${report.text}`);
    if (nowMs() - toldMs < progressMs) return;
    toldMs = nowMs();
    print(`${tally.seeds} seeds, ${rate(tally, nowMs() - startMs)}, ${tally.failed.length} failed`);
  };
  const goesOn = (): boolean => tally.failed.length < failuresMax;
  try {
    if (isDoubleChecked) {
      for (const settings of settingsOf(options))
        if (goesOn()) onReport(sameTwice(await pool.twice(settings)));
    } else await pool.run(settingsOf(options), onReport, goesOn);
  } finally {
    pool.close();
  }
  for (const line of tally.lines()) print(line);
  print(`${rate(tally, nowMs() - startMs)}, ${tally.failed.length} failed`);
  if (options.shrinks)
    for (const { seed } of tally.failed.slice(0, 3)) await shrinkSeed(seed, options);
  return tally;
}

function* settingsOf({ seeds, from, fixed }: SimulateOptions): Iterable<Settings> {
  for (let seed = from; seed < from + seeds; seed++) yield drawSettings(seed, fixed);
}

/** The report of both runs of a seed; of a failure, when they differ. */
export function sameTwice([first, second]: [SeedReport, SeedReport]): SeedReport {
  if (first.traceHash === second.traceHash) return first;
  return {
    ...first,
    invariant: 'equal seeds give equal runs',
    text: `trace ${first.traceHash} in one process, ${second.traceHash} in another`,
  };
}

function rate({ seeds }: Tally, ms: number): string {
  return `${((1000 * seeds) / ms).toFixed(2)} seeds/s`;
}

/** A scenario that fails the same way with less. */
async function shrinkSeed(seed: number, { fixed, print }: SimulateOptions): Promise<void> {
  const whole = drawSettings(seed, fixed);
  const { failure } = await runSeed(whole);
  if (failure === undefined) return print(`seed ${seed} does not fail in this process`);
  let text = failure.text;
  const shrunk = await shrinkSettings(whole, async (settings) => {
    const result = await runSeed(settings);
    if (result.failure?.invariant !== failure.invariant) return false;
    text = result.failure.text;
    return true;
  });
  print(
    `seed ${seed} in short:\n${formatScenario(shrunk, text.split('\n').slice(0, 12).join('\n'))}`,
  );
}
