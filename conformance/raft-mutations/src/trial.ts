import { readFileSync } from 'node:fs';

/**
 * One trial of a changed core, in a process of its own inside a `Workspace`: a change may loop for
 * ever or break the module itself. Arguments: the library's folder, a file of recorded traces, and
 * `all` or `first`. Prints a `TrialReport`.
 */
export interface TrialReport {
  /** Undefined where the gate was not run because an earlier one had caught the change. */
  readonly g1: boolean | undefined;
  readonly g3: boolean | undefined;
  /** Scenarios replayed until the first difference, or all of them. */
  readonly scenarios: number;
}

/** Recorded scenarios that come before G1, where the first gate that catches is enough. */
const SCENARIOS_FIRST = 25;

/** The gates of the copy around us, which load the changed core. */
interface Gates {
  runScriptsUnder(dir: string): { readonly commands: number; readonly commandsEqual: number };
  replay(trace: Uint8Array): boolean;
}

async function main(): Promise<void> {
  const [library, tracesFile, mode] = process.argv.slice(2) as [string, string, string];
  const print = console.log;
  console.log = () => {};
  const gates = await loadGates();
  const traces = readTraces(tracesFile);
  const isEqualG1 = (): boolean => {
    const { commands, commandsEqual } = gates.runScriptsUnder(library);
    return commands > 0 && commands === commandsEqual;
  };
  let scenarios = 0;
  const isEqualG3 = (count: number): boolean => {
    while (scenarios < count) if (!gates.replay(traces[scenarios++]!)) return false;
    return true;
  };
  const report = (g1: boolean | undefined, g3: boolean | undefined): void =>
    print(JSON.stringify({ g1, g3, scenarios } satisfies TrialReport));
  if (mode === 'all') return report(isEqualG1(), isEqualG3(traces.length));
  if (!isEqualG3(Math.min(SCENARIOS_FIRST, traces.length))) return report(undefined, false);
  if (!isEqualG1()) return report(false, undefined);
  return report(true, isEqualG3(traces.length));
}

async function loadGates(): Promise<Gates> {
  const at = (path: string): string => new URL(`../../${path}`, import.meta.url).href;
  const { runScriptsUnder } = (await import(at('raft-scripts/dist/gate.js'))) as Gates;
  const { replayScenario } = (await import(at('raft-oracle/dist/replay.js'))) as {
    replayScenario(raft: unknown, trace: Uint8Array): { readonly difference: unknown };
  };
  const raft: unknown = await import(import.meta.resolve('@themisdb/raft'));
  return {
    runScriptsUnder,
    replay: (trace) => replayScenario(raft, trace).difference === undefined,
  };
}

/** The traces of a recorded run of the generator; the first frame holds names. */
function readTraces(file: string): Uint8Array[] {
  const bytes = readFileSync(file);
  const traces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    traces.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4));
    at = end;
  }
  return traces.slice(1);
}

await main();
