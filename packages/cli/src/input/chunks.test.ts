import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { csvChunks, csvHeader, jsonlChunks, type Chunk } from './chunks.ts';

const folder = mkdtempSync(join(tmpdir(), 'themis-chunks-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function collect(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const out: Chunk[] = [];
  for await (const chunk of chunks) out.push(chunk);
  return out;
}

const text = (chunks: readonly Chunk[]): string =>
  Buffer.concat(chunks.map((chunk) => chunk.ndjson)).toString();

test('JSONL: whole lines, nothing lost, resumable at every chunk', async () => {
  const lines = Array.from({ length: 5_000 }, (_, i) =>
    JSON.stringify({ i, pad: 'é'.repeat(i % 700) }),
  );
  const path = file('a.jsonl', lines.join('\n'));
  const all = await collect(
    jsonlChunks(path, { startBytes: 0, startLine: 1, chunkBytes: 200_000 }),
  );
  expect(all.length).toBeGreaterThan(2);
  expect(text(all)).toBe(lines.join('\n'));
  expect(all.reduce((sum, chunk) => sum + chunk.records, 0)).toBe(5_000);
  for (const chunk of all.slice(0, -1)) expect(chunk.ndjson.at(-1)).toBe(10);
  const { endBytes, firstLine, records } = all[0]!;
  const rest = await collect(
    jsonlChunks(path, {
      startBytes: endBytes,
      startLine: firstLine + records,
      chunkBytes: 200_000,
    }),
  );
  expect(text([all[0]!, ...rest])).toBe(lines.join('\n'));
  expect(rest[0]!.firstLine).toBe(records + 1);
});

test('CSV: quotes, types, key column, resumable after the header', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `k${i},"say ""${i}"", ok",${i},,true`);
  const path = file('b.csv', '\ufeffid,text,n,empty,flag\r\n' + rows.join('\r\n') + '\r\n');
  const header = (await csvHeader(path, ','))!;
  expect(header.columns).toEqual(['id', 'text', 'n', 'empty', 'flag']);
  const options = {
    startLine: 1,
    chunkBytes: 4_000,
    delimiter: ',',
    typing: 'infer' as const,
    keyColumn: 'id',
    columns: header.columns,
  };
  const all = await collect(csvChunks(path, { ...options, startBytes: header.endBytes }));
  const parsed = text(all)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(parsed.length).toBe(300);
  expect(parsed[7]).toEqual({
    _key: 'k7',
    id: 'k7',
    text: 'say "7", ok',
    n: 7,
    empty: null,
    flag: true,
  });
  const rest = await collect(
    csvChunks(path, { ...options, startBytes: all[0]!.endBytes, startLine: all[0]!.records + 1 }),
  );
  expect(text([all[0]!, ...rest])).toBe(text(all));
});
