import { hasCode, type Prng } from '@themisdb/base';
import { makeSimEnv } from '@themisdb/testing';
import { describe, expect, test } from 'vitest';
import type { Wal, WalRecord } from './contract.ts';
import { openWal, type WalOptions } from './index.ts';
import { collect } from './testing/fixture.ts';

// One bit of a log file is flipped. Whatever bit it is: the log refuses to open with LOG_CORRUPT, or
// it holds all records, or (only without an orderly close, and only at the very end) it has cut
// the last batch off and says so. Never does it serve anything else.

const options: WalOptions = { directory: 'log', segmentBytes: 12_288, firstSegmentBytes: 12_288 };

interface Written {
  readonly batches: readonly (readonly WalRecord[])[];
  readonly all: readonly WalRecord[];
}

async function read(wal: Wal): Promise<WalRecord[]> {
  return collect(wal, 1);
}

async function flipOne(seed: number, close: boolean): Promise<string> {
  const env = makeSimEnv(seed);
  const { prng } = env;
  return env.run(async () => {
    const wal = await openWal(env, options);
    const written = await write(wal, prng);
    if (close) await wal.close();
    env.kill();
    const { path } = prng.pick(env.disk.files());
    const end = env.disk.peek(path).findLastIndex((byte) => byte !== 0);
    const position = prng.chance(0.2) ? prng.below(64) : prng.between(4_096, Math.max(end, 4_096));
    env.disk.flipBit(path, position, prng.below(8));
    return judge(await openWal(env, options).catch((error: unknown) => error), written, close);
  });
}

async function write(wal: Wal, prng: Prng): Promise<Written> {
  const batches: WalRecord[][] = [];
  let index = 1;
  for (let i = prng.between(1, 30); i > 0; i--) {
    const batch: WalRecord[] = [];
    for (let n = prng.between(1, 3); n > 0; n--) {
      const payload = prng.bytes(prng.below(prng.pick([4, 300, 1_500])));
      batch.push({ group: 1, index: index++, term: 1, kind: 0, payload });
    }
    await wal.append(batch);
    batches.push(batch);
  }
  return { batches, all: batches.flat() };
}

async function judge(opened: unknown, written: Written, closed: boolean): Promise<string> {
  if (opened instanceof Error) {
    expect(hasCode(opened, 'LOG_CORRUPT'), String(opened)).toBe(true);
    return 'refused';
  }
  const wal = opened as Wal;
  const found = await read(wal);
  expect(found).toEqual(written.all.slice(0, found.length));
  if (found.length === written.all.length) return 'unharmed';
  expect(closed, 'records are missing after an orderly close').toBe(false);
  expect(wal.stats().tornBytes).toBeGreaterThan(0);
  expect(found.length).toBeGreaterThanOrEqual(written.all.length - written.batches.at(-1)!.length);
  return 'cut';
}

describe.each([
  ['after an orderly close', true],
  ['after the process died', false],
])('%s', (_when, close) => {
  test('200 seeds', async () => {
    const counts: Record<string, number> = { refused: 0, unharmed: 0, cut: 0 };
    for (let seed = 1; seed <= 200; seed++) {
      const outcome = await flipOne(seed, close).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      });
      counts[outcome]!++;
    }
    expect(counts['refused']).toBeGreaterThan(80);
    // Padding, the mark of the close, and bytes of the header block that mean nothing.
    expect(counts['unharmed']).toBeGreaterThan(3);
    expect(counts['cut'] === 0).toBe(close);
  });
});
