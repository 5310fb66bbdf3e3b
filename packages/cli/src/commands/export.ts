import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { extname } from 'node:path';
import { Option, type Command } from 'commander';
import { aql, collectionName, type QueryCursor } from '@themisdb/client';
import { themisError } from '@themisdb/protocol';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { csvLine } from '../render/csv.ts';
import { Progress } from '../render/progress.ts';
import { progressSink, type Terminal } from '../terminal.ts';

interface ExportFlags extends ConnectionFlags {
  readonly query?: string;
  readonly format?: 'jsonl' | 'csv';
  readonly output?: string;
  readonly fields?: string;
  readonly system: boolean;
}

export function exportCommand(program: Command, terminal: Terminal): void {
  withConnection(program.command('export [collection]'))
    .description('Write a collection, or the result of a query, as JSONL or CSV.')
    .option('-q, --query <aql>', 'export the rows of this query instead of a collection')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .addOption(
      new Option('-f, --format <format>', 'default: by the ending of the file, else jsonl').choices(
        ['jsonl', 'csv'],
      ),
    )
    .option('--fields <names>', 'comma-separated attributes; for CSV the columns')
    .option('--system', 'keep _id, _rev and _urn', false)
    .addHelpText(
      'after',
      `
Examples:
  $ themis export films > films.jsonl
  $ themis export -q 'FOR f IN films FILTER f.year > 2000 RETURN f' -o new.csv`,
    )
    .action(async (name: string | undefined, flags: ExportFlags, command: Command) => {
      if ((name === undefined) === (flags.query === undefined)) {
        command.error('error: give either a collection or --query', { exitCode: 2 });
      }
      const client = connect(flags, terminal);
      try {
        const cursor =
          flags.query === undefined
            ? client.query(aql`FOR d IN ${collectionName(name!)} RETURN d`, { batchSize: 2000 })
            : client.query(flags.query, {}, { batchSize: 2000 });
        await runExport(cursor, flags, terminal);
      } finally {
        await client.close();
      }
    });
}

async function runExport(
  cursor: QueryCursor,
  flags: ExportFlags,
  terminal: Terminal,
): Promise<void> {
  const format =
    flags.format ?? (extname(flags.output ?? '').toLowerCase() === '.csv' ? 'csv' : 'jsonl');
  const out = flags.output === undefined ? terminal.stdout : await openOutput(flags.output);
  const progress = new Progress(progressSink(terminal), 'rows');
  let columns = flags.fields?.split(',').map((field) => field.trim());
  let count = 0;
  for await (const page of cursor.pages()) {
    const rows = page.map((row) => select(row, columns, flags.system));
    if (format === 'csv' && count === 0) {
      columns ??= columnsOf(rows);
      out.write(csvLine(columns));
    }
    const text = rows.map((row) =>
      format === 'csv' ? csvLine(columns!.map((c) => cell(row, c))) : JSON.stringify(row) + '\n',
    );
    count += rows.length;
    progress.update(count);
    if (!out.write(text.join(''))) await once(out, 'drain');
  }
  if (out !== terminal.stdout) {
    out.end();
    await once(out, 'finish');
  }
  progress.end();
}

async function openOutput(file: string): Promise<WriteStream> {
  const stream = createWriteStream(file);
  try {
    await once(stream, 'open');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw themisError('FILE_NOT_FOUND', {
      message: `cannot write ${file}${code === undefined ? '' : ` (${code})`}`,
      cause: error,
    });
  }
  return stream;
}

const derived = new Set(['_id', '_rev', '_urn']);

function select(row: unknown, fields: readonly string[] | undefined, system: boolean): unknown {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return row;
  const entries = Object.entries(row);
  const kept =
    fields === undefined
      ? entries.filter(([name]) => system || !derived.has(name))
      : fields
          .filter((name) => Object.hasOwn(row, name))
          .map((name) => [name, (row as never)[name]]);
  return Object.fromEntries(kept as [string, unknown][]);
}

/** The attributes of the first page's rows, in order of appearance. */
function columnsOf(rows: readonly unknown[]): string[] {
  const names = new Set<string>();
  for (const row of rows) {
    if (typeof row === 'object' && row !== null)
      for (const name of Object.keys(row)) names.add(name);
    else names.add('value');
  }
  return [...names];
}

function cell(row: unknown, column: string): unknown {
  if (typeof row !== 'object' || row === null) return column === 'value' ? row : null;
  return Object.hasOwn(row, column) ? (row as Record<string, unknown>)[column] : null;
}
