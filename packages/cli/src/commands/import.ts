import { statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { hasCode } from '@themisdb/base';
import { themisError, type ImportAnswer } from '@themisdb/protocol';
import type { Collection, ImportOptions, ThemisClient } from '@themisdb/client';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { csvChunks, csvHeader, jsonlChunks, type Chunk } from '../input/chunks.ts';
import { readState, removeState, writeState } from '../input/import-state.ts';
import { Progress } from '../render/progress.ts';
import { progressSink, type Terminal } from '../terminal.ts';

interface ImportFlags extends ConnectionFlags {
  readonly collection?: string;
  readonly format?: 'jsonl' | 'csv';
  readonly onDuplicate: NonNullable<ImportOptions['onDuplicate']>;
  readonly create: boolean;
  readonly key?: string;
  readonly delimiter: string;
  readonly strings: boolean;
  readonly resume: boolean;
  readonly errorsMax: number;
  readonly chunk: number;
  readonly json: boolean;
}

const formats: Readonly<Record<string, 'jsonl' | 'csv'>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'csv',
};

export function importCommand(
  program: Command,
  terminal: Terminal,
  fail: (code: number) => void,
): void {
  withConnection(program.command('import <file>'))
    .description('Load a JSONL or CSV file into a collection, with progress; can be resumed.')
    .option('-c, --collection <name>', 'collection to load into (default: the name of the file)')
    .option('--create', 'create the collection when it does not exist', false)
    .addOption(
      new Option('-f, --format <format>', 'default: by the ending of the file').choices([
        'jsonl',
        'csv',
      ]),
    )
    .addOption(
      new Option('--on-duplicate <action>', 'when the _key is taken')
        .choices(['error', 'ignore', 'replace', 'update'])
        .default('error'),
    )
    .option('--key <column>', 'CSV column that becomes the _key')
    .option('--delimiter <text>', 'CSV delimiter (default: "," or a tab for .tsv)', '')
    .option('--strings', 'CSV: keep every cell as text', false)
    .option('--resume', 'go on where an interrupted import of this file stopped', false)
    .option('--errors-max <count>', 'failed records to show', wholeNumber, 20)
    .option('--chunk <bytes>', 'bytes sent in one request', wholeNumber, 4_194_304)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Progress is kept in FILE.themis-import until the import ends. After an interruption the last chunk
is sent again: give records a _key (or --key) and --on-duplicate ignore, so that none comes twice.

Examples:
  $ themis import films.jsonl --create
  $ themis import airports.csv --key iata --create
  $ themis import big.jsonl -c events --resume --on-duplicate ignore`,
    )
    .action(async (file: string, flags: ImportFlags) => {
      const client = connect(flags, terminal);
      try {
        const result = await runImport(client, file, flags, terminal);
        report(result, file, flags, terminal);
        if (result.failed > 0) fail(1);
      } finally {
        await client.close();
      }
    });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number above 0.');
  return Number(text);
}

async function runImport(
  client: ThemisClient,
  file: string,
  flags: ImportFlags,
  terminal: Terminal,
): Promise<ImportAnswer> {
  const size = mustSize(file);
  const format = formatOf(file, flags);
  if (format === undefined) {
    throw themisError('INVALID_FIELD', {
      message: `cannot tell the format of ${file} by its ending; give --format jsonl or csv`,
    });
  }
  const name = flags.collection ?? basename(file, extname(file)).replaceAll(/[^A-Za-z0-9_-]/g, '_');
  const collection = client.collection(name);
  if (flags.create) await createIfAbsent(client, name);
  const progress = new Progress(progressSink(terminal), 'records');
  const total = emptyAnswer();
  const begin = flags.resume ? readState(file, name) : undefined;
  const { mtimeMs } = statSync(file);
  for await (const chunk of await chunksOf(file, format, flags, begin)) {
    add(total, await send(collection, chunk, flags, total), chunk);
    const doneRecords = chunk.firstLine - 1 + chunk.records;
    writeState(file, {
      collection: name,
      fileBytes: size,
      fileMtimeMs: mtimeMs,
      doneBytes: chunk.endBytes,
      doneRecords,
    });
    progress.update(total.lines, size === 0 ? 1 : chunk.endBytes / size);
  }
  removeState(file);
  progress.end();
  return total;
}

function formatOf(file: string, flags: ImportFlags): 'jsonl' | 'csv' | undefined {
  return flags.format ?? formats[extname(file).toLowerCase()];
}

function mustSize(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    throw themisError('FILE_NOT_FOUND', { message: `cannot read ${file}` });
  }
}

async function createIfAbsent(client: ThemisClient, name: string): Promise<void> {
  try {
    await client.createCollection({ name });
  } catch (error) {
    if (!hasCode(error, 'COLLECTION_EXISTS')) throw error;
  }
}

async function chunksOf(
  file: string,
  format: 'jsonl' | 'csv',
  flags: ImportFlags,
  begin: { readonly doneBytes: number; readonly doneRecords: number } | undefined,
): Promise<AsyncIterableIterator<Chunk>> {
  const options = {
    startBytes: begin?.doneBytes ?? 0,
    startLine: (begin?.doneRecords ?? 0) + 1,
    chunkBytes: flags.chunk,
  };
  if (format === 'jsonl') return jsonlChunks(file, options);
  const delimiter = flags.delimiter || (extname(file).toLowerCase() === '.tsv' ? '\t' : ',');
  const header = await csvHeader(file, delimiter);
  if (header === undefined) return jsonlChunks(file, options);
  if (flags.key !== undefined && !header.columns.includes(flags.key)) {
    throw themisError('INVALID_FIELD', {
      message: `--key ${flags.key} is not a column of ${file}; columns: ${header.columns.join(', ')}`,
    });
  }
  return csvChunks(file, {
    ...options,
    startBytes: begin?.doneBytes ?? header.endBytes,
    delimiter,
    typing: flags.strings ? 'string' : 'infer',
    keyColumn: flags.key,
    columns: header.columns,
  });
}

function send(
  collection: Collection,
  chunk: Chunk,
  flags: ImportFlags,
  total: ImportAnswer,
): Promise<ImportAnswer> {
  const errorsMax = Math.max(0, flags.errorsMax - total.errors.length);
  return collection.import(chunk.ndjson, { onDuplicate: flags.onDuplicate, errorsMax });
}

type Totals = { -readonly [K in keyof ImportAnswer]: ImportAnswer[K] };

function emptyAnswer(): Totals {
  return { lines: 0, created: 0, updated: 0, ignored: 0, failed: 0, errors: [] };
}

/** Lines of a chunk's answer count from its start; people look for them in the file. */
function add(total: Totals, part: ImportAnswer, chunk: Chunk): void {
  total.lines += part.lines;
  total.created += part.created;
  total.updated += part.updated;
  total.ignored += part.ignored;
  total.failed += part.failed;
  const moved = part.errors.map(({ line, error }) => ({ line: line + chunk.firstLine - 1, error }));
  total.errors = [...total.errors, ...moved];
}

function report(result: ImportAnswer, file: string, flags: ImportFlags, terminal: Terminal): void {
  if (flags.json) {
    terminal.stdout.write(JSON.stringify(result) + '\n');
    return;
  }
  const unit = formatOf(file, flags) === 'csv' ? 'record' : 'line';
  for (const { line, error } of result.errors) {
    terminal.stderr.write(`${unit} ${line}: ${error.code}: ${error.message}\n`);
  }
  const counts = (['created', 'updated', 'ignored', 'failed'] as const)
    .filter((name) => result[name] > 0)
    .map((name) => `${result[name]} ${name}`);
  terminal.stdout.write(`${result.lines} records: ${counts.join(', ') || 'nothing to do'}\n`);
}
