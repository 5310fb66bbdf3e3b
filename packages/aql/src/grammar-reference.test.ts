import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseLimits, reservedWords, words } from './index.ts';

const reference = readFileSync(
  new URL('../../../docs/reference/aql-grammar.md', import.meta.url),
  'utf8',
);

test('the reference names the words of the table, and no others', () => {
  const named = new Set([...reference.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!));
  const known = new Set(words.map(({ word }) => word));
  expect([...named].filter((word) => !known.has(word))).toEqual([]);
  // Operators are in the table of powers; NEW, OLD and CURRENT are names.
  const elsewhere = ['AND', 'OR', 'NOT', 'NEW', 'OLD', 'CURRENT'];
  expect([...known].filter((word) => !named.has(word)).sort()).toEqual(elsewhere.sort());
});

test('the reference lists the reserved words', () => {
  const list = /stand: (AGGREGATE[^.]+)\./.exec(reference)![1]!;
  expect(list.split(/,\s+/)).toEqual([...reservedWords]);
});

test('the reference tells the limits', () => {
  const limits = reference.slice(reference.indexOf('## Limits')).replaceAll(',', '');
  const told = [...limits.matchAll(/\d+/g)].map(Number);
  expect(told).toEqual([
    parseLimits.textLengthMax,
    parseLimits.tokensMax,
    parseLimits.nestingMax,
    parseLimits.treeDepthMax,
    parseLimits.clausesMax,
  ]);
});
