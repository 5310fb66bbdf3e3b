import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkHistories } from './check.ts';
import { ClusterUnderTest } from './cluster/cluster-under-test.ts';
import type { FaultKind } from './faults/kind.ts';
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
  const cluster = await ClusterUnderTest.make({ folder, nodes, ...preparation });
  const registers = new History<RegisterOperation>(join(folder, 'registers.jsonl'));
  const lists = new History<ListTransaction>(join(folder, 'lists.jsonl'));
  const results: RoundResult[] = [];
  const faults: string[] = [];
  try {
    await cluster.start();
    for (let round = 1; round <= options.rounds; round++) {
      const result = await runRound({ ...options, cluster, folder, round, registers, lists });
      results.push(result);
      for (const note of result.notes) print(`  round ${round}: ${note}`);
      for (const fault of result.faults) print(`  round ${round}: VIOLATION ${fault}`);
      faults.push(...result.faults);
    }
    for (const result of results) {
      for (const fault of await verify(cluster, result)) faults.push(`at the end: ${fault}`);
    }
    await cluster.stop();
  } catch (error) {
    faults.push(`the run broke off: ${error instanceof Error ? error.message : String(error)}`);
    print(`  VIOLATION ${faults.at(-1)}`);
    await cluster.abandon();
  } finally {
    await registers.close();
    await lists.close();
    await preparation?.undo();
  }
  const verdicts = checkHistories(registers, lists);
  printSummary(
    options,
    results,
    verdicts.map(({ text }) => text),
    faults,
  );
  const violations = faults.length + verdicts.filter(({ isGood }) => !isGood).length;
  if (kind.isPlanted !== true) return violations;
  const isSeen = faults.some((text) => /lost acknowledged/.test(text));
  print(`  this fault cannot be survived: ${isSeen ? 'seen, as it must be' : 'NOT SEEN'}`);
  return isSeen ? 0 : 1;
}

function printSummary(
  { kind, print }: RunOptions,
  results: readonly RoundResult[],
  verdicts: readonly string[],
  faults: readonly string[],
): void {
  const sum = (count: (result: RoundResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const count = (pattern: RegExp): number => faults.filter((text) => pattern.test(text)).length;
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
  for (const verdict of verdicts) print(`  ${verdict}`);
  print(
    `  lost acknowledged writes: ${count(/lost acknowledged/)}, stale strong reads: ${count(/stale strong/)}, other violations: ${faults.length - count(/lost acknowledged|stale strong/)}`,
  );
}
