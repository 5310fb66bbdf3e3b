import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tmpdir } from 'node:os';
import { describeMachine } from './machine.ts';
import { startPostgres } from './postgres.ts';
import { startThemis } from './themis.ts';
import type { Result, Workload } from './workload.ts';
import { w1 } from './workloads/w1-point-read.ts';
import { w2 } from './workloads/w2-durable-write.ts';
import { w3 } from './workloads/w3-import.ts';
import { w4 } from './workloads/w4-scan.ts';
import { w5 } from './workloads/w5-lookup.ts';
import { w6 } from './workloads/w6-join.ts';

const workloads: readonly Workload[] = [w1, w2, w3, w4, w5, w6];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
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
  const postgres = values['no-postgres']
    ? undefined
    : await startPostgres(join(folder, 'postgres'));
  const themis = await startThemis(join(folder, 'themis'));
  const context = {
    themis,
    postgres,
    folder,
    rows: Number(values.rows),
    seconds: Number(values.seconds),
  };
  try {
    for (const line of describeMachine(folder)) console.log(line);
    console.log(
      `peer: ${postgres === undefined ? 'none' : `PostgreSQL ${postgres.version}, jsonb`}; large collection: ${context.rows} documents of about 250 bytes`,
    );
    for (const workload of chosen) {
      console.log(`\n${workload.name}: ${workload.title}`);
      print(await workload.run(context));
    }
  } finally {
    await themis.stop();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(results: readonly Result[]): void {
  for (const result of results) {
    const rival = results.find(
      (r) =>
        r.system === 'PostgreSQL' &&
        (r.what === result.what || results.every((x) => x === r || x.system !== 'PostgreSQL')),
    );
    const ratio =
      rival === undefined || rival === result
        ? ''
        : `  ${(result.value / rival.value).toFixed(2)}× PostgreSQL`;
    const latency =
      result.p50Ms === undefined
        ? ''
        : `  p50 ${result.p50Ms.toFixed(2)} ms  p99 ${result.p99Ms!.toFixed(2)} ms`;
    console.log(
      `  ${result.system.padEnd(10)} ${Math.round(result.value).toLocaleString('en').padStart(10)} ${result.unit.padEnd(9)}${latency}${ratio}   ${result.what}`,
    );
  }
}

await main();
