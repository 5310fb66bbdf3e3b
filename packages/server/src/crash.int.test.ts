import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runKillRounds } from './testing/kill-rounds.ts';

test('a killed process loses nothing acknowledged and leaves nothing half done', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'themis-crash-'));
  try {
    const { acknowledged, faults } = await runKillRounds({ folder, rounds: 6, seed: 7 });
    expect(faults).toEqual([]);
    expect(acknowledged).toBeGreaterThan(100);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
