import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  describeMismatch,
  parseScript,
  rewriteScript,
  runScript,
  scriptArg,
  type ScriptCommand,
} from '@themisdb/testing';
import { expect, test } from 'vitest';
import { checkLinearizability } from './linearizability.ts';
import type { IsolationLevel } from './list-append/anomaly.ts';
import { checkTransactions } from './list-append/check-transactions.ts';
import { registerModel } from './register.ts';
import { parseRegisterOperations } from './testing/register-notation.ts';
import { parseTransactions } from './testing/transaction-notation.ts';

// Histories known to be good or bad, with what the checkers say. REWRITE=1 writes what they print.

const scripts = fileURLToPath(new URL('../testdata/', import.meta.url));

test.each(readdirSync(scripts).filter((file) => file.endsWith('.txt')))('%s', (file) => {
  const text = readFileSync(scripts + file, 'utf8');
  if (process.env['REWRITE'] === '1') {
    writeFileSync(scripts + file, rewriteScript(text, file, run));
  } else {
    expect(runScript(parseScript(text, file), run).map(describeMismatch)).toEqual([]);
  }
});

function run(command: ScriptCommand): string {
  switch (command.name) {
    case 'check-register': {
      const stepsMax = Number(scriptArg(command, 'steps-max') ?? 10_000);
      const operations = parseRegisterOperations(command.input);
      return checkLinearizability(registerModel, operations, { stepsMax }).text;
    }
    case 'check-transactions': {
      const level = scriptArg(command, 'level') as IsolationLevel;
      return checkTransactions(parseTransactions(command.input), level).text;
    }
    default:
      throw new Error(`${command.file}:${command.line}: no command ${command.name}`);
  }
}
