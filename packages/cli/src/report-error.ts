import { isThemisError } from '@themisdb/base';
import type { Terminal } from './terminal.ts';

/** Says what went wrong: code, message, and for a query the place. Never a stack for typed errors. */
export function reportError(terminal: Terminal, error: unknown, text?: string): void {
  terminal.stderr.write(describeError(error, text) + '\n');
}

export function describeError(error: unknown, text?: string): string {
  if (!isThemisError(error))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = [`error ${error.code}: ${error.message}`];
  const { position } = error;
  const source = position === undefined ? undefined : text?.split('\n')[position.line - 1];
  if (position !== undefined && source !== undefined) {
    lines.push(`  ${source}`, `  ${' '.repeat(Math.max(0, position.column - 1))}^`);
  }
  if (error.retryable) lines.push('(trying again may help)');
  return lines.join('\n');
}
