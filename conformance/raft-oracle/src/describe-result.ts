import { Op, opName, Outcome, outcomeName } from './operations.ts';
import type { Difference } from './replay.ts';
import { TraceReader } from './trace-reader.ts';

/** A result in the trace's form as lines of text, for people who look for a difference. */
export function describeResult(op: number, result: Uint8Array): string[] {
  const reader = new TraceReader(result);
  const outcome = reader.u8();
  const lines = [`outcome ${outcomeName(outcome)}`];
  if (outcome === Outcome.Panic || outcome === Outcome.Crash || reader.isAtEnd) return lines;
  if (STORAGE_OPS.has(op)) return [...lines, `log [${reader.uv()}, ${reader.uv()}]`];
  if (op === Op.Ready) lines.push(...readyLines(reader));
  if (op === Op.Status) lines.push(...statusLines(reader));
  if (op === Op.Apply || op === Op.ApplyThread || op === Op.ApplyConf)
    return [...lines, `applied ${hex(result)}`];
  return [...lines, basicsLine(reader)];
}

/** Everything known about a difference, the two sides line against line. */
export function describeDifference(difference: Difference): string {
  const { seed, step, op, node, expected, actual, draws, drawn, error } = difference;
  const library = describeResult(op, expected);
  const core = describeResult(op, actual);
  const lines = [`seed ${seed}, step ${step}: ${opName(op)} on node ${node}`];
  for (let at = 0; at < Math.max(library.length, core.length); at++) {
    if (library[at] === core[at]) lines.push(`    ${library[at]}`);
    else lines.push(`  - ${library[at] ?? '(nothing)'}`, `  + ${core[at] ?? '(nothing)'}`);
  }
  lines.push('  (- is the library, + is the core)');
  if (drawn !== draws.length) {
    lines.push(`  election timeouts drawn: library ${draws.length}, core ${drawn}`);
  }
  if (error instanceof Error) lines.push(`  ${error.stack ?? error.message}`);
  return lines.join('\n');
}

const STORAGE_OPS: ReadonlySet<number> = new Set([
  Op.Disk,
  Op.Persist,
  Op.AppendThread,
  Op.Snapshot,
  Op.Compact,
  Op.SnapshotPending,
]);

function readyLines(reader: TraceReader): string[] {
  const all = (name: string, values: readonly unknown[]): string[] =>
    values.map((value) => `${name} ${json(value)}`);
  return [
    `soft state ${json(reader.softState())}`,
    `hard state ${json(reader.hardState())}`,
    ...all(
      'read state',
      reader.list(() => reader.readState()),
    ),
    ...all('entry', reader.entries()),
    `snapshot ${json(reader.snapshot())}`,
    ...all('committed', reader.entries()),
    ...all(
      'message',
      reader.list(() => reader.message()),
    ),
    `must sync ${reader.flag()}`,
  ];
}

function statusLines(reader: TraceReader): string[] {
  const [voters, outgoing, learners, next] = [
    reader.ids(),
    reader.ids(),
    reader.ids(),
    reader.ids(),
  ];
  return [
    `voters ${voters} outgoing ${outgoing} learners ${learners} learners next ${next}`,
    ...reader.list(() => progressLine(reader)),
  ];
}

function progressLine(reader: TraceReader): string {
  const [id, match, next] = [reader.uv(), reader.uv(), reader.uv()];
  const state = ['probe', 'replicate', 'snapshot'][reader.u8()];
  return (
    `progress of ${id}: ${state} match ${match} next ${next} pending snapshot ${reader.uv()} ` +
    `active ${reader.flag()} paused ${reader.flag()} learner ${reader.flag()} ` +
    `inflight ${reader.uv()} full ${reader.flag()}`
  );
}

function basicsLine(reader: TraceReader): string {
  return (
    `has ready ${reader.flag()} term ${reader.uv()} vote ${reader.uv()} commit ${reader.uv()} ` +
    `lead ${reader.uv()} state ${reader.u8()} applied ${reader.uv()} transferee ${reader.uv()}`
  );
}

function json(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      inner instanceof Uint8Array ? `0x${hex(inner)}` : inner,
    ) ?? 'none'
  );
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
