import { expect, test } from 'vitest';
import { cellValue } from './csv-values.ts';

test.each<[string, unknown]>([
  ['', null],
  ['true', true],
  ['12', 12],
  ['-0.5', -0.5],
  ['1e3', 1000],
  ['007', '007'],
  ['9007199254740993', '9007199254740993'],
  ['1e999', '1e999'],
  [' 1', ' 1'],
  ['NaN', 'NaN'],
  ['True', 'True'],
])('%j becomes %j', (text, value) => {
  expect(cellValue(text, 'infer')).toBe(value);
  expect(cellValue(text, 'string')).toBe(text);
});
