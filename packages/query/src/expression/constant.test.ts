import { parseExpression } from '@themisdb/aql';
import { makeObject, type Value } from '@themisdb/base';
import { expect, test } from 'vitest';
import { constantValue, foldConstants, isConstant } from './constant.ts';
import { compileExpression } from './compile.ts';
import { testContext, testScope } from './testing.ts';

const binds: Record<string, Value> = { n: 2, list: [1, 2, 3], name: 'a' };
const scope = { bind: (name: string): Value | undefined => binds[name] };

test.each([
  ['1 + 2', true],
  ['@n * 2', true],
  ['[1, @n, {a: UPPER("x")}]', true],
  ['@list[* FILTER CURRENT > 1]', true],
  ['ANY x IN @list SATISFIES x > @n', true],
  ['doc.a + 1', false],
  ['CURRENT', false],
  ['CURRENT[* FILTER CURRENT > 1]', false],
  ['ANY x IN x SATISFIES x > @n', false],
  ['@list[* RETURN @list[* FILTER CURRENT > 1]]', true],
  ['RAND()', false],
  ['DATE_NOW() - 1', false],
  ['[1, RAND()]', false],
  ['(FOR x IN [1] RETURN x)', false],
  ['@list[* RETURN doc]', false],
  ['@list[? doc.n FILTER true]', false],
  ['@list AT LEAST (doc.n) == 1', false],
  ['@list[? 1..doc.n FILTER true]', false],
])('%s is constant: %s', (text, constant) => {
  expect(isConstant(parseExpression(text))).toBe(constant);
});

test.each<[string, Value]>([
  ['1 + 2', 3],
  ['@list[* FILTER CURRENT >= @n]', [2, 3]],
  ['{[@name]: [null, -1.5, true]}', { a: [null, -1.5, true] }],
  ['1..3', [1, 2, 3]],
  ['null', null],
])('the value of %s', (text, value) => {
  expect(constantValue(parseExpression(text), scope)).toEqual(value);
});

test.each(['1 / 0', 'FAIL()', '1..5000000', 'REPEAT("x", 1000000)', 'ROUND("x") == doc'])(
  '%s is left to the run',
  (text) => {
    expect(constantValue(parseExpression(text), scope)).toBeUndefined();
  },
);

test.each([
  ['doc.a == 1 + 2', 'doc.a == 3'],
  ['doc.a IN [@n, @n + 1]', 'doc.a IN [2, 3]'],
  ['doc.a > -(3 - 5) && 1 / 0', 'doc.a > 2 && 1 / 0'],
  ['doc[CONCAT("a", "b")].c', 'doc["ab"].c'],
  [
    'doc[* FILTER CURRENT > 1 + 1 LIMIT 1 + 1 RETURN [2 * 2]]',
    'doc[* FILTER CURRENT > 2 LIMIT 2 RETURN [4]]',
  ],
  ['doc[? 1 + 1 FILTER CURRENT == 1]', 'doc[? 2 FILTER CURRENT == 1]'],
  ['doc ALL == 1 + 1', 'doc ALL == 2'],
  ['doc[? 1 + 1..3 FILTER true]', 'doc[? 2..3 FILTER true]'],
  ['doc AT LEAST (1 + 1) == 1', 'doc AT LEAST (2) == 1'],
  ['doc ? 1 + 1 : {a: 1 + 1, b: doc}', 'doc ? 2 : {a: 2, b: doc}'],
  ['LENGTH(doc) + LENGTH("abc")', 'LENGTH(doc) + 3'],
])('%s folds to %s', (text, folded) => {
  const actual = withoutSpans(foldConstants(parseExpression(text), scope));
  expect(actual).toEqual(withoutSpans(parseExpression(folded)));
});

test('a long chain is folded in reasonable time', () => {
  const text = Array.from({ length: 900 }, (_, i) => `doc.a != ${String(i)} + 1`).join(' && ');
  const node = parseExpression(text);
  expect(JSON.stringify(foldConstants(node, scope))).not.toContain('"+"');
  expect(isConstant(node)).toBe(false);
});

test('literals and parameters that stand alone stay as they are', () => {
  for (const text of [
    '1',
    '"x"',
    '[1, [2, @n]]',
    '@list',
    'doc.a',
    '(FOR x IN [1 + 1] RETURN x)',
  ]) {
    const node = parseExpression(text);
    expect(withoutSpans(foldConstants(node, scope)), text).toEqual(withoutSpans(node));
  }
});

test('a folded expression has the value of the original', () => {
  const doc = makeObject();
  doc['a'] = 3;
  for (const text of [
    'doc.a * (2 + 3) - @n',
    '{x: doc, y: [1 + 1, -(2)]}',
    '-5 % (1 + 1) + doc.a',
  ]) {
    const node = parseExpression(text);
    const run = (expression: typeof node): Value =>
      compileExpression(expression, testScope({ variables: { doc }, binds }))([doc], testContext());
    expect(run(foldConstants(node, scope)), text).toEqual(run(node));
  }
});

function withoutSpans(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (name, value: unknown) => (name === 'span' ? undefined : value)),
  );
}
