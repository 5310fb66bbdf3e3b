import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeNodeEnv } from '@themisdb/server/env';
import { spawnSource } from '@themisdb/testing/spawn-source';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Wal } from './contract.ts';
import { openWal } from './index.ts';
import { collect, record } from './testing/fixture.ts';

let dataRoot: string;
beforeEach(async () => {
  dataRoot = await mkdtemp(join(tmpdir(), 'themis-wal-'));
});
afterEach(() => rm(dataRoot, { recursive: true }));

const options = { directory: 'store/log', segmentBytes: 262_144, firstSegmentBytes: 65_536 };

function open(): Promise<Wal> {
  return openWal(makeNodeEnv({ dataRoot }), options);
}

test('many appenders on the real disk: order, group commit, segments, reopening', async () => {
  const wal = await open();
  await Promise.all(
    Array.from({ length: 20 }, async (_, group) => {
      for (let index = 1; index <= 100; index++) await wal.append([record(group, index, 1, 320)]);
    }),
  );
  const { syncs, segments } = wal.stats();
  // Twenty appenders that wait for each acknowledgement cannot need more than one sync each.
  expect(syncs).toBeLessThan(1_000);
  expect(segments).toBeGreaterThan(2);
  await wal.close();
  const again = await open();
  for (let group = 0; group < 20; group++) {
    const expected = Array.from({ length: 100 }, (_, i) => record(group, i + 1, 1, 320));
    expect(await collect(again, group)).toEqual(expected);
  }
  await again.close();
});

test('a record of 64 MiB, the largest there is', async () => {
  const payload = new Uint8Array(64 * 1024 * 1024).map((_, i) => i % 253);
  const wal = await open();
  await wal.append([{ group: 1, index: 1, term: 1, kind: 0, payload }, record(1, 2)]);
  await wal.close();
  const again = await open();
  const [first, second] = await collect(again, 1);
  expect(Buffer.compare(first!.payload, payload)).toBe(0);
  expect(second).toEqual(record(1, 2));
  await again.close();
});

interface Acknowledged {
  /** Last index by group. */
  readonly appended: Map<number, number>;
  /** First index that must be kept, by group. */
  readonly truncated: Map<number, number>;
}

const child = new URL('./testing/appender.ts', import.meta.url);

/** Lets the child append until it said so many lines, and kills it in the middle of its work. */
async function killAfter(lines: number, acknowledged: Acknowledged): Promise<void> {
  const running = spawnSource(child, [dataRoot, options.directory]);
  const exited = new Promise((resolve) => running.once('exit', resolve));
  let seen = 0;
  for await (const line of createInterface(running.stdout)) {
    const [what, group, index] = line.split(' ');
    const target = what === 'append' ? acknowledged.appended : acknowledged.truncated;
    target.set(Number(group), Number(index));
    if (++seen === lines) running.kill('SIGKILL');
  }
  await exited;
  expect(seen).toBeGreaterThanOrEqual(lines);
}

async function check(wal: Wal, { appended, truncated }: Acknowledged): Promise<void> {
  for (const [group, last] of appended) {
    const bounds = wal.bounds(group)!;
    expect(bounds.last, `group ${group}`).toBeGreaterThanOrEqual(last);
    expect(bounds.first).toBeGreaterThanOrEqual(truncated.get(group) ?? 1);
    // The truncation under way may have happened, no later one can have.
    expect(bounds.first).toBeLessThanOrEqual((truncated.get(group) ?? -50) + 100);
    const found = await collect(wal, group);
    expect(found.length).toBe(bounds.last - bounds.first + 1);
    for (const [i, { index, payload }] of found.entries()) {
      expect(index).toBe(bounds.first + i);
      expect(payload.length).toBe((index * 37) % 700);
      expect(payload.every((byte) => byte === ((group * 31 + index) & 0xff))).toBe(true);
    }
  }
}

describe('kill -9 of a process that appends under load', () => {
  test('five rounds: what it was told is durable is there', async () => {
    const acknowledged: Acknowledged = { appended: new Map(), truncated: new Map() };
    for (const lines of [1, 500, 1_777, 2_500, 3_001]) {
      await killAfter(lines, acknowledged);
      const wal = await open();
      await check(wal, acknowledged);
      await wal.close();
    }
    expect(acknowledged.appended.size).toBe(16);
  });
});
