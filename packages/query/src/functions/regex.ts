import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, toText, truthy } from '../expression/convert.ts';
import { tryRegex, type Regex } from '../expression/regex.ts';
import type { AqlFunction } from './contract.ts';
import { chargeText, define, warned, wrongType } from './define.ts';

type Context = EvaluationContext;

function regexFor(
  pattern: Value,
  ignoreCase: Value | undefined,
  context: Context,
): Regex | undefined {
  return tryRegex(toText(pattern), truthy(ignoreCase ?? null), context);
}

function regexTest(values: readonly Value[], context: Context): Value {
  const regex = regexFor(values[1]!, values[2], context);
  return regex === undefined ? null : regex.matcher(toText(values[0]!)).find();
}

/** The match and its groups; groups that took no part are "", as in ArangoDB. */
function regexMatches(values: readonly Value[], context: Context): Value {
  const regex = regexFor(values[1]!, values[2], context);
  if (regex === undefined) return null;
  const matcher = regex.matcher(toText(values[0]!));
  if (!matcher.find()) return null;
  const out: Value[] = [];
  for (let i = 0; i <= matcher.groupCount(); i++) out.push(matcher.group(i) ?? '');
  return out;
}

function regexReplace(values: readonly Value[], context: Context): Value {
  const regex = regexFor(values[1]!, values[3], context);
  if (regex === undefined) return null;
  const text = toText(values[0]!);
  const matcher = regex.matcher(text);
  const template = tryTemplate(toText(values[2]!), matcher.groupCount());
  if (template === undefined) {
    return warned(context, 'REGEX_REPLACE', 'AQL_INVALID_REGEX', 'no such group to replace with.');
  }
  let out = '';
  let from = 0;
  for (let count = 0; matcher.find(); count++) {
    if ((count & 0xff) === 0xff) context.checkInterrupt();
    let replacement = '';
    for (const part of template) {
      replacement += typeof part === 'string' ? part : (matcher.group(part) ?? '');
    }
    chargeText(text.length + out.length + replacement.length, context);
    out += text.slice(from, matcher.start()) + replacement;
    from = matcher.end();
  }
  return out + text.slice(from);
}

/**
 * A replacement as literal texts and group numbers: `$1` stands for a group, with as many digits as
 * make one that exists, and a backslash takes the next character literally.
 */
function tryTemplate(text: string, groups: number): readonly (string | number)[] | undefined {
  const parts: (string | number)[] = [];
  let literal = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$') {
      if (text[i] === '\\') i++;
      literal += text[i] ?? '';
      continue;
    }
    const digits = longestGroup(text, i + 1, groups);
    if (digits === '') return undefined;
    parts.push(literal, Number(digits));
    literal = '';
    i += digits.length;
  }
  return [...parts, literal];
}

function longestGroup(text: string, at: number, groups: number): string {
  let end = at;
  while (/^\d$/.test(text[end] ?? '') && Number(text.slice(at, end + 1)) <= groups) end++;
  return text.slice(at, end);
}

/** Captured groups are kept between the parts. */
function regexSplit(values: readonly Value[], context: Context): Value {
  const [value, pattern, ignoreCase, limitValue] = values;
  if (limitValue !== undefined && typeof limitValue !== 'number') {
    return wrongType(context, 'REGEX_SPLIT', 'the limit must be a number.');
  }
  const limit = limitValue === undefined ? Infinity : toInteger(limitValue);
  if (limit < 0) return null;
  if (limit === 0) return [];
  const regex = regexFor(pattern!, ignoreCase, context);
  if (regex === undefined) return null;
  const text = toText(value!);
  if (toText(pattern!) === '') return [...text].slice(0, limit);
  return splitByRegex(regex, text).slice(0, limit);
}

function splitByRegex(regex: Regex, text: string): string[] {
  const out: string[] = [];
  const matcher = regex.matcher(text);
  let from = 0;
  while (matcher.find()) {
    // An empty match at the start would make a part out of nothing.
    if (
      matcher.end() === 0 ||
      (matcher.end() === matcher.start() && matcher.end() === text.length)
    ) {
      continue;
    }
    out.push(text.slice(from, matcher.start()));
    for (let i = 1; i <= matcher.groupCount(); i++) out.push(matcher.group(i) ?? '');
    from = matcher.end();
  }
  out.push(text.slice(from));
  return out;
}

export const regexFunctions: readonly AqlFunction[] = [
  define(
    'REGEX_TEST(text, regex, caseInsensitive?) → bool',
    'Whether the regular expression (RE2 syntax) matches anywhere in the text.',
    regexTest,
  ),
  define(
    'REGEX_MATCHES(text, regex, caseInsensitive?) → array',
    'The first match and its groups, or null.',
    regexMatches,
  ),
  define(
    'REGEX_SPLIT(text, regex, caseInsensitive?, limit?) → array',
    'The parts between the matches, with captured groups.',
    regexSplit,
  ),
  define(
    'REGEX_REPLACE(text, regex, replacement, caseInsensitive?) → string',
    'Replaces all matches; $1 in the replacement is the first group.',
    regexReplace,
  ),
];
