import * as raft from '@themisdb/raft';
import { describeDifference, describeResult } from './describe-result.ts';
import { generate, readMarkNames, type SeedRange } from './generator.ts';
import { opName } from './operations.ts';
import { type Difference, replayScenario } from './replay.ts';

export interface GateResult {
  readonly scenarios: number;
  readonly equal: number;
  readonly steps: number;
  readonly seconds: number;
  /** How often each rare event happened. */
  readonly marks: ReadonlyMap<string, number>;
}

const SECONDS_BETWEEN_REPORTS = 60;
const HISTORY_STEPS = 60;

export interface GateOptions {
  /** Print every operation of every scenario. */
  readonly transcript: boolean;
}

/**
 * Gate G3: replays scenarios until all are equal or one differs, which is printed in full. Memory is
 * bounded: one scenario at a time.
 */
export async function runGate(
  program: string,
  range: SeedRange,
  { transcript }: GateOptions,
): Promise<GateResult> {
  const started = process.hrtime.bigint();
  const elapsed = (): number => Number(process.hrtime.bigint() - started) / 1e9;
  let names: string[] | undefined;
  const totals: number[] = [];
  let [scenarios, equal, steps, reported] = [0, 0, 0, 0];
  for await (const frame of generate(program, range)) {
    if (names === undefined) {
      names = readMarkNames(frame);
      continue;
    }
    const result = replayScenario(raft, frame);
    scenarios++;
    steps += result.steps;
    result.marks.forEach((count, at) => (totals[at] = (totals[at] ?? 0) + count));
    if (transcript) console.log(history(frame).join('\n'));
    if (result.difference !== undefined) {
      printDifference(frame, result.difference);
      break;
    }
    equal++;
    if (elapsed() - reported < SECONDS_BETWEEN_REPORTS) continue;
    reported = elapsed();
    console.log(`G3: ${equal} scenarios equal, ${Math.round(equal / reported)} a second`);
  }
  const marks = new Map((names ?? []).map((name, at) => [name, totals[at] ?? 0]));
  return { scenarios, equal, steps, seconds: elapsed(), marks };
}

function printDifference(frame: Uint8Array, difference: Difference): void {
  console.log('Operations before, with what the library did:');
  console.log(history(frame).slice(-HISTORY_STEPS).join('\n'));
  console.log(describeDifference(difference));
}

function history(frame: Uint8Array): string[] {
  const lines: string[] = [];
  replayScenario(raft, frame, (step, op, node, expected) => {
    const result = expected.length === 0 ? [] : describeResult(op, expected);
    lines.push(`  ${step} node ${node} ${opName(op)}: ${result.join(' | ')}`);
  });
  return lines;
}
