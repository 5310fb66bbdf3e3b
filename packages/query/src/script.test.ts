import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isThemisError } from '@themisdb/base';
import {
  describeMismatch,
  parseScript,
  rewriteScript,
  runScript,
  type ScriptCommand,
} from '@themisdb/testing';
import { expect, test } from 'vitest';
import type { QueryOptions } from './query-engine.ts';
import { TestDatabase, plainValue } from './testing/test-database.ts';

/**
 * Scripts under testdata, each on a fresh database. Commands:
 *
 * - `load NAME`: a collection of the documents below, one a line.
 * - `index COLLECTION fields=(a,b) unique sparse stored=(c) name=n`.
 * - `query [unordered] [stats=(name,…)]`: the results, one a line, then warnings and statistics. The
 *   text may begin with lines `params {…}` and `options {…}`. A query that reads is run again with
 *   every optimizer rule off and with batches of one row, and must give the same.
 * - `explain`: the plan.
 *
 * UPDATE_SCRIPTS=1 writes what is printed into the files; read the difference before committing it.
 */
const folder = new URL('../testdata/', import.meta.url);
const files = ['query', 'explain'].flatMap((kind) =>
  readdirSync(new URL(`${kind}/`, folder))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => `${kind}/${name}`),
);

for (const file of files) {
  test(`script ${file}`, async () => {
    const url = new URL(file, folder);
    const text = readFileSync(url, 'utf8');
    const outputs = new Map<number, string>();
    await TestDatabase.with(async (database) => {
      for (const command of parseScript(text, file)) {
        outputs.set(command.line, await runCommand(command, database));
      }
    });
    const replay = ({ line }: ScriptCommand): string => outputs.get(line)!;
    if (process.env['UPDATE_SCRIPTS'] === '1')
      writeFileSync(url, rewriteScript(text, file, replay));
    else {
      const differences = runScript(parseScript(text, file), replay).map(describeMismatch);
      expect(differences.join('\n\n')).toBe('');
    }
  });
}

async function runCommand(command: ScriptCommand, database: TestDatabase): Promise<string> {
  switch (command.name) {
    case 'load':
      return load(command, database);
    case 'index':
      return index(command, database);
    case 'query':
      return query(command, database);
    case 'explain': {
      const { text, params } = parts(command);
      return database.plan(text, params);
    }
    default:
      throw new Error(`${command.file}:${command.line}: no such command`);
  }
}

async function load({ args, input }: ScriptCommand, database: TestDatabase): Promise<string> {
  const documents =
    input === '' ? [] : input.split('\n').map((line) => JSON.parse(line) as unknown);
  await database.load(args[0]!.key, documents);
  return `${documents.length} documents`;
}

async function index({ args }: ScriptCommand, database: TestDatabase): Promise<string> {
  const values = (key: string): readonly string[] | undefined =>
    args.find((arg) => arg.key === key)?.values;
  const has = (key: string): boolean => values(key) !== undefined;
  const made = await database.store.createIndex(database.collection(args[0]!.key), {
    type: 'persistent',
    fields: values('fields')!,
    unique: has('unique'),
    sparse: has('sparse'),
    storedValues: values('stored'),
    deduplicate: !has('keepdoubles'),
    name: values('name')?.[0],
  });
  return made.state;
}

interface QueryParts {
  readonly text: string;
  readonly params: Record<string, unknown>;
  readonly options: QueryOptions;
}

function parts({ input }: ScriptCommand): QueryParts {
  const lines = input.split('\n');
  let params = {};
  let options = {};
  for (;;) {
    const head = /^(params|options) (.*)$/.exec(lines[0]!);
    if (head === null) return { text: lines.join('\n'), params, options };
    const value = JSON.parse(head[2]!) as object;
    if (head[1] === 'params') params = value;
    else options = value;
    lines.shift();
  }
}

async function query(command: ScriptCommand, database: TestDatabase): Promise<string> {
  const { text, params, options } = parts(command);
  const unordered = command.args.some((arg) => arg.key === 'unordered');
  const wanted = command.args.find((arg) => arg.key === 'stats')?.values ?? [];
  const once = async (more: QueryOptions): Promise<Outcome> => {
    const outcome = await outcomeOf(database, text, params, { ...options, ...more });
    return unordered ? { ...outcome, rows: [...outcome.rows].sort() } : outcome;
  };
  const outcome = await once({});
  if (!outcome.modifies) {
    const off = await once({ optimizer: { rules: ['-all'] } });
    expect(off.rows, `${command.file}:${command.line} without rules`).toEqual(outcome.rows);
    const small = await once({ batchSize: 1 });
    expect(small.rows, `${command.file}:${command.line} in small batches`).toEqual(outcome.rows);
  }
  const stats = wanted.map((name) => `${name}: ${String(outcome.numbers[name])}`);
  return [...outcome.rows, ...outcome.warnings, ...stats].join('\n') || 'nothing';
}

interface Outcome {
  readonly rows: readonly string[];
  readonly warnings: readonly string[];
  readonly numbers: Readonly<Record<string, unknown>>;
  readonly modifies: boolean;
}

async function outcomeOf(
  database: TestDatabase,
  text: string,
  params: Record<string, unknown>,
  options: QueryOptions,
): Promise<Outcome> {
  try {
    const run = await database.start(text, params, options);
    const rows = (await run.all()).map((value) => JSON.stringify(plainValue(value)));
    const warnings = run.warnings.map(({ code, message }) => `warning ${code}: ${message}`);
    const numbers = { ...run.stats, fullCount: run.fullCount };
    return { rows, warnings, numbers, modifies: run.modifies };
  } catch (error) {
    if (!isThemisError(error)) throw error;
    const { code, position, message } = error;
    const where = position === undefined ? '' : ` ${position.line}:${position.column}`;
    return { rows: [`${code}${where} ${message}`], warnings: [], numbers: {}, modifies: true };
  }
}
