import { readFileSync } from 'node:fs';
import { Prng } from '@themisdb/base';
import { parseScript } from '@themisdb/testing';
import { expect, test } from 'vitest';
import { parse, parseTolerant, print } from './index.ts';

function read(text: string): { clauses: string; at: string[] } {
  const { query, diagnostics } = parseTolerant(text);
  return {
    clauses: query === undefined ? '' : print(query),
    at: diagnostics.map((d) => `${d.position.line}:${d.position.column} ${d.suggestion ?? d.code}`),
  };
}

test('a right query has no diagnostics and the tree of parse', () => {
  const text = 'EXPLAIN WITH a FOR x IN a LET y = 1, z = 2 RETURN x';
  expect(parseTolerant(text)).toEqual({ query: parse(text), diagnostics: [] });
});

test('wrong clauses are reported and left out', () => {
  const text = 'FOR u IN users\n  FITLER u.age > 18\n  SORT u.name,\n  LIMIT 10\n  RETURN u';
  expect(read(text)).toEqual({
    clauses: 'FOR u IN users LIMIT 10 RETURN u',
    at: ['2:3 FILTER', '4:3 AQL_PARSE'],
  });
});

test('clauses of a subquery do not end the recovery', () => {
  expect(read('LET a = (FOR x IN xs FILTER x = 1 RETURN x) FILTER a RETURN a')).toEqual({
    clauses: 'FILTER a RETURN a',
    at: ['1:31 AQL_PARSE'],
  });
});

test('an open bracket ends where a line starts with a clause', () => {
  expect(read('FOR x IN [1, 2\nFILTER x > 1\nRETURN x')).toEqual({
    clauses: 'FILTER x > 1 RETURN x',
    at: ['2:1 AQL_PARSE'],
  });
});

test('what is no token ends the reading', () => {
  expect(read('FOR x IN xs FILTER x == "open RETURN x')).toEqual({
    clauses: 'FOR x IN xs',
    at: ['1:25 AQL_PARSE'],
  });
});

test('the end is required, clauses after RETURN are reported and read', () => {
  expect(read('FOR x IN xs')).toEqual({ clauses: 'FOR x IN xs', at: ['1:12 AQL_PARSE'] });
  expect(read('RETURN 1 SORT x LIMIT 1').at[0]).toBe('1:10 AQL_PARSE');
  expect(read('').at).toEqual(['1:1 AQL_EMPTY']);
  expect(read('LIVE RETURN 1').at).toEqual(['1:1 AQL_PARSE']);
});

test('never throws, ends, and reports exactly what parse refuses, seed 11', () => {
  const random = new Prng(11);
  const corpus = ['clauses.txt', 'errors.txt', 'modifications.txt'].flatMap((file) => {
    const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
    return parseScript(text, file).map(({ input }) => input);
  });
  for (let round = 0; round < 3000; round++) {
    const text = random.pick(corpus);
    const from = random.below(text.length + 1);
    const cut = text.slice(0, from) + text.slice(from + random.below(6));
    const { diagnostics } = parseTolerant(cut);
    let isRight = true;
    try {
      parse(cut);
    } catch {
      isRight = false;
    }
    expect(diagnostics.length === 0, cut).toBe(isRight);
    expect(diagnostics.length).toBeLessThanOrEqual(20);
  }
});
