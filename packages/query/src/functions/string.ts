import { isArray, utf8Decode, utf8Encode, type Value } from '@themisdb/base';
import { toInteger, toText } from '../expression/convert.ts';
import type { EvaluationContext } from '../expression/contract.ts';
import { characterCount, unitIndex, unitIndexFromEnd } from './characters.ts';
import type { AqlFunction } from './contract.ts';
import { chargeText, define, define1, define2, warned, wrongType } from './define.ts';

const repeatedBytesMax = 16 * 1024 * 1024;

function concat(values: readonly Value[], context: EvaluationContext): string {
  const parts = values.length === 1 && isArray(values[0]) ? values[0] : values;
  let out = '';
  for (const part of parts) {
    const text = toText(part);
    chargeText(out.length + text.length, context);
    out += text;
  }
  return out;
}

function concatSeparator(values: readonly Value[], context: EvaluationContext): string {
  const [separatorValue, ...rest] = values;
  const separator = toText(separatorValue!);
  const parts = rest.length === 1 && isArray(rest[0]) ? rest[0] : rest;
  let out = '';
  let first = true;
  for (const part of parts) {
    if (part === null) continue;
    const text = first ? toText(part) : separator + toText(part);
    chargeText(out.length + text.length, context);
    out += text;
    first = false;
  }
  return out;
}

function substring(values: readonly Value[]): string {
  const text = toText(values[0]!);
  const offset = toInteger(values[1]!);
  const start = offset < 0 ? unitIndexFromEnd(text, -offset) : unitIndex(text, offset);
  if (values.length < 3) return text.slice(start);
  return text.slice(start, unitIndex(text, Math.max(0, toInteger(values[2]!)), start));
}

/** Positions and length in bytes of UTF-8; characters of context on either side may be asked for. */
function substringBytes(values: readonly Value[], context: EvaluationContext): Value {
  const [value, offsetValue, lengthValue, leftValue, rightValue] = values;
  if (typeof value !== 'string') return wrongType(context, 'SUBSTRING_BYTES');
  const bytes = utf8Encode(value);
  const offset = toInteger(offsetValue!);
  const from = offset < 0 ? Math.max(0, bytes.length + offset) : Math.min(offset, bytes.length);
  const wanted = lengthValue === undefined ? bytes.length : Math.max(0, toInteger(lengthValue));
  const to = Math.min(bytes.length, from + wanted);
  if (isContinuation(bytes, from) || isContinuation(bytes, to)) {
    return wrongType(context, 'SUBSTRING_BYTES', 'start or end lies within a character.');
  }
  const left = leftValue === undefined ? 0 : toInteger(leftValue);
  const right = rightValue === undefined ? left : toInteger(rightValue);
  return utf8Decode(
    bytes.slice(charactersBefore(bytes, from, left), charactersAfter(bytes, to, right)),
  );
}

function isContinuation(bytes: Uint8Array, index: number): boolean {
  return index < bytes.length && (bytes[index]! & 0xc0) === 0x80;
}

function charactersBefore(bytes: Uint8Array, index: number, count: number): number {
  for (let left = count; left > 0 && index > 0; left--) {
    do index--;
    while (index > 0 && isContinuation(bytes, index));
  }
  return index;
}

function charactersAfter(bytes: Uint8Array, index: number, count: number): number {
  for (let left = count; left > 0 && index < bytes.length; left--) {
    do index++;
    while (isContinuation(bytes, index));
  }
  return index;
}

function repeat(values: readonly Value[], context: EvaluationContext): Value {
  const text = toText(values[0]!);
  const count = toInteger(values[1]!);
  const separator = values.length > 2 ? toText(values[2]!) : '';
  if (count < 0) return wrongType(context, 'REPEAT', 'the count must not be negative.');
  if (count === 0) return '';
  // Each UTF-16 unit is at most three bytes.
  const units = text.length * count + separator.length * (count - 1);
  if (units > repeatedBytesMax) {
    return warned(context, 'REPEAT', 'LIMIT_EXCEEDED', 'the result would be larger than 16 MiB.');
  }
  context.charge(units);
  return (text + separator).repeat(count - 1) + text;
}

function toChar(value: Value, context: EvaluationContext): Value {
  const code = typeof value === 'number' ? Math.trunc(value) : -1;
  const isScalar = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isScalar ? String.fromCodePoint(code) : wrongType(context, 'TO_CHAR');
}

// ArangoDB's default white space of the TRIM functions.
const whitespace = '\r\n\t ';

interface Sides {
  readonly start: boolean;
  readonly end: boolean;
}

function trim(value: Value, characters: Value | undefined, sides: Sides): string {
  const text = [...toText(value)];
  const strip = new Set(characters === undefined ? whitespace : toText(characters));
  let from = 0;
  let to = text.length;
  if (sides.start) while (from < to && strip.has(text[from]!)) from++;
  if (sides.end) while (to > from && strip.has(text[to - 1]!)) to--;
  return text.slice(from, to).join('');
}

/** The second argument of TRIM() is a set of characters, or 0 both, 1 start, 2 end. */
function trimBySecond(values: readonly Value[]): string {
  const [value, second] = values;
  if (typeof second === 'string') return trim(value!, second, { start: true, end: true });
  const how = typeof second === 'number' ? Math.trunc(second) : 0;
  return trim(value!, undefined, { start: how !== 2, end: how !== 1 });
}

export const stringFunctions: readonly AqlFunction[] = [
  define1(
    'CHAR_LENGTH(value) → number',
    'The number of characters of the value as a string.',
    (value) => characterCount(toText(value)),
  ),
  define(
    'CONCAT(value, more*) → string',
    'Joins the values as strings, null left out; an only argument may be an array of them.',
    concat,
  ),
  define(
    'CONCAT_SEPARATOR(separator, value, more*) → string',
    'As CONCAT(), with a separator between the values.',
    concatSeparator,
  ),
  define2('LEFT(text, count) → string', 'The first characters.', (text, count) => {
    const source = toText(text);
    return source.slice(0, unitIndex(source, Math.max(0, toInteger(count))));
  }),
  define2('RIGHT(text, count) → string', 'The last characters.', (text, count) => {
    const source = toText(text);
    return source.slice(unitIndexFromEnd(source, Math.max(0, toInteger(count))));
  }),
  define(
    'SUBSTRING(text, offset, length?) → string',
    'A part by character position; a negative offset counts from the end.',
    substring,
  ),
  define(
    'SUBSTRING_BYTES(text, offset, length?, left?, right?) → string',
    'A part by byte position in UTF-8, with so many characters of context on either side.',
    substringBytes,
  ),
  define1('LOWER(text) → string', 'In lower case.', (text) => toText(text).toLowerCase()),
  define1('UPPER(text) → string', 'In upper case.', (text) => toText(text).toUpperCase()),
  define(
    'TRIM(text, characters?) → string',
    'Strips white space or the given characters; a number says where: 0 both, 1 start, 2 end.',
    trimBySecond,
  ),
  define('LTRIM(text, characters?) → string', 'Strips the start.', (values) =>
    trim(values[0]!, values[1], { start: true, end: false }),
  ),
  define('RTRIM(text, characters?) → string', 'Strips the end.', (values) =>
    trim(values[0]!, values[1], { start: false, end: true }),
  ),
  define(
    'REPEAT(text, count, separator?) → string',
    'The text so many times, with a separator between.',
    repeat,
  ),
  define1('TO_CHAR(code) → string', 'The character of a Unicode code point.', toChar),
];
