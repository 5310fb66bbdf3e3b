import { expect, test } from 'vitest';
import { both, bothWays, evaluate, testNowMs, type Cases } from '../expression/testing.ts';

const T = 'AQL_INVALID_ARGUMENT_TYPE';
const cases: Cases = [
  ['NOT_NULL(null, null, 0, 1)', 0],
  ['NOT_NULL(null)', null],
  ['FIRST_LIST(1, [2], [3])', [2]],
  ['FIRST_DOCUMENT([1], {a: 1})', { a: 1 }],
  ['FIRST_DOCUMENT(1)', null],
  ['MIN_MATCH(true, 1 > 2, 5, 2)', true],
  ['MIN_MATCH(true, 1 > 2, null, 2)', false],
  ['MIN_MATCH(true, "x")', null, T],
  ['IN_RANGE(4, 1, 4, true, true)', true],
  ['IN_RANGE(4, 1, 4, true, false)', false],
  ['IN_RANGE("foo", "a", "g", true, true)', true],
  ['IN_RANGE(1, 0, 2, 1, true)', null, T],
  ['PASSTHRU([1])', [1]],
  ['NOOPT(1 + 1)', 2],
  ['NOEVAL("x")', 'x'],
  ['ASSERT(true, "no")', true],
  ['ASSERT(true, 1)', null, T],
  ['WARN(1 == 1, "no")', true],
  ['WARN(1 == 2, "no")', false, 'AQL_USER_WARNING'],
  ['CURRENT_DATABASE()', 'testing'],
  ['CALL("SUBSTRING", "this is a test", 0, 4)', 'this'],
  ['APPLY("SUBSTRING", ["this is a test", 0, 7])', 'this is'],
  ['CALL("substring", "abc", 1)', 'bc'],
  ['CALL("SUBSTRING")', null, 'AQL_FUNCTION_ARGUMENTS'],
  ['APPLY("PI")', Math.PI],
  ['APPLY("PI", 1)', null, T],
  ['CALL(1)', null, T],
  ['DATE_NOW()', testNowMs],
];

test.each(cases)('%s', (text, value, warning) => {
  expect(bothWays(text)).toEqual(both(value, warning));
});

test.each([
  ['FAIL()', 'AQL_FAIL'],
  ['FAIL("why")', 'AQL_FAIL'],
  ['ASSERT(false, "why")', 'AQL_FAIL'],
  ['CALL("NO_SUCH")', 'AQL_UNKNOWN_FUNCTION'],
  ['CALL("CALL", "PI")', 'AQL_UNKNOWN_FUNCTION'],
  ['REPLACE_NTH([1], null, 2)', 'AQL_INVALID_ARGUMENT'],
  ['REPLACE_NTH([1], 3, 2)', 'AQL_INVALID_ARGUMENT'],
])('%s ends the query', (text, code) => {
  expect(() => evaluate(text)).toThrow(expect.objectContaining({ code }));
});

test('a failing function in a branch not taken does not matter', () => {
  expect(evaluate('true ? 1 : FAIL()').value).toBe(1);
  expect(evaluate('false && FAIL()').value).toBe(false);
});
