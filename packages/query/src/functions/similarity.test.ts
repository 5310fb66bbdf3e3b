import { expect, test } from 'vitest';
import { both, bothWays, type Cases } from '../expression/testing.ts';

const T = 'AQL_INVALID_ARGUMENT_TYPE';
const cases: Cases = [
  ['LEVENSHTEIN_DISTANCE("foobar", "bar")', 3],
  ['LEVENSHTEIN_DISTANCE(" ", "")', 1],
  [
    'LEVENSHTEIN_DISTANCE("The quick brown fox jumps over the lazy dog", "The quick black dog jumps over the brown fox")',
    13,
  ],
  ['LEVENSHTEIN_DISTANCE("der mötör trötet", "der trötet")', 6],
  ['LEVENSHTEIN_DISTANCE("ab", "ba")', 1],
  ['LEVENSHTEIN_DISTANCE("😀", "x")', 1],
  ['LEVENSHTEIN_MATCH("ab", "ba", 1)', true],
  ['LEVENSHTEIN_MATCH("ab", "ba", 1, false)', false],
  ['LEVENSHTEIN_MATCH("ab", "ba", -1)', null, T],
  ['NGRAM_SIMILARITY("quick fox", "quick foxx", 2)', 8 / 9],
  ['NGRAM_SIMILARITY("quick fox", "quick foxx", 3)', 7 / 8],
  ['NGRAM_SIMILARITY("quick fox", "quirky fox", 2)', 5 / 9],
  ['NGRAM_SIMILARITY("quick fox", "quirky fox", 3)', 3 / 8],
  ['NGRAM_SIMILARITY("", "", 2)', 1],
  ['NGRAM_SIMILARITY("a", "b", 2)', 0],
  ['NGRAM_POSITIONAL_SIMILARITY("quick fox", "quick foxx", 2)', 8 / 9],
  ['NGRAM_POSITIONAL_SIMILARITY("quick fox", "quick foxx", 3)', 7 / 8],
  ['NGRAM_POSITIONAL_SIMILARITY("ab", "ac", 2)', 0.5],
  ['NGRAM_SIMILARITY("a", "b", 0)', null, T],
  ['NGRAM_SIMILARITY(1, "b", 1)', null, T],
  ['SOUNDEX("example")', 'E251'],
  ['SOUNDEX("ekzampul")', 'E251'],
  ['SOUNDEX("soundex")', 'S532'],
  ['SOUNDEX("sounteks")', 'S532'],
  ['SOUNDEX("  1 a")', 'A000'],
  ['SOUNDEX("")', ''],
];

test.each(cases)('%s', (text, value, warning) => {
  expect(bothWays(text)).toEqual(both(value, warning));
});
