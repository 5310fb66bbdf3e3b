import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { version } from '@themisdb/server';
import { exitCodes, type Terminal } from '../terminal.ts';

interface SimFlags {
  readonly seeds: number;
  readonly from: number;
  readonly nodes?: number;
  readonly seconds?: number;
  readonly workers: number;
  readonly doubleCheck: boolean;
  readonly shrink: boolean;
  readonly scenario?: string;
}

/** For people who doubt us: the simulator that tries to break a group of replicas. */
export function simCommand(
  program: Command,
  terminal: Terminal,
  fail: (code: number) => void,
): void {
  const print = (line: string): void => void terminal.stdout.write(`${line}\n`);
  program
    .command('sim')
    .description(
      'Try to break a group of replicas: whole nodes on simulated time, network and disks, with faults drawn from a seed. A seed that fails does so again.',
    )
    .option('--seeds <n>', 'runs', count, 100)
    .option('--from <seed>', 'the first seed', count, 1)
    .option('--nodes <n>', 'first members of the group; drawn from the seed when not given', count)
    .option('--seconds <n>', 'virtual seconds with faults in each run', count)
    .option('--workers <n>', 'processes', count, 1)
    .option('--double-check', 'run each seed in two processes and compare what happened', false)
    .option('--shrink', 'reduce seeds that fail to what they need to fail', false)
    .option('--scenario <file>', 'run what a scenario file says instead')
    .action(async (flags: SimFlags) => {
      // Simulated disks and clocks are loaded only when asked for.
      const simulator = await import('@themisdb/simulator/run');
      if (flags.scenario !== undefined) {
        const settings = simulator.parseScenario(readFileSync(flags.scenario, 'utf8'));
        const { failure, traceHash } = await simulator.runSeed(settings);
        print(failure === undefined ? `no failure, trace ${traceHash}` : failure.text);
        return fail(failure === undefined ? exitCodes.ok : exitCodes.failed);
      }
      const { seeds, from, workers, nodes, seconds } = flags;
      const commit = simulator.sourceCommit();
      const source = commit === undefined ? '' : `, commit ${commit}`;
      print(`version ${version}${source}, seeds from ${from}`);
      const tally = await simulator.simulate({
        seeds,
        from,
        workers,
        fixed: {
          ...(nodes === undefined ? {} : { nodes }),
          ...(seconds === undefined ? {} : { seconds }),
        },
        isDoubleChecked: flags.doubleCheck,
        shrinks: flags.shrink,
        failuresMax: 20,
        print,
        nowMs: () => performance.now(),
      });
      fail(tally.failed.length === 0 ? exitCodes.ok : exitCodes.failed);
    });
}

function count(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('a whole number above 0 is needed');
}
