import { expect, test } from 'vitest';
import { completions } from './completion.ts';
import { isComplete } from './is-complete.ts';

test.each([
  ['RETURN 1', true],
  ['FOR d IN films', false],
  ['FOR d IN films\nRETURN d', true],
  ['FOR d IN films RETURN {a: ', false],
  ['RETURN "unclosed', false],
  ['FITLER', true],
  ['FOR d IN IN films', true],
  ['FOR d IN films;', true],
  ['.help', true],
  ['', true],
])('%j complete: %s', (text, expected) => {
  expect(isComplete(text)).toBe(expected);
});

test('completes words of the language, functions and collections', () => {
  expect(completions('FOR f IN fil', ['films', 'filters'])[0]).toEqual([
    'films',
    'filters',
    'FILTER ',
  ]);
  expect(completions('RETURN UPP', [])).toEqual([['UPPER('], 'UPP']);
  expect(completions('.ex', [])[0]).toEqual(['.explain ', '.exit']);
});
