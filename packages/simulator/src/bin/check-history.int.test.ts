import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { spawnSource } from '@themisdb/testing/spawn-source';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'themis-history-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = `{"type":"invoke","process":1,"key":"x","input":{"type":"write","value":1}}
{"type":"ok","process":1,"output":{"type":"write"}}
{"type":"invoke","process":1,"key":"x","input":{"type":"read"}}
`;
const read = (value: string): string =>
  `${write}{"type":"ok","process":1,"output":{"type":"read","value":${value}}}\n`;

async function run(content: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const path = join(folder, 'history.jsonl');
  writeFileSync(path, content);
  const child = spawnSource(new URL('./check-history.ts', import.meta.url), [path, ...args]);
  const closed = once(child, 'close') as Promise<[number]>;
  const [out, [code]] = await Promise.all([text(child.stdout), closed]);
  return { code, out };
}

test('the command says what it found, and ends with a code that tells', async () => {
  expect(await run(read('1'))).toEqual({
    code: 0,
    out: 'registers: linearizable: 2 operations on 1 key\n',
  });
  const bad = await run(read('null'));
  expect(bad.code).toBe(1);
  expect(bad.out).toContain('registers: key x is not linearizable\n');
  expect((await run('nonsense')).code).toBe(2);
  expect((await run(read('1'), '--steps-max', '1')).code).toBe(3);
});
