import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, toText } from '../expression/convert.ts';
import { codePoints } from './characters.ts';
import type { AqlFunction } from './contract.ts';
import { define, define1, define2, finite, wrongType } from './define.ts';

type Context = EvaluationContext;

/** Optimal string alignment over code points; without transpositions plain Levenshtein. */
function editDistance(a: string, b: string, transpositions: boolean, context: Context): number {
  const source = codePoints(a);
  const target = codePoints(b);
  context.charge((source.length + 4 * target.length) * 8);
  const interruptMask = target.length > 1_000 ? 0 : 0x3f;
  let older: number[] = [];
  let last = Array.from({ length: target.length + 1 }, (_, j) => j);
  for (let i = 1; i <= source.length; i++) {
    if ((i & interruptMask) === 0) context.checkInterrupt();
    const row = [i];
    for (let j = 1; j <= target.length; j++) {
      const same = source[i - 1] === target[j - 1];
      let cost = Math.min(last[j - 1]! + (same ? 0 : 1), last[j]! + 1, row[j - 1]! + 1);
      const swapped =
        i > 1 && j > 1 && source[i - 1] === target[j - 2] && source[i - 2] === target[j - 1];
      if (transpositions && swapped) cost = Math.min(cost, older[j - 2]! + 1);
      row.push(cost);
    }
    older = last;
    last = row;
  }
  return last[target.length]!;
}

function levenshteinMatch(values: readonly Value[], context: Context): Value {
  const [text, target, distance, transpositions] = values;
  if (typeof distance !== 'number') return wrongType(context, 'LEVENSHTEIN_MATCH');
  if (transpositions !== undefined && typeof transpositions !== 'boolean') {
    return wrongType(context, 'LEVENSHTEIN_MATCH');
  }
  const swaps = transpositions ?? true;
  // ArangoDB's bound without transpositions.
  if (distance < 0 || (!swaps && distance > 4)) return wrongType(context, 'LEVENSHTEIN_MATCH');
  const [a, b] = [text, target].map((value) => (typeof value === 'string' ? value : ''));
  return editDistance(a!, b!, swaps, context) <= Math.trunc(distance);
}

/**
 * n-gram similarity (Kondrak, "N-gram similarity and distance", 2005). Positional: the longer text
 * counts, and half-equal n-grams count in part; otherwise the target counts and only equal ones do.
 */
function ngramSimilarity(
  values: readonly Value[],
  context: Context,
  how: { readonly name: string; readonly positional: boolean },
): Value {
  const [input, target, sizeValue] = values;
  if (typeof input !== 'string' || typeof target !== 'string') return wrongType(context, how.name);
  if (typeof sizeValue !== 'number') return wrongType(context, how.name);
  const size = toInteger(sizeValue);
  if (size < 1) return wrongType(context, how.name, 'the n-gram size must be 1 or greater.');
  const from = codePoints(input);
  const to = codePoints(target);
  context.charge((from.length + to.length) * 8);
  if (!how.positional) return finite(binarySimilarity(from, to, size, context));
  const [shorter, longer] = to.length > from.length ? [from, to] : [to, from];
  return finite(positionalSimilarity(shorter, longer, size, context));
}

function binarySimilarity(
  source: number[],
  target: number[],
  size: number,
  context: Context,
): number {
  if (target.length < size || source.length < size) {
    return target.length === source.length && target.every((code, i) => code === source[i]) ? 1 : 0;
  }
  const count = target.length - size + 1;
  return alignment(source, target, size, context, (matched) => (matched === size ? 1 : 0)) / count;
}

function positionalSimilarity(
  shorter: number[],
  longer: number[],
  size: number,
  context: Context,
): number {
  if (shorter.length < size) {
    if (longer.length === 0) return 1;
    return shorter.filter((code, i) => code === longer[i]).length / longer.length;
  }
  const count = longer.length - size + 1;
  return alignment(longer, shorter, size, context, (matched) => matched / size) / count;
}

/** The best total weight of n-grams of `target` matched in order with n-grams of `source`. */
function alignment(
  source: readonly number[],
  target: readonly number[],
  size: number,
  context: Context,
  weight: (matched: number) => number,
): number {
  const sourceCount = source.length - size + 1;
  const cache = new Float64Array(sourceCount + 1);
  for (let t = 0; t + size <= target.length; t++) {
    if ((t & 0x3f) === 0x3f) context.checkInterrupt();
    let diagonal = 0;
    for (let s = 0; s < sourceCount; s++) {
      let matched = 0;
      for (let k = 0; k < size; k++) if (target[t + k] === source[s + k]) matched++;
      const above = cache[s + 1]!;
      cache[s + 1] = Math.max(cache[s]!, above, diagonal + weight(matched));
      diagonal = above;
    }
  }
  return cache[sourceCount]!;
}

const soundexGroups = ['bfpv', 'cgjkqsxz', 'dt', 'l', 'mn', 'r'];
const soundexCodes: ReadonlyMap<string, string> = new Map(
  soundexGroups.flatMap((group, i) => [...group].map((letter) => [letter, String(i + 1)] as const)),
);

/** Soundex as ArangoDB has it: every letter without a code separates, h and w included. */
function soundex(value: Value): string {
  const text = toText(value).toLowerCase();
  const first = text.search(/[a-z]/);
  if (first < 0) return '';
  let out = text[first]!.toUpperCase();
  let previous: string | undefined;
  for (let i = first + 1; i < text.length && out.length < 4; i++) {
    const code = soundexCodes.get(text[i]!);
    if (code !== undefined && code !== previous) out += code;
    previous = code;
  }
  return out.padEnd(4, '0');
}

export const similarityFunctions: readonly AqlFunction[] = [
  define2(
    'LEVENSHTEIN_DISTANCE(first, second) → number',
    'Edits between two strings: insertions, deletions, replacements, swaps of neighbours.',
    (first, second, context) => editDistance(toText(first), toText(second), true, context),
  ),
  define(
    'LEVENSHTEIN_MATCH(text, target, distance, transpositions?, maxTerms?, prefix?) → bool',
    'Whether two strings are at most so many edits apart.',
    levenshteinMatch,
  ),
  define(
    'NGRAM_SIMILARITY(text, target, size) → number',
    'How much of the n-grams of the target the text has in order, 0 to 1.',
    (values, context) =>
      ngramSimilarity(values, context, { name: 'NGRAM_SIMILARITY', positional: false }),
  ),
  define(
    'NGRAM_POSITIONAL_SIMILARITY(text, target, size) → number',
    'As NGRAM_SIMILARITY(), relative to the longer text, half-equal n-grams in part.',
    (values, context) =>
      ngramSimilarity(values, context, { name: 'NGRAM_POSITIONAL_SIMILARITY', positional: true }),
  ),
  define1('SOUNDEX(text) → string', 'The Soundex code of how a word sounds in English.', soundex),
];
