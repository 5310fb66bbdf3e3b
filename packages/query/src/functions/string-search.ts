import { isArray, isObject, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, toText, truthy } from '../expression/convert.ts';
import { compileLike, type TextTest } from '../expression/like.ts';
import { characterCount, characterPosition } from './characters.ts';
import type { AqlFunction } from './contract.ts';
import { chargeText, define, wrongType } from './define.ts';

function contains(values: readonly Value[]): Value {
  const text = toText(values[0]!);
  const search = toText(values[1]!);
  const index = search === '' ? -1 : text.indexOf(search);
  if (!truthy(values[2] ?? null)) return index >= 0;
  return index < 0 ? -1 : characterPosition(text, index);
}

/** FIND_FIRST and FIND_LAST count characters; `end` is the last one a match may touch. */
function find(values: readonly Value[], last: boolean): Value {
  const text = toText(values[0]!);
  const search = toText(values[1]!);
  const length = characterCount(text);
  const start = values.length > 2 ? toInteger(values[2]!) : 0;
  const endGiven = values.length > 3 && values[3] !== null;
  const end = endGiven ? toInteger(values[3]!) : length;
  if (start < 0 || end < 0 || (endGiven && end < start)) return -1;
  if (search === '') return last ? end + (endGiven ? 1 : 0) : start;
  const window = [...text].slice(start, end + 1).join('');
  const index = last ? window.lastIndexOf(search) : window.indexOf(search);
  return index < 0 ? -1 : start + characterPosition(window, index);
}

const likeCacheMax = 256;
const cachedLengthMax = 1_000;
const likeCache = new Map<string, TextTest>();

function likeTest(pattern: string, ignoreCase: boolean): TextTest {
  const key = `${ignoreCase ? 'i' : 's'}${pattern}`;
  let test = likeCache.get(key);
  if (test === undefined) {
    test = compileLike(pattern, ignoreCase);
    if (key.length > cachedLengthMax) return test;
    if (likeCache.size >= likeCacheMax) likeCache.delete(likeCache.keys().next().value!);
    likeCache.set(key, test);
  }
  return test;
}

function startsWith(values: readonly Value[], context: EvaluationContext): Value {
  const [text, prefixes, countValue] = values;
  if (typeof text !== 'string') return wrongType(context, 'STARTS_WITH');
  if (typeof prefixes === 'string' && countValue === undefined) return text.startsWith(prefixes);
  if (!isArray(prefixes)) return wrongType(context, 'STARTS_WITH');
  const needed = countValue === undefined ? 1 : toInteger(countValue);
  if (needed < 0) return wrongType(context, 'STARTS_WITH', 'the count must not be negative.');
  const matched = prefixes.filter(
    (prefix) => typeof prefix === 'string' && text.startsWith(prefix),
  );
  return matched.length >= needed;
}

/** Separators are literal strings, one or several; the empty one splits into characters. */
function split(values: readonly Value[], context: EvaluationContext): Value {
  const [value, separator, limitValue] = values;
  if (limitValue !== undefined && typeof limitValue !== 'number') {
    return wrongType(context, 'SPLIT', 'the limit must be a number.');
  }
  const limit = limitValue === undefined ? Infinity : toInteger(limitValue);
  if (limit < 0) return null;
  if (limit === 0) return [];
  if (isObject(separator)) return wrongType(context, 'SPLIT');
  if (separator === undefined) return [value!];
  const text = toText(value!);
  const separators = isArray(separator) ? separator.map(toText) : [toText(separator)];
  const parts = splitText(text, separators, limit);
  context.charge(parts.length * 16);
  return parts;
}

function splitText(text: string, separators: readonly string[], limit: number): string[] {
  if (separators.includes('')) return [...text].slice(0, limit);
  const next = finder(text, separators);
  const out: string[] = [];
  let from = 0;
  while (out.length < limit) {
    const found = next(from);
    if (found === undefined) {
      out.push(text.slice(from));
      break;
    }
    out.push(text.slice(from, found.index));
    from = found.index + separators[found.which]!.length;
  }
  return out;
}

interface Found {
  readonly index: number;
  readonly which: number;
}

/**
 * Finds the first of several strings from a position that only grows; of those at one place the one
 * listed first. Each string is looked for once over the whole text.
 */
function finder(text: string, searches: readonly string[]): (from: number) => Found | undefined {
  const positions = searches.map((search) => text.indexOf(search));
  return (from) => {
    let best: Found | undefined;
    for (let which = 0; which < searches.length; which++) {
      let index = positions[which]!;
      if (index >= 0 && index < from) {
        index = text.indexOf(searches[which]!, from);
        positions[which] = index;
      }
      if (index >= 0 && (best === undefined || index < best.index)) best = { index, which };
    }
    return best;
  };
}

interface Substitution {
  readonly searches: readonly string[];
  readonly replacements: readonly string[];
  readonly limit: number;
}

function substitute(values: readonly Value[], context: EvaluationContext): Value {
  const plan = isObject(values[1]) ? mappedSubstitution(values) : listedSubstitution(values);
  if (plan === undefined) return wrongType(context, 'SUBSTITUTE');
  const text = toText(values[0]!);
  const next = finder(text, plan.searches);
  let out = '';
  let from = 0;
  for (let count = 0; count < plan.limit; count++) {
    const found = next(from);
    if (found === undefined) break;
    const replacement = plan.replacements[found.which] ?? '';
    if ((count & 0xff) === 0xff) context.checkInterrupt();
    chargeText(text.length + out.length + replacement.length, context);
    out += text.slice(from, found.index) + replacement;
    from = found.index + plan.searches[found.which]!.length;
  }
  return out + text.slice(from);
}

function mappedSubstitution(values: readonly Value[]): Substitution | undefined {
  const mapping = values[1];
  if (!isObject(mapping) || values.length > 3) return undefined;
  const replacements = texts(Object.values(mapping), true);
  if (replacements === undefined) return undefined;
  return withoutEmpty(Object.keys(mapping), replacements, limitOf(values[2]));
}

function listedSubstitution(values: readonly Value[]): Substitution | undefined {
  const [, search, replace, limit] = values;
  const searches = texts(isArray(search) ? search : [search!], false);
  if (searches === undefined) return undefined;
  if (replace === undefined) return withoutEmpty(searches, [], limitOf(limit));
  if (typeof replace === 'string') {
    return withoutEmpty(
      searches,
      searches.map(() => replace),
      limitOf(limit),
    );
  }
  const replacements = isArray(replace) ? texts(replace, true) : undefined;
  return replacements && withoutEmpty(searches, replacements, limitOf(limit));
}

function limitOf(value: Value | undefined): number {
  const limit = value === undefined ? -1 : toInteger(value);
  return limit < 0 ? Infinity : limit;
}

function texts(values: readonly Value[], nullIsEmpty: boolean): string[] | undefined {
  const out: string[] = [];
  for (const value of values) {
    if (typeof value === 'string') out.push(value);
    else if (value === null && nullIsEmpty) out.push('');
    else return undefined;
  }
  return out;
}

/** Empty search strings match nothing here. */
function withoutEmpty(
  searches: readonly string[],
  replacements: readonly string[],
  limit: number,
): Substitution {
  const kept = searches.map((_, i) => i).filter((i) => searches[i] !== '');
  return {
    searches: kept.map((i) => searches[i]!),
    replacements: kept.map((i) => replacements[i] ?? ''),
    limit,
  };
}

export const stringSearchFunctions: readonly AqlFunction[] = [
  define(
    'CONTAINS(text, search, returnIndex?) → bool',
    'Whether the text holds the search string; with returnIndex its position, or -1.',
    contains,
  ),
  define(
    'FIND_FIRST(text, search, start?, end?) → number',
    'The position of the first occurrence, or -1.',
    (values) => find(values, false),
  ),
  define(
    'FIND_LAST(text, search, start?, end?) → number',
    'The position of the last occurrence, or -1.',
    (values) => find(values, true),
  ),
  define(
    'LIKE(text, pattern, caseInsensitive?) → bool',
    'Whether the text matches a pattern of _ (one character) and % (any number).',
    (values) => likeTest(toText(values[1]!), truthy(values[2] ?? null))(toText(values[0]!)),
  ),
  define(
    'STARTS_WITH(text, prefixes, minMatchCount?) → bool',
    'Whether the text starts with the prefix, or with so many of an array of prefixes.',
    startsWith,
  ),
  define(
    'SPLIT(text, separator?, limit?) → array',
    'The parts between a separator, or between any of several; "" splits into characters.',
    split,
  ),
  define(
    'SUBSTITUTE(text, search, replace?, limit?) → string',
    'Replaces strings; search may be an array, or an object from search to replacement.',
    substitute,
  ),
];
