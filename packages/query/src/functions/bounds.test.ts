import type { Value } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { testContext } from '../expression/testing.ts';
import type { EvaluationContext } from '../expression/contract.ts';
import { functionTable } from './table.ts';

// A query must not be able to take the memory or the time of the server in one call.

const limit = 50_000_000;

function bounded(): EvaluationContext {
  let bytes = 0;
  return {
    ...testContext(),
    charge: (amount) => {
      bytes += amount;
      if (bytes > limit) throw new Error('memory');
    },
  };
}

const million = Array.from({ length: 1_000_000 }, (_, i) => i % 7);
const longText = 'a'.repeat(1_000_000);

describe('memory is asked for before it is taken', () => {
  test.each([
    ['UNION', Array.from({ length: 1_000 }, () => million)],
    ['INTERLEAVE', Array.from({ length: 1_000 }, () => million)],
    ['FLATTEN', [Array.from({ length: 1_000 }, () => million)]],
    ['APPEND', [Array.from({ length: 8_000_000 }, () => 1), [1]]],
    ['RANGE', [1, 9_000_000]],
    ['RANGE', [1, 9_000_000, 1]],
    ['REPLACE_NTH', [[], 9_000_000, 1, 1]],
    ['CONCAT', Array.from({ length: 60 }, () => longText)],
    ['CONCAT_SEPARATOR', ['-', ...Array.from({ length: 60 }, () => longText)]],
    ['SUBSTITUTE', [longText, 'a', longText]],
    ['REGEX_REPLACE', [longText, 'a', longText]],
  ])('%s', (name, values) => {
    expect(() => functionTable.get(name)!.call(values, bounded())).toThrow('memory');
  });

  test.each(['TO_STRING', 'JSON_STRINGIFY', 'CONCAT', 'UPPER', 'MD5'])(
    '%s of a huge array',
    (name) => {
      const huge = Array.from({ length: 1_000 }, () => million);
      expect(() => functionTable.get(name)!.call([huge, 1], bounded())).toThrow(
        expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
      );
    },
  );
});

test('strings that never occur are not looked for again and again', () => {
  const searches = ['a', ...Array.from({ length: 50 }, (_, i) => `b${String(i)}`)];
  const call = (name: string, values: readonly Value[]): unknown =>
    functionTable.get(name)!.call(values, testContext());
  expect(call('SUBSTITUTE', [longText, searches, 'x'])).toBe('x'.repeat(1_000_000));
  expect(call('SPLIT', [longText, searches])).toHaveLength(1_000_001);
});
