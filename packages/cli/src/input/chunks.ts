import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { cellValue, type CellTyping } from './csv-values.ts';

/** Some whole records of a file as NDJSON, and where the file continues after them. */
export interface Chunk {
  readonly ndjson: Uint8Array;
  readonly records: number;
  /** Line in the file of the first record; counted in records for CSV. */
  readonly firstLine: number;
  /** Offset of the first byte after this chunk. */
  readonly endBytes: number;
}

export interface ChunkOptions {
  /** Where to begin: after an interrupted import. */
  readonly startBytes: number;
  readonly startLine: number;
  readonly chunkBytes: number;
}

/** Cuts a JSONL file at line ends. Lines are not looked into: the server judges them. */
export async function* jsonlChunks(
  path: string,
  options: ChunkOptions,
): AsyncIterableIterator<Chunk> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let position = options.startBytes;
  let line = options.startLine;
  const take = (last: Buffer): Chunk => {
    const ndjson = Buffer.concat([...pending, last]);
    pending = [];
    pendingBytes = 0;
    const records = countLines(ndjson);
    position += ndjson.length;
    const chunk = { ndjson, records, firstLine: line, endBytes: position };
    line += records;
    return chunk;
  };
  for await (const piece of createReadStream(path, {
    start: options.startBytes,
    highWaterMark: 1 << 20,
  })) {
    const buffer = piece as Buffer;
    const newline = buffer.lastIndexOf(10);
    if (newline === -1 || pendingBytes + newline + 1 < options.chunkBytes) {
      pending.push(buffer);
      pendingBytes += buffer.length;
      continue;
    }
    const chunk = take(buffer.subarray(0, newline + 1));
    const rest = buffer.subarray(newline + 1);
    if (rest.length > 0) pending.push(rest);
    pendingBytes = rest.length;
    yield chunk;
  }
  if (pendingBytes > 0) yield take(Buffer.alloc(0));
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let i = bytes.indexOf(10); i !== -1; i = bytes.indexOf(10, i + 1)) lines++;
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? lines + 1 : lines;
}

export interface CsvOptions extends ChunkOptions {
  readonly delimiter: string;
  readonly typing: CellTyping;
  /** Column whose text becomes `_key`. */
  readonly keyColumn: string | undefined;
  readonly columns: readonly string[];
}

/** RFC 4180 records as objects with the given columns. */
export async function* csvChunks(path: string, options: CsvOptions): AsyncIterableIterator<Chunk> {
  const parser = createReadStream(path, { start: options.startBytes }).pipe(
    parse({
      delimiter: options.delimiter,
      bom: true,
      info: true,
      skip_empty_lines: true,
      columns: [...options.columns],
    }),
  );
  let lines: string[] = [];
  let size = 0;
  let line = options.startLine;
  let endBytes = options.startBytes;
  const take = (): Chunk => {
    const chunk = {
      ndjson: Buffer.from(lines.join('\n') + '\n'),
      records: lines.length,
      firstLine: line,
      endBytes,
    };
    line += lines.length;
    lines = [];
    size = 0;
    return chunk;
  };
  for await (const item of parser) {
    const { record, info } = item as { record: Record<string, string>; info: { bytes: number } };
    const text = JSON.stringify(rowOf(record, options));
    lines.push(text);
    size += text.length;
    endBytes = options.startBytes + info.bytes;
    if (size >= options.chunkBytes) yield take();
  }
  if (lines.length > 0) yield take();
}

function rowOf(
  record: Readonly<Record<string, string>>,
  options: CsvOptions,
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  if (options.keyColumn !== undefined) row['_key'] = record[options.keyColumn];
  for (const name of options.columns) {
    if (name !== '_key') row[name] = cellValue(record[name] ?? '', options.typing);
  }
  if (options.keyColumn === undefined && record['_key']) row['_key'] = record['_key'];
  return row;
}

/** The first record, and the offset behind it. */
export async function csvHeader(
  path: string,
  delimiter: string,
): Promise<{ readonly columns: readonly string[]; readonly endBytes: number } | undefined> {
  const stream = createReadStream(path);
  const parser = stream.pipe(parse({ delimiter, bom: true, info: true, to: 1 }));
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: { bytes: number } };
      return { columns: record.map((name) => name.trim()), endBytes: info.bytes };
    }
    return undefined;
  } finally {
    stream.destroy();
  }
}
