import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { isCommandBuilt } from '../testing/processes.ts';

const command = fileURLToPath(new URL('../../dist/bin/themis.js', import.meta.url));

function sim(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, 'sim', ...args], (_, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}

describe.skipIf(!isCommandBuilt())('themis sim', () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-sim-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('runs seeds, tells what they went through, and that none failed', async () => {
    const { code, out, err } = await sim('--seeds', '2');
    expect(out).toMatch(/^2 seeds, .* virtual hours, \d+ operations, \d+ commands, \d+ events$/m);
    expect(out).toMatch(/^ +\d states compared$/m);
    expect(out).toMatch(/ seeds\/s, 0 failed$/m);
    expect([code, err]).toEqual([0, '']);
  });

  test('runs a scenario, the same way each time', async () => {
    const file = join(folder, 'scenario.txt');
    writeFileSync(file, 'seed 7\nseconds 1\n');
    const [first, second] = await Promise.all([
      sim('--scenario', file),
      sim('--scenario', file, '--seeds', '5'),
    ]);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/no failure, trace [0-9a-f]{16}-\d+/);
    expect(second).toEqual(first);
  });

  test('what cannot be counted is refused', async () => {
    expect(await sim('--seeds', 'many')).toMatchObject({
      code: 2,
      err: expect.stringContaining('a whole number above 0') as string,
    });
  });
});
