import { defectExitCode } from '@themisdb/server';
import type { ProgressSink } from './render/progress.ts';

/** What commands see of the process; tests give their own. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly isOutTerminal: boolean;
  readonly isErrTerminal: boolean;
  /** Of the output; 100 where there is no terminal. */
  readonly width: number;
  readonly hasColor: boolean;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isOutTerminal: process.stdout.isTTY === true,
    isErrTerminal: process.stderr.isTTY === true,
    width: process.stdout.columns ?? 100,
    hasColor: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
    variables: process.env,
  };
}

export function progressSink(terminal: Terminal): ProgressSink {
  return {
    isTerminal: terminal.isErrTerminal,
    write: (text) => void terminal.stderr.write(text),
    nowMs: () => performance.now(),
  };
}

/** Exit codes, as documented in the reference. */
export const exitCodes: Readonly<
  Record<'ok' | 'failed' | 'usage' | 'defect' | 'interrupted', number>
> = {
  ok: 0,
  failed: 1,
  usage: 2,
  defect: defectExitCode,
  interrupted: 130,
};
