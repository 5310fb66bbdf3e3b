import { expect, test } from 'vitest';
import { parse, parseExpression, print, printExpression } from './index.ts';

test('one line, keywords in upper case, no superfluous parentheses or escapes', () => {
  const text = `for u in users filter ((u.age) > 18) and (u.a or u.b) sort (u.name) asc
    let x = 'it\\'s', y = {"a": 1, b, "c d": \`limit\`} return distinct length((for z in zs return z))`;
  expect(print(parse(text))).toBe(
    'FOR u IN users FILTER u.age > 18 && (u.a || u.b) SORT u.name LET x = "it\'s" ' +
      'LET y = { a: 1, b, "c d": `limit` } RETURN DISTINCT LENGTH((FOR z IN zs RETURN z))',
  );
});

test('a clause a line, indented under FOR', () => {
  const text = 'WITH a FOR x IN a FILTER x.y FOR z IN x.zs RETURN z';
  expect(print(parse(text), { lines: true })).toBe(
    'WITH a FOR x IN a\n  FILTER x.y\n  FOR z IN x.zs\n    RETURN z',
  );
});

test.each([
  ['(a - b) - c', 'a - b - c'],
  ['a - (b - c)', 'a - (b - c)'],
  ['(a + b) * c', '(a + b) * c'],
  ['a + (b * c)', 'a + b * c'],
  ['-(a + b)', '-(a + b)'],
  ['(-a).b', '(-a).b'],
  ['(a ? b : c) ? d : e', '(a ? b : c) ? d : e'],
  ['a ? b : (c ? d : e)', 'a ? b : c ? d : e'],
  ['(a ?: b) + c', '(a ?: b) + c'],
  ['(a == b) NOT LIKE c', '(a == b) NOT LIKE c'],
  ['a == (b NOT LIKE c)', 'a == b NOT LIKE c'],
  ['(a ANY == b) && c', 'a ANY == b && c'],
  ['a == (b ANY == c)', 'a == (b ANY == c)'],
  ['(1..3)[0]', '(1..3)[0]'],
  ['(a[*].b)[*].c', '(a[*].b)[*].c'],
  ['a[*].b[*].c', 'a[*].b[*].c'],
  ['(ANY x IN y SATISFIES z) && w', '(ANY x IN y SATISFIES z) && w'],
  ['w && (ANY x IN y SATISFIES z)', 'w && ANY x IN y SATISFIES z'],
  ['1e21 + 9007199254740994', '1e+21 + 9.007199254740994e+15'],
])('%s is printed as %s', (given, printed) => {
  expect(printExpression(parseExpression(given))).toBe(printed);
});
