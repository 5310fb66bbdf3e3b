import { mkdtempSync, readFileSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { writeState } from './input/import-state.ts';
import { main } from './main.ts';

let server: RunningServer;
const folder = mkdtempSync(join(tmpdir(), 'themis-cli-'));

beforeAll(async () => {
  server = await startServer(makeConfig({ port: 0, engine: 'memory', 'log-level': 'error' }));
});

afterAll(async () => {
  await server.stop({ graceMs: 1_000 });
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], input = ''): Promise<Run> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = [stdout, stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return text;
  });
  const code = await main(args, {
    stdin: Readable.from([input]),
    stdout,
    stderr,
    isOutTerminal: false,
    isErrTerminal: false,
    width: 100,
    hasColor: false,
    variables: { THEMIS_URL: server.url },
  });
  stdout.end();
  stderr.end();
  const [out, err] = await Promise.all(texts);
  return { code, out: out!, err: err! };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('import and export', () => {
  const lines = Array.from({ length: 2_500 }, (_, i) =>
    JSON.stringify({ _key: `k${i}`, n: i, text: 'ß'.repeat(i % 50) }),
  );

  test('a file comes back as it went in', async () => {
    const path = file('things.jsonl', lines.join('\n') + '\n');
    expect(await run(['import', path, '--create', '--chunk', '40000'])).toMatchObject({
      code: 0,
      out: '2500 records: 2500 created\n',
    });
    const out = join(folder, 'out.jsonl');
    expect((await run(['export', 'things', '-o', out])).code).toBe(0);
    const sorted = (text: string): string[] => text.trim().split('\n').sort();
    expect(sorted(readFileSync(out, 'utf8'))).toEqual([...lines].sort());
    expect(existsSync(`${path}.themis-import`)).toBe(false);
  });

  test('CSV goes in typed and comes out', async () => {
    const path = file('cities.csv', 'code,name,people\nB,"Berlin, DE",3700000\nP,Paris,\n');
    expect((await run(['import', path, '--create', '--key', 'code'])).code).toBe(0);
    const { out } = await run([
      'export',
      '-q',
      'FOR c IN cities SORT c._key RETURN c',
      '-f',
      'csv',
      '--fields',
      '_key,name,people',
    ]);
    expect(out).toBe('_key,name,people\r\nB,"Berlin, DE",3700000\r\nP,Paris,\r\n');
  });

  test('failed records are named by their line in the file, and the exit code says so', async () => {
    const path = file('bad.jsonl', [...lines.slice(0, 2000), '{"n": 1e999}', lines[3]].join('\n'));
    const result = await run(['import', path, '-c', 'bad', '--create', '--chunk', '20000']);
    expect(result.code).toBe(1);
    expect(result.out).toBe('2002 records: 2000 created, 2 failed\n');
    expect(result.err).toMatch(/line 2001: NUMBER_OUT_OF_RANGE/);
    expect(result.err).toMatch(/line 2002: KEY_EXISTS/);
  });

  test('an interrupted import goes on where it stopped', async () => {
    const path = file('resume.jsonl', lines.join('\n') + '\n');
    const doneBytes = Buffer.byteLength(lines.slice(0, 1000).join('\n') + '\n');
    const { size, mtimeMs } = (await import('node:fs')).statSync(path);
    writeState(path, {
      collection: 'resumed',
      fileBytes: size,
      fileMtimeMs: mtimeMs,
      doneBytes,
      doneRecords: 1000,
    });
    const { out } = await run(['import', path, '-c', 'resumed', '--create', '--resume', '--json']);
    expect(JSON.parse(out)).toMatchObject({ lines: 1500, created: 1500, failed: 0 });
  });

  test('what cannot work says why', async () => {
    expect(await run(['import', join(folder, 'none.jsonl')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('FILE_NOT_FOUND') as string,
    });
    expect(await run(['import', file('a.dat', ''), '-c', 'x'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('--format') as string,
    });
    const path = file('k.csv', 'a,b\n1,2\n');
    expect(await run(['import', path, '--key', 'c', '--create'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('columns: a, b') as string,
    });
    expect((await run(['export'])).code).toBe(2);
    expect((await run(['import', 'x.jsonl', '--chunk', 'some'])).code).toBe(2);
    expect(
      await run(['export', 'things', '-o', join(folder, 'no/such/folder.jsonl')]),
    ).toMatchObject({
      code: 1,
      err: expect.stringContaining('FILE_NOT_FOUND: cannot write') as string,
    });
    expect(await run(['exprot', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean export?') as string,
    });
    expect(await run(['import', path, '--url', 'http://127.0.0.1:9'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('CONNECTION_FAILED') as string,
    });
  });
});

describe('shell', () => {
  test('one query and out', async () => {
    const { code, out } = await run(['shell', '-e', 'FOR i IN 1..2 RETURN { i, square: i * i }']);
    expect(code).toBe(0);
    expect(out).toBe('i │ square\n──┼───────\n1 │      1\n2 │      4\n');
    expect(await run(['shell', '-e', 'RETURN missing'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/AQL_UNKNOWN_VARIABLE|COLLECTION_NOT_FOUND/) as string,
    });
  });

  test('statements over several lines, commands, errors that do not end it', async () => {
    const { code, out, err } = await run(
      ['shell', '--json'],
      'FOR i IN 1..2\n  RETURN i\nRETRUN 1\n.namespace\n.unknown\nRETURN "last"\n.exit\nRETURN "never"\n',
    );
    expect(code).toBe(0);
    expect(out).toContain('1\n2\n');
    expect(out).toContain('namespace default');
    expect(out).toContain('.unknown is no command');
    expect(out).toContain('"last"');
    expect(out).not.toContain('never');
    expect(err).toContain('AQL_PARSE');
    expect(err).toContain('^');
  });
});

test('start refuses what is not safe, and says what is wrong with a setting', async () => {
  expect(await run(['start', '--host', '0.0.0.0'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('loopback') as string,
  });
  expect(await run(['start', '--port', 'eighty'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('CONFIG_INVALID') as string,
  });
  expect((await run(['start', '--prot', '1'])).code).toBe(2);
});
