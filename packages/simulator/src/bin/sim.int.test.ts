import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const command = fileURLToPath(new URL('../../dist/bin/sim.js', import.meta.url));
const isBuilt = existsSync(command);
if (!isBuilt) console.warn('seeds in two processes: not tested, nothing is built (npx tsc -b)');

function sim(...args: string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...args], (_, out, errors) =>
      resolve({ code: child.exitCode, out: out + errors }),
    );
  });
}

describe.skipIf(!isBuilt)('seeds in two processes', () => {
  test('a seed gives the same run in both', async () => {
    const seed = (from: number): ReturnType<typeof sim> =>
      sim('--seeds', '1', '--from', String(from), '--seconds', '2', '--tail');
    const [first, second] = await Promise.all([seed(11), seed(11)]);
    expect(first.out).toMatch(/^no failure, trace [0-9a-f]{16}-\d+\n$/);
    expect(second).toEqual(first);
    expect((await seed(12)).out).not.toBe(first.out);
  });

  test('--double-check runs seeds in both and finds nothing', async () => {
    const { code, out } = await sim('--seeds', '3', '--seconds', '2', '--double-check');
    expect(out).toMatch(/^3 seeds, .* commands, \d+ events$/m);
    expect(out).toMatch(/, 0 failed\n$/);
    expect(code).toBe(0);
  });
});
