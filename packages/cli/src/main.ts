import { Command, CommanderError } from 'commander';
import { InvariantError, isThemisError } from '@themisdb/base';
import { version } from '@themisdb/server';
import { devClusterCommand } from './commands/dev-cluster.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { shellCommand } from './commands/shell.ts';
import { simCommand } from './commands/sim.ts';
import { startCommand } from './commands/start.ts';
import { reportError } from './report-error.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** Runs one command line, without the program's own name; resolves to the exit code. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const fail = (code: number): void => {
    exitCode = code;
  };
  const program = makeProgram(terminal, fail);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    reportError(terminal, error);
    if (error instanceof InvariantError) return exitCodes.defect;
    if (!isThemisError(error)) return exitCodes.failed;
    const isWrongUse = error.code === 'CONFIG_INVALID' || error.code === 'UNSAFE_BIND';
    return isWrongUse ? exitCodes.usage : exitCodes.failed;
  }
  return exitCode;
}

/** The commands and their flags; the reference page is made from them. */
export function makeProgram(terminal: Terminal, fail: (code: number) => void): Command {
  const program = new Command('themis')
    .description('ThemisDB: documents, rows, graphs, vectors and time series in one database.')
    .version(version)
    .showHelpAfterError('(--help shows what is allowed)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    });
  startCommand(program, terminal);
  devClusterCommand(program, terminal, fail);
  importCommand(program, terminal, fail);
  exportCommand(program, terminal);
  shellCommand(program, terminal, fail);
  simCommand(program, terminal, fail);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
}
