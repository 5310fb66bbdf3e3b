import { hasCode, isThemisError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { parse, parseExpression, parseLimits, positionAt, reservedWords, words } from './index.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isThemisError(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

test('clauses carry their span', () => {
  const query = parse('  FOR u IN users FILTER u.age > 18 RETURN u // end');
  expect(query.span).toEqual({ start: 2, end: 43 });
  expect(query.clauses.map((clause) => clause.span)).toEqual([
    { start: 2, end: 16 },
    { start: 17, end: 34 },
    { start: 35, end: 43 },
  ]);
});

test('a refusal names position, what was found and expected, and ArangoDB’s error number', () => {
  try {
    parse('FOR u IN users\n  FITLER u RETURN u');
    expect.unreachable();
  } catch (error) {
    if (!hasCode(error, 'AQL_PARSE')) throw error;
    expect(error.position).toEqual({ line: 2, column: 3, offset: 17 });
    expect(error.details).toMatchObject({
      found: 'name "FITLER"',
      suggestion: 'FILTER',
      arangoErrorNum: 1501,
    });
  }
});

test.each([
  ['FOR x IN xs', true],
  ['FOR x IN xs FILTER x.a ==', true],
  ['RETURN [1, { a: "b', true],
  ['RETURN 1 /* more', true],
  ['FOR x IN xs FITLER x', false],
  ['RETURN 1 2', false],
  ['RETURN a.b.c & ', false],
  ['COLLECT AGGREGATE a = 1', false],
])('%j is incomplete: %s', (text, incomplete) => {
  try {
    parse(text);
    expect.unreachable();
  } catch (error) {
    if (!hasCode(error, 'AQL_PARSE')) throw error;
    expect(error.details['incomplete'] ?? false).toBe(incomplete);
  }
});

test('literals are not shown in messages: they may be data', () => {
  try {
    parse('RETURN 1 "very secret"');
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain('secret');
    expect(JSON.stringify(error)).not.toContain('secret');
  }
});

test('keywords in any case are the same query', () => {
  const text =
    'for x in c filter x like null and not x.b sort x desc limit 1 return distinct x at least (2) == 1';
  const upper = text.replaceAll(/[a-z]{2,}/g, (word) => word.toUpperCase());
  const mixed = text.replaceAll(/\b[a-z](?=[a-z])/g, (letter) => letter.toUpperCase());
  expect(parse(upper)).toEqual(parse(text));
  expect(parse(mixed)).toEqual(parse(text));
  expect(upper).not.toBe(mixed);
});

test.each(reservedWords)('%s must be quoted to be a name, but not as an attribute', (word) => {
  expect(codeOf(() => parse(`FOR ${word} IN c RETURN 1`))).toBe('AQL_PARSE');
  const isLiteral = word === 'NULL' || word === 'TRUE' || word === 'FALSE';
  expect(codeOf(() => parse(`RETURN [${word}]`))).toBe(isLiteral ? 'accepted' : 'AQL_PARSE');
  expect(parseExpression(`\`${word}\``)).toMatchObject({ type: 'Reference', name: word });
  expect(parseExpression(`a.${word}`)).toMatchObject({ type: 'Member', name: word });
  expect(parseExpression(`{ ${word}: 1 }`)).toMatchObject({
    properties: [{ name: word, shorthand: false }],
  });
});

test('contextual words are names everywhere', () => {
  for (const { word } of words.filter(({ reserved }) => !reserved)) {
    const text = `FOR ${word} IN ${word} FILTER ${word}.${word} COLLECT a = ${word} RETURN ${word}(${word}, { ${word} })`;
    expect(
      codeOf(() => parse(text)),
      text,
    ).toBe('accepted');
  }
});

test('line and column count from 1; a line ends with LF', () => {
  expect(positionAt('', 0)).toEqual({ line: 1, column: 1, offset: 0 });
  expect(positionAt('a\r\nbc', 4)).toEqual({ line: 2, column: 2, offset: 4 });
  expect(positionAt('a\nb', 1)).toEqual({ line: 1, column: 2, offset: 1 });
  expect(positionAt('a\n\n', 3)).toEqual({ line: 3, column: 1, offset: 3 });
});

test('names of objects are no keywords', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    expect(codeOf(() => parse(`FOR ${name} x`))).toBe('AQL_PARSE');
    expect(codeOf(() => parse(`${name} x`))).toBe('AQL_PARSE');
    expect(parseExpression(`{ ${name}: 1 }`)).toMatchObject({ properties: [{ name }] });
  }
});

describe('hostile size', () => {
  const deep: Record<string, (n: number) => string> = {
    parentheses: (n) => `${'('.repeat(n)}1${')'.repeat(n)}`,
    'sums in parentheses': (n) => `${'1+('.repeat(n)}1${')'.repeat(n)}`,
    arrays: (n) => '['.repeat(n) + ']'.repeat(n),
    objects: (n) => `${'{a:'.repeat(n)}1${'}'.repeat(n)}`,
    'computed keys': (n) => `${'{[1+'.repeat(n)}1${']:1}'.repeat(n)}`,
    signs: (n) => `${'-'.repeat(n)}1`,
    negations: (n) => `${'NOT '.repeat(n)}1`,
    subqueries: (n) => `${'(RETURN '.repeat(n)}1${')'.repeat(n)}`,
    'subqueries in FOR': (n) => `${'(FOR x IN '.repeat(n)}1${' RETURN x)'.repeat(n)}`,
    calls: (n) => 'f('.repeat(n) + ')'.repeat(n),
    'right ternaries': (n) => `${'1?2:'.repeat(n)}1`,
    'middle ternaries': (n) => `${'1?'.repeat(n)}1${':1'.repeat(n)}`,
    'NOT LIKE': (n) => `${'a NOT LIKE '.repeat(n)}1`,
    indexes: (n) => `${'a['.repeat(n)}1${']'.repeat(n)}`,
    expansions: (n) => `${'a[* FILTER '.repeat(n)}1${']'.repeat(n)}`,
    'array tests': (n) => `${'a[? AT LEAST ('.repeat(n)}1${') FILTER 1]'.repeat(n)}`,
    conditions: (n) => `${'ANY x IN y SATISFIES '.repeat(n)}1`,
    'open ends': (n) => '(['.repeat(n),
    // Chains nest the tree, not the text.
    sums: (n) => `1${'+1'.repeat(n)}`,
    alternatives: (n) => `a${' || a'.repeat(n)}`,
    members: (n) => `a${'.a'.repeat(n)}`,
    'chained expansions': (n) => `a${'[*]'.repeat(n)}`,
    ranges: (n) => `1${'..1'.repeat(n)}`,
  };

  test.each(Object.entries(deep))('%s: 100,000 are refused, 100 are fine', (_, text) => {
    expect(codeOf(() => parseExpression(text(100_000)))).toBe('AQL_TOO_DEEP');
    if (text !== deep['open ends'])
      expect(codeOf(() => parseExpression(text(100)))).toBe('accepted');
  });

  test('breadth is no depth', () => {
    const list = Array.from({ length: 20_000 }, (_, i) => `{ id: ${i}, a: -x.y[0] + f(1) }`);
    expect(codeOf(() => parse(`RETURN [${list.join()}]`))).toBe('accepted');
    expect(codeOf(() => parse(`RETURN f(${list.join()})`))).toBe('accepted');
    const sums = Array.from({ length: 300 }, () => `(1${'+1'.repeat(500)})`);
    expect(codeOf(() => parse(`RETURN [${sums.join()}]`))).toBe('accepted');
  });

  test('text, tokens and clauses are bounded', () => {
    expect(codeOf(() => parse('RETURN 12345', { textLengthMax: 11 }))).toBe('AQL_TOO_DEEP');
    expect(codeOf(() => parse('RETURN 1 + 1', { tokensMax: 3 }))).toBe('AQL_TOO_DEEP');
    expect(codeOf(() => parse('RETURN 1 + 1', { tokensMax: 5 }))).toBe('accepted');
    const lets = `LET a = 1 ${', b = 1 '.repeat(parseLimits.clausesMax)} RETURN 1`;
    expect(codeOf(() => parse(lets))).toBe('AQL_TOO_DEEP');
    expect(codeOf(() => parse('LET a = 1 RETURN 1', { clausesMax: 2 }))).toBe('accepted');
    expect(codeOf(() => parse('LET a = 1 RETURN 1', { clausesMax: 1 }))).toBe('AQL_TOO_DEEP');
  });

  test('an earlier fault of the grammar wins over a later one of the lexer', () => {
    expect(codeOf(() => parse('FOR FOR 1e999'))).toBe('AQL_PARSE');
    expect(() => parse('FOR x y "open')).toThrow('expected IN');
    expect(() => parse('FOR x IN "open')).toThrow('not closed');
  });
});
