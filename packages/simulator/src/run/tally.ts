import type { RunResult } from './run-seed.ts';

/** A run, without what only a debugger wants. */
export interface SeedReport {
  readonly seed: number;
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: number;
  readonly commands: number;
  readonly marks: readonly string[];
  readonly invariant: string | undefined;
  readonly text: string | undefined;
}

export function reportOf(result: RunResult): SeedReport {
  const { settings, failure, traceHash, virtualMs, events, operations, commands, marks } = result;
  return {
    seed: settings.seed,
    traceHash,
    virtualMs,
    events,
    operations,
    commands,
    marks,
    invariant: failure?.invariant,
    text: failure?.text,
  };
}

/** What a set of runs comes to. */
export class Tally {
  readonly failed: SeedReport[] = [];
  readonly marks: Map<string, number> = new Map();
  seeds = 0;
  virtualMs = 0;
  events = 0;
  operations = 0;
  commands = 0;

  add(report: SeedReport): void {
    this.seeds++;
    this.virtualMs += report.virtualMs;
    this.events += report.events;
    this.operations += report.operations;
    this.commands += report.commands;
    for (const mark of report.marks) this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1);
    if (report.invariant !== undefined) this.failed.push(report);
  }

  lines(): string[] {
    const { seeds, virtualMs, events, operations, commands } = this;
    const hours = (virtualMs / 3_600_000).toFixed(1);
    const marks = [...this.marks].sort(([a], [b]) => (a < b ? -1 : 1));
    const width = String(seeds).length;
    return [
      `${seeds} seeds, ${hours} virtual hours, ${operations} operations, ${commands} commands, ${events} events`,
      'rare paths, by the number of seeds that went through them:',
      ...marks.map(([mark, count]) => `  ${String(count).padStart(width)} ${mark}`),
    ];
  }
}
