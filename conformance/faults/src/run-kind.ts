import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkHistories, type Verdict } from './check.ts';
import { ClusterUnderTest } from './cluster/cluster-under-test.ts';
import { DamageLedger } from './damage/ledger.ts';
import type { FaultKind, Violation } from './faults/kind.ts';
import { spread } from './figures.ts';
import { History, type ListTransaction, type RegisterOperation } from './history.ts';
import { runRound, verify, type RoundResult } from './round.ts';

export interface RunOptions {
  readonly kind: FaultKind;
  readonly folder: string;
  readonly nodes: number;
  readonly rounds: number;
  readonly seed: number;
  /** Clients that insert as fast as they can. */
  readonly clients: number;
  readonly print: (line: string) => void;
}

/** All rounds of one kind of fault on one cluster. The number of violations. */
export async function runKind(options: RunOptions): Promise<number> {
  const { kind, nodes, print } = options;
  const reason =
    nodes < (kind.nodesMin ?? 1) ? `needs ${kind.nodesMin} nodes` : kind.reasonToSkip?.();
  if (reason !== undefined) {
    print(`${kind.name}: skipped, ${reason}`);
    return 0;
  }
  print(`${kind.name}: ${kind.summary}`);
  const folder = join(options.folder, kind.name);
  mkdirSync(folder, { recursive: true });
  const preparation = await kind.prepare?.(folder, nodes);
  const isSupervised = kind.isSupervised === true;
  const cluster = await ClusterUnderTest.make({ folder, nodes, isSupervised, ...preparation });
  const damage = new DamageLedger();
  const registers = new History<RegisterOperation>(join(folder, 'registers.jsonl'));
  const lists = new History<ListTransaction>(join(folder, 'lists.jsonl'));
  const results: RoundResult[] = [];
  const violations: Violation[] = [];
  const report = (when: string, violation: Violation): void => {
    violations.push(violation);
    appendFileSync(join(folder, 'violations.txt'), `${when}: ${violation.text}\n`);
    if (violations.length <= shownMax) {
      print(`  ${when}: VIOLATION ${violation.text.slice(0, textMax)}`);
    } else if (violations.length === shownMax + 1) {
      print(`  more of them in ${join(folder, 'violations.txt')}`);
    }
  };
  try {
    await cluster.start();
    for (let round = 1; round <= options.rounds; round++) {
      const place = { cluster, folder, damage, round, registers, lists };
      const result = await runRound({ ...options, ...place });
      results.push(result);
      for (const note of result.notes) print(`  round ${round}: ${note}`);
      for (const violation of result.violations) report(`round ${round}`, violation);
    }
    for (const result of results) {
      for (const violation of await verify(cluster, result)) report('at the end', violation);
    }
    await cluster.untilHealthy();
    damage.look();
    await cluster.stop();
    await damage.scan();
  } catch (error) {
    const text = `the run broke off: ${error instanceof Error ? error.message : String(error)}`;
    report(`round ${results.length + 1}`, { type: 'other', count: 1, text });
    await cluster.abandon();
  } finally {
    await registers.close();
    await lists.close();
    await preparation?.undo();
  }
  const verdicts = checkHistories(registers, lists);
  const count = violations.length + verdicts.filter(({ isGood }) => !isGood).length;
  printSummary(options, results, violations);
  const ofDamage = damage.summary({ isWell: count === 0 });
  if (ofDamage !== undefined) print(`  ${ofDamage}`);
  printVerdicts(options, verdicts);
  if (kind.isPlanted !== true) return count;
  const isSeen = violations.some(({ type }) => type === 'lost-write');
  print(`  this fault cannot be survived: ${isSeen ? 'seen, as it must be' : 'NOT SEEN'}`);
  return isSeen ? 0 : 1;
}

const textMax = 800;
const shownMax = 10;

function printSummary(
  { kind, print }: RunOptions,
  results: readonly RoundResult[],
  violations: readonly Violation[],
): void {
  const sum = (count: (result: RoundResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const count = (wanted: Violation['type']): number =>
    violations.reduce((total, { type, count: n }) => total + (type === wanted ? n : 0), 0);
  print(
    `  ${results.length} rounds: ${sum(({ acks }) => acks.size)} acknowledged inserts, ${sum(({ strongReads }) => strongReads)} strong reads of the newest`,
  );
  if (kind.isFailover) {
    const first = results.flatMap(({ failoverMs }) =>
      failoverMs.length === 0 ? [] : [Math.min(...failoverMs)],
    );
    print(`  failover, each client: ${spread(results.flatMap(({ failoverMs }) => failoverMs))}`);
    print(`  failover, first client: ${spread(first)}`);
  }
  print(
    `  lost acknowledged writes: ${count('lost-write')}, stale strong reads: ${count('stale-read')}, other violations: ${count('other')}`,
  );
}

function printVerdicts({ kind, print }: RunOptions, verdicts: readonly Verdict[]): void {
  for (const { text, isGood } of verdicts) {
    const lines = text.split('\n');
    const isShort = isGood || kind.isPlanted === true;
    for (const line of lines.slice(0, isShort ? 1 : 30)) print(`  ${line.slice(0, textMax)}`);
  }
}
