import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { invariants } from '@themisdb/base';
import { describeMismatch, parseScript, runScript, type ScriptHandler } from '@themisdb/testing';
import { Interaction, runInteraction } from '@themisdb/testing/raft';
import { makeConfChangeHandler } from './confchange-commands.ts';
import { fetchRaftModule } from './fetch-module.ts';
import { runQuorum } from './quorum-commands.ts';

export type ScriptsResult =
  | {
      readonly ok: true;
      readonly files: number;
      readonly filesEqual: number;
      readonly commands: number;
      readonly commandsEqual: number;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * Gate G1: every script of the library's `testdata` folders gives the same output here, character for
 * character. Differences are printed; `ok: false` means that the gate could not be tried.
 */
export function runScripts(): ScriptsResult {
  const fetched = fetchRaftModule();
  return fetched.ok ? runScriptsUnder(fetched.dir) : fetched;
}

/** The same for a folder that holds the library's module. */
export function runScriptsUnder(dir: string): ScriptsResult & { ok: true } {
  const results = scriptsUnder(dir).map((path) => check(dir, path));
  const sum = (key: 'equal' | 'commands'): number => results.reduce((n, r) => n + r[key], 0);
  return {
    ok: true,
    files: results.length,
    filesEqual: results.filter(({ equal, commands }) => equal === commands).length,
    commands: sum('commands'),
    commandsEqual: sum('equal'),
  };
}

interface FileResult {
  readonly commands: number;
  readonly equal: number;
}

function check(root: string, path: string): FileResult {
  const name = relative(root, path);
  const commands = parseScript(readFileSync(path, 'utf8'), name);
  const mismatches = runScript(commands, withPlace(handlerFor(name)));
  for (const mismatch of mismatches) console.log(`${describeMismatch(mismatch)}\n`);
  return { commands: commands.length, equal: commands.length - mismatches.length };
}

/** What a folder's scripts are about; state lives as long as one file. */
function handlerFor(name: string): ScriptHandler {
  const area = basename(dirname(dirname(join(sep, name))));
  if (area === 'quorum') return runQuorum;
  if (area === 'confchange') return makeConfChangeHandler();
  const group = new Interaction();
  return (command) => runInteraction(group, command);
}

/** A failed assertion is a difference like any other: it becomes the command's output. */
function withPlace(run: ScriptHandler): ScriptHandler {
  return (command) => {
    try {
      return run(command);
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  };
}

/** All scripts of the module, in a fixed order. */
function scriptsUnder(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.split(sep).includes('testdata'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

invariants.enabled = true;
