import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { Latencies } from './percentiles.ts';

/** What every published figure needs beside it. */
export function describeMachine(folder: string): string[] {
  const [cpu] = cpus();
  return [
    `machine: ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}`,
    `disk: ${describeSync(folder)}`,
  ];
}

/** 4 KiB appended and synced, 200 times. */
function describeSync(folder: string): string {
  const path = join(folder, 'sync-probe');
  const file = openSync(path, 'w');
  const latencies = new Latencies();
  for (let i = 0; i < 200; i++) {
    const started = performance.now();
    writeSync(file, Buffer.alloc(4096, i), 0, 4096, i * 4096);
    fdatasyncSync(file);
    latencies.add(performance.now() - started);
  }
  closeSync(file);
  rmSync(path);
  return `fdatasync p50 ${latencies.percentile(50).toFixed(2)} ms, p99 ${latencies.percentile(99).toFixed(2)} ms; fsync on everywhere`;
}
