import { readFileSync } from 'node:fs';
import { cpuUsage } from 'node:process';
import { Worker } from 'node:worker_threads';
import { Loader } from './loader.ts';

/**
 * Trials of changed cores, in a process of its own inside a `Workspace`: a change may loop for ever or
 * take the process down. Arguments: the workspace, the library's folder, a file of recorded traces, and
 * the seconds of processor time that one trial may take. Every message with a `TrialMode` is a trial of
 * the core as it is then, answered by a `TrialReport`; one that takes too long ends the process.
 */
export type TrialMode = 'all' | 'first';

export interface TrialReport {
  /** Undefined where the gate was not run because another had caught the change. */
  readonly g1: boolean | undefined;
  readonly g3: boolean | undefined;
  /** Scenarios replayed until the first difference, or all of them. */
  readonly scenarios: number;
}

interface ScriptsGate {
  runScriptsUnder(dir: string): { readonly commands: number; readonly commandsEqual: number };
}

interface ReplayGate {
  replayScenario(raft: unknown, trace: Uint8Array): { readonly difference: unknown };
}

/** Scenarios before G1, where the first gate that catches is enough: most changes fail in them. */
const SCENARIOS_FIRST = 4;

const MODULES = [
  'conformance/raft-scripts/dist/gate.js',
  'conformance/raft-oracle/dist/replay.js',
  'packages/raft/dist/index.js',
];

const [dir, library, tracesFile, cpuSeconds] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];
const loader = new Loader(dir);
const traces = readTraces(tracesFile);

function tryCore(mode: TrialMode): TrialReport {
  let gates: [ScriptsGate, ReplayGate, unknown];
  try {
    gates = loader.load(...MODULES) as typeof gates;
  } catch {
    // The changed core does not even load.
    return { g1: false, g3: false, scenarios: 0 };
  }
  const [scripts, oracle, raft] = gates;
  const isEqualG1 = (): boolean => {
    const { commands, commandsEqual } = scripts.runScriptsUnder(library);
    return commands > 0 && commands === commandsEqual;
  };
  let scenarios = 0;
  const isEqualG3 = (count: number): boolean => {
    while (scenarios < count) {
      if (oracle.replayScenario(raft, traces[scenarios++]!).difference !== undefined) return false;
    }
    return true;
  };
  const report = (g1: boolean | undefined, g3: boolean | undefined): TrialReport => ({
    g1,
    g3,
    scenarios,
  });
  if (mode === 'all') return report(isEqualG1(), isEqualG3(traces.length));
  if (!isEqualG3(Math.min(SCENARIOS_FIRST, traces.length))) return report(undefined, false);
  if (!isEqualG1()) return report(false, undefined);
  return report(true, isEqualG3(traces.length));
}

/** The traces of a recorded run of the generator; the first frame holds names. */
function readTraces(file: string): Uint8Array[] {
  const bytes = readFileSync(file);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    frames.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4));
    at = end;
  }
  return frames.slice(1);
}

/** A thread of its own, because the trial itself may never come back. */
const WATCHDOG = `
  const { workerData } = require('node:worker_threads');
  const cell = new Float64Array(workerData);
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (cell[0] > 0 && user + system > cell[0]) process.kill(process.pid, 'SIGKILL');
  }, 100);
`;

const shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
const endsAt = new Float64Array(shared);
new Worker(WATCHDOG, { eval: true, workerData: shared });
console.log = () => {};
// What happens once in the process is no part of a trial.
loader.load(...MODULES);

process.on('message', (mode: TrialMode) => {
  const { user, system } = cpuUsage();
  endsAt[0] = user + system + Number(cpuSeconds) * 1e6;
  const report = tryCore(mode);
  endsAt[0] = 0;
  process.send?.(report);
});
process.on('disconnect', () => process.exit());
