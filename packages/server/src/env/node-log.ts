import { ThemisError, type Log, type LogLevel } from '@themisdb/base';

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface JsonLogOptions {
  /** Lines below this level are dropped. Default `info`. */
  readonly level?: LogLevel;
  /** Takes one line with its newline. Default: standard error. */
  readonly write?: (line: string) => void;
}

/** One JSON object a line: `time` (ISO 8601, UTC), `level`, `message`, then the fields. */
export function makeJsonLog(options: JsonLogOptions = {}): Log {
  const lowest = ranks[options.level ?? 'info'];
  const write = options.write ?? ((line: string): void => void process.stderr.write(line));
  return {
    write(level, message, fields) {
      if (ranks[level] < lowest) return;
      const line = { time: new Date().toISOString(), level, message };
      write(`${JSON.stringify({ ...fields, ...line }, plain)}\n`);
    },
  };
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const code = value instanceof ThemisError ? value.code : undefined;
  return { name, code, message, stack, cause };
}
