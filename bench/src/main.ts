import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tmpdir } from 'node:os';
import { describeMachine } from './machine.ts';
import { startPostgres } from './postgres.ts';
import { startThemis } from './themis.ts';
import type { ClusterWorkload, Result, Workload } from './workload.ts';
import { w1 } from './workloads/w1-point-read.ts';
import { w2 } from './workloads/w2-durable-write.ts';
import { w3 } from './workloads/w3-import.ts';
import { w4 } from './workloads/w4-scan.ts';
import { w5 } from './workloads/w5-lookup.ts';
import { w6 } from './workloads/w6-join.ts';
import { w12 } from './workloads/w12-replicated-write.ts';
import { w12Profile } from './workloads/w12-profile.ts';
import { w13 } from './workloads/w13-failover.ts';

const workloads: readonly (Workload | ClusterWorkload)[] = [
  w1,
  w2,
  w3,
  w4,
  w5,
  w6,
  w12,
  w12Profile,
  w13,
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      nodes: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '10' },
      rows: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '10' },
      folder: { type: 'string', default: tmpdir() },
      'no-postgres': { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !workloads.some((w) => w.name === name));
  if (unknown.length > 0) {
    console.error(
      `no workload ${unknown.join(', ')}; there are ${workloads.map((w) => w.name).join(', ')}`,
    );
    process.exit(2);
  }
  const chosen = workloads.filter((w) => positionals.length === 0 || positionals.includes(w.name));
  const folder = mkdtempSync(join(values.folder, 'themis-bench-'));
  const seconds = Number(values.seconds);
  try {
    for (const line of describeMachine(folder)) console.log(line);
    const sharing = chosen.filter((workload) => 'run' in workload);
    if (sharing.length > 0) {
      const hasPostgres = !values['no-postgres'];
      await runSharing(sharing, { folder, seconds, rows: Number(values.rows), hasPostgres });
    }
    const { nodes, rounds } = values;
    for (const workload of chosen.filter((one) => 'runClusters' in one)) {
      console.log(`\n${workload.name}: ${workload.title}`);
      const context = { folder, seconds, nodes: Number(nodes), rounds: Number(rounds) };
      print(await workload.runClusters(context));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface SharedOptions {
  readonly folder: string;
  readonly seconds: number;
  readonly rows: number;
  readonly hasPostgres: boolean;
}

/** One ThemisDB and one PostgreSQL for all workloads. */
async function runSharing(workloads: readonly Workload[], options: SharedOptions): Promise<void> {
  const { folder, rows } = options;
  const postgres = options.hasPostgres ? await startPostgres(join(folder, 'postgres')) : undefined;
  const themis = await startThemis(join(folder, 'themis'));
  try {
    console.log(
      `peer: ${postgres === undefined ? 'none' : `PostgreSQL ${postgres.version}, jsonb`}; large collection: ${rows} documents of about 250 bytes`,
    );
    for (const workload of workloads) {
      console.log(`\n${workload.name}: ${workload.title}`);
      print(await workload.run({ ...options, themis, postgres }));
    }
  } finally {
    await themis.stop();
    await postgres?.stop();
  }
}

function print(results: readonly Result[]): void {
  for (const result of results) {
    const rival = results.find(
      (r) =>
        (r.system === 'PostgreSQL' || r.system === 'etcd') &&
        (r.what === result.what || results.every((x) => x === r || x.system !== r.system)),
    );
    const ratio =
      rival === undefined || rival === result
        ? ''
        : `  ${(result.value / rival.value).toFixed(2)}× ${rival.system}`;
    const latency =
      result.p50Ms === undefined
        ? ''
        : `  p50 ${result.p50Ms.toFixed(2)} ms  p99 ${result.p99Ms!.toFixed(2)} ms`;
    console.log(
      `  ${result.system.padEnd(10)} ${format(result.value).padStart(10)} ${result.unit.padEnd(9)}${latency}${ratio}   ${result.what}${result.note === undefined ? '' : `   ${result.note}`}`,
    );
  }
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

await main();
