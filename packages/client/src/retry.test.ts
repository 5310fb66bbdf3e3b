import { expect, test } from 'vitest';
import { themisError } from '@themisdb/protocol';
import { RetryPolicy } from './retry.ts';

const broken = (sent: boolean): Error =>
  themisError('CONNECTION_FAILED', { message: 'm', details: { sent } });
const conflict = themisError('WRITE_CONFLICT', { message: 'm' });

test('a broken connection is retried only when that has no second effect', () => {
  const policy = new RetryPolicy(undefined, () => 1);
  expect(policy.delayMs(1, broken(true), false)).toBeUndefined();
  expect(policy.delayMs(1, broken(true), true)).toBe(20);
  expect(policy.delayMs(1, broken(false), false)).toBe(20);
  expect(policy.delayMs(1, conflict, false)).toBe(20);
  const unknown = themisError('UNKNOWN_OUTCOME', { message: 'm' });
  expect(policy.delayMs(1, unknown, true)).toBe(20);
  expect(policy.delayMs(1, unknown, false)).toBeUndefined();
  expect(policy.delayMs(1, themisError('BAD_JSON', { message: 'm' }), true)).toBeUndefined();
  expect(policy.delayMs(1, new Error('m'), true)).toBeUndefined();
});

test('what a stop interrupted is repeated when that has no second effect, or it was not begun', () => {
  const policy = new RetryPolicy(undefined, () => 1);
  const stopped = themisError('SHUTTING_DOWN', { message: 'm' });
  expect(policy.delayMs(1, stopped, true)).toBe(20);
  expect(policy.delayMs(1, stopped, false)).toBeUndefined();
  const refused = themisError('SHUTTING_DOWN', { message: 'm', details: { started: false } });
  expect(policy.delayMs(1, refused, false)).toBe(20);
});

test('delays double up to the ceiling, with full jitter, and end', () => {
  const policy = new RetryPolicy({ attemptsMax: 4, delayMsMin: 10, delayMsMax: 25 }, () => 0.5);
  expect([1, 2, 3, 4].map((attempt) => policy.delayMs(attempt, conflict, false))).toEqual([
    5,
    10,
    12.5,
    undefined,
  ]);
});

test('the server’s own waiting time is kept', () => {
  const policy = new RetryPolicy(undefined, () => 0);
  const error = themisError('TOO_MANY_REQUESTS', { message: 'm', retryAfterMs: 500 });
  expect(policy.delayMs(1, error, true)).toBe(500);
});

test('the budget runs dry when most calls fail and fills when they succeed', () => {
  const policy = new RetryPolicy(undefined, () => 0);
  for (let i = 0; i < 10; i++) expect(policy.delayMs(1, conflict, true)).toBe(0);
  expect(policy.delayMs(1, conflict, true)).toBeUndefined();
  for (let i = 0; i < 11; i++) policy.succeeded();
  expect(policy.delayMs(1, conflict, true)).toBe(0);
});
