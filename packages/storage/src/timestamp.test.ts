import { expect, test } from 'vitest';
import {
  formatTimestamp,
  HybridClock,
  msOfTimestamp,
  timestampBytes,
  timestampOfMs,
  tryTimestamp,
} from './timestamp.ts';

function clockAt(times: number[]): HybridClock {
  return new HybridClock({ nowMs: () => times.shift() ?? 0, monotonicMs: () => 0 });
}

test('follows the wall clock and never goes back', () => {
  const clock = clockAt([1000, 1000, 900, 2000]);
  const stamps = [clock.next(), clock.next(), clock.next(), clock.next()];
  expect(stamps.map(msOfTimestamp)).toEqual([1000, 1000, 1000, 2000]);
  expect([...stamps].sort((a, b) => (a < b ? -1 : 1))).toEqual(stamps);
  expect(new Set(stamps).size).toBe(4);
});

test('more than 65536 in one millisecond run into the next', () => {
  const clock = new HybridClock({ nowMs: () => 5, monotonicMs: () => 0 });
  const stamps = Array.from({ length: 70_000 }, () => clock.next());
  expect(stamps.every((stamp, i) => i === 0 || stamp > stamps[i - 1]!)).toBe(true);
  expect(msOfTimestamp(stamps[69_999]!)).toBe(6);
});

test('what was observed is never given again', () => {
  const clock = clockAt([1000]);
  clock.observe(timestampOfMs(5000) + 3n);
  expect(clock.next()).toBe(timestampOfMs(5000) + 4n);
});

test('as text they sort and come back', () => {
  const stamps = [0n, 1n, timestampOfMs(1_700_000_000_000), 2n ** 64n - 1n];
  expect(stamps.map(formatTimestamp).sort()).toEqual(stamps.map(formatTimestamp));
  for (const stamp of stamps) expect(tryTimestamp(formatTimestamp(stamp))).toBe(stamp);
  for (const bad of ['', '123', '0'.repeat(17), 'G'.repeat(16), 'ABCDEF0000000000'])
    expect(tryTimestamp(bad)).toBeUndefined();
  expect([...timestampBytes(258n)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2]);
});
