import type { Log, LogLevel } from '@themisdb/base';
import type { SimScheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

export interface SimLogLine {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what was logged; tests ask it. */
export class SimLog implements Log {
  readonly lines: SimLogLine[] = [];
  readonly #scheduler: SimScheduler;
  readonly #trace: Trace;

  constructor(scheduler: SimScheduler, trace: Trace) {
    this.#scheduler = scheduler;
    this.#trace = trace;
  }

  write(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const atMs = this.#scheduler.nowMs;
    this.lines.push({ atMs, level, message, fields });
    this.#trace.add(`${atMs} log ${level} ${message}`);
  }
}
