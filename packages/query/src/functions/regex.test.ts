import { expect, test } from 'vitest';
import { both, bothWays, type Cases } from '../expression/testing.ts';

const R = 'AQL_INVALID_REGEX';
const cases: Cases = [
  ['REGEX_TEST("the quick brown fox", "the.*fox")', true],
  ['REGEX_TEST("the quick brown fox", "^(a|the)\\\\s+(quick|slow).*f.x$")', true],
  ['REGEX_TEST("the\\nquick\\nbrown\\nfox", "^the(\\n[a-w]+)+\\nfox$")', true],
  ['REGEX_TEST("ABC", "abc")', false],
  ['REGEX_TEST("ABC", "abc", true)', true],
  ['REGEX_TEST("Å", "\\\\u00c5")', true],
  ['REGEX_TEST("ä", "^\\\\p{L}$")', true],
  ['REGEX_TEST("x", "(a")', null, R],
  ['REGEX_TEST("aa", "(a)\\\\1")', null, R],
  ['REGEX_TEST("x", REPEAT("[^x]{1000}", 20))', null, R],
  ['REGEX_TEST(123, "^1")', true],
  ['REGEX_MATCHES("My-us3r_n4m3", "^[a-z0-9_-]{3,16}$", true)', ['My-us3r_n4m3']],
  ['REGEX_MATCHES("#4d82h4", "^#?([a-f0-9]{6}|[a-f0-9]{3})$", true)', null],
  [
    'REGEX_MATCHES("john@doe.com", "^([a-z0-9_\\\\.-]+)@([\\\\da-z-]+)\\\\.([a-z\\\\.]{2,6})$")',
    ['john@doe.com', 'john', 'doe', 'com'],
  ],
  ['REGEX_MATCHES("b", "(a)?b")', ['b', '']],
  [
    'REGEX_SPLIT("hypertext language, programming", "[\\\\s, ]+")',
    ['hypertext', 'language', 'programming'],
  ],
  ['REGEX_SPLIT("Capture the article", "(the)")', ['Capture ', 'the', ' article']],
  ['REGEX_SPLIT("Don\'t capture the article", "the")', ["Don't capture ", ' article']],
  ['REGEX_SPLIT("cA,Bc,A,BcA,BcA,Bc", "a,b", true, 3)', ['c', 'c,', 'c']],
  ['REGEX_SPLIT("a1b22c", "\\\\d+")', ['a', 'b', 'c']],
  ['REGEX_SPLIT("a😀", "")', ['a', '😀']],
  ['REGEX_SPLIT("abc", "x")', ['abc']],
  ['REGEX_SPLIT("abc", "b", false, 0)', []],
  ['REGEX_REPLACE("the quick brown fox", "the.*fox", "jumped over")', 'jumped over'],
  ['REGEX_REPLACE("An Avocado", "a", "_")', 'An Avoc_do'],
  ['REGEX_REPLACE("An Avocado", "a", "_", true)', '_n _voc_do'],
  ['REGEX_REPLACE("John Smith", "(\\\\w+) (\\\\w+)", "$2, $1")', 'Smith, John'],
  ['REGEX_REPLACE("abc", "b", "$5")', null, R],
  ['REGEX_REPLACE("abc", "b", "$")', null, R],
  ['REGEX_REPLACE("abc", "b", "\\\\$1")', 'a$1c'],
  ['REGEX_REPLACE("abc", "(b)", "$12")', 'ab2c'],
  ['REGEX_REPLACE("abc", "", "-")', '-a-b-c-'],
  ['REGEX_REPLACE("a😀b", "x*", "-")', '-a-😀-b-'],
];

test.each(cases)('%s', (text, value, warning) => {
  expect(bothWays(text)).toEqual(both(value, warning));
});

test('matching time is linear in the text', () => {
  const text = 'REGEX_TEST(CONCAT(REPEAT("a", 20000), "b"), "(a*)*c")';
  expect(bothWays(text)).toEqual(both(false));
});
