import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { timeByPart, waiting } from './cpu-profile.ts';

const frame = (
  id: number,
  functionName: string,
  url: string,
  children: number[] = [],
): Record<string, unknown> => ({ id, callFrame: { functionName, url }, children });

test('self time counts to packages, built-in functions to their callers, within the window', () => {
  const profile = {
    startTime: 1000,
    nodes: [
      frame(1, '(root)', '', [2, 3, 4]),
      frame(2, '(idle)', ''),
      frame(3, 'pump', 'file:///x/packages/replication/dist/replica.js', [5]),
      frame(4, 'emit', 'node:events'),
      frame(5, 'sort', ''),
    ],
    samples: [2, 3, 5, 4, 3],
    timeDeltas: [0, 10, 20, 30, 40],
  };
  const folder = mkdtempSync(join(tmpdir(), 'themis-profile-'));
  const path = join(folder, 'one.cpuprofile');
  writeFileSync(path, JSON.stringify(profile));
  expect(timeByPart(path, { from: 1000, to: 2000 })).toEqual(
    new Map([
      [waiting, 10],
      ['replication', 20 + 30],
      ['Node: the rest', 40],
    ]),
  );
  expect(timeByPart(path, { from: 1020, to: 1030 })).toEqual(new Map([['replication', 30]]));
  rmSync(folder, { recursive: true });
});
