import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { invariants } from '@themisdb/base';
import { describeMismatch, parseScript, runScript, type ScriptHandler } from '@themisdb/testing';
import { Interaction, runInteraction } from '@themisdb/testing/raft';
import { makeConfChangeHandler } from './confchange-commands.ts';
import { fetchRaftModule } from './fetch-module.ts';
import { runQuorum } from './quorum-commands.ts';

/**
 * Gate G1: every script of the library's `testdata` folders gives the same output here, character for
 * character. Exit status 1 on any difference, 0 also where Go is missing (the reason is printed).
 */
function main(): number {
  const fetched = fetchRaftModule();
  if (!fetched.ok) {
    console.log(`G1 raft scripts: skipped, ${fetched.reason}`);
    return 0;
  }
  const results = scriptsUnder(fetched.dir).map((path) => check(fetched.dir, path));
  const files = results.filter(({ equal, commands }) => equal === commands).length;
  const sum = (key: 'equal' | 'commands'): number => results.reduce((n, r) => n + r[key], 0);
  const [equal, commands] = [sum('equal'), sum('commands')];
  console.log(
    `G1 raft scripts: ${files}/${results.length} files, ${equal}/${commands} commands equal`,
  );
  return commands > 0 && equal === commands ? 0 : 1;
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
process.exitCode = main();
