import { expect, test } from 'vitest';
import { assert, InvariantError, unreachable } from './assert.ts';
import { hasCode, isThemisError, ThemisError } from './error.ts';

test('a failed assertion says why and builds its message only then', () => {
  let built = 0;
  const message = (): string => `built ${++built}`;
  assert(true, message);
  expect(built).toBe(0);
  expect(() => assert(0, message)).toThrow(new InvariantError('built 1'));
  expect(() => unreachable('x' as never, 'colour')).toThrow(/unreachable colour: x/);
});

test('operating errors are recognised by brand and code, invariant errors are not', () => {
  const error = new ThemisError({ code: 'X', kind: 'invalid', message: 'm' });
  expect(isThemisError(error)).toBe(true);
  expect(hasCode(error, 'Y', 'X')).toBe(true);
  expect(hasCode(error, 'Y')).toBe(false);
  expect(isThemisError(new InvariantError('m'))).toBe(false);
  expect(isThemisError({ code: 'X' })).toBe(false);
});
