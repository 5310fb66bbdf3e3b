import { compareValues, isArray, isObject, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { includesValue, indexOfValue } from '../expression/compare.ts';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, toNumber, toText, truthy } from '../expression/convert.ts';
import { flatten } from '../expression/expansion.ts';
import { checkRangeLength, evaluateRange } from '../expression/range.ts';
import { characterCount } from './characters.ts';
import type { AqlFunction } from './contract.ts';
import {
  alias,
  arrayExpected,
  chargeElements,
  define,
  define1,
  define2,
  wrongType,
} from './define.ts';

type Context = EvaluationContext;

function length(value: Value): number {
  if (isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  return typeof value === 'boolean' ? Number(value) : characterCount(toText(value));
}

function reverse(value: Value, context: Context): Value {
  if (isArray(value)) return value.toReversed();
  return typeof value === 'string'
    ? [...value].reverse().join('')
    : arrayExpected(context, 'REVERSE');
}

function flag(value: Value | undefined): boolean {
  return truthy(value ?? null);
}

function position(values: readonly Value[], context: Context): Value {
  const [list, search, returnIndex] = values;
  if (!isArray(list)) return arrayExpected(context, 'POSITION');
  const index = indexOfValue(list, search!);
  return flag(returnIndex) ? index : index >= 0;
}

function push(values: readonly Value[], context: Context): Value {
  const [list, value, unique] = values;
  if (list === null) return [value!];
  if (!isArray(list)) return wrongType(context, 'PUSH');
  if (flag(unique) && includesValue(list, value!)) return list;
  chargeElements(list.length, context);
  return [...list, value!];
}

function unshift(values: readonly Value[], context: Context): Value {
  const [list, value, unique] = values;
  if (list === null) return [value!];
  if (!isArray(list)) return wrongType(context, 'UNSHIFT');
  if (flag(unique) && includesValue(list, value!)) return list;
  chargeElements(list.length, context);
  return [value!, ...list];
}

function pop(list: Value, context: Context): Value {
  if (list === null) return null;
  return isArray(list) ? list.slice(0, -1) : wrongType(context, 'POP');
}

function shift(list: Value, context: Context): Value {
  if (list === null) return null;
  return isArray(list) ? list.slice(1) : wrongType(context, 'SHIFT');
}

function removeValue(values: readonly Value[], context: Context): Value {
  const [list, value, limitValue] = values;
  if (list === null) return [];
  if (!isArray(list)) return wrongType(context, 'REMOVE_VALUE');
  const limited = limitValue !== undefined && limitValue !== null;
  let left = limited ? toInteger(limitValue) : Infinity;
  return list.filter((item) => {
    if (left === 0 || !includesValue([value!], item)) return true;
    left--;
    return false;
  });
}

function removeNth(list: Value, positionValue: Value, context: Context): Value {
  if (list === null) return [];
  if (!isArray(list)) return wrongType(context, 'REMOVE_NTH');
  const at = Math.trunc(toNumber(positionValue));
  if (at >= list.length || at < -list.length) return list;
  return list.toSpliced(at, 1);
}

function replaceNth(values: readonly Value[], context: Context): Value {
  const [list, positionValue, replacement, padding] = values;
  if (!isArray(list)) return wrongType(context, 'REPLACE_NTH');
  if (positionValue === null) throw badPosition('must not be null');
  const wanted = toInteger(positionValue!);
  const at = wanted >= 0 ? wanted : Math.max(0, list.length + wanted);
  if (at > list.length && padding === undefined)
    throw badPosition('is past the end: give a padding');
  checkRangeLength(at, context);
  const out = [...list];
  while (out.length < at) out.push(padding!);
  out[at] = replacement!;
  return out;
}

function badPosition(what: string): Error {
  return themisError('AQL_INVALID_ARGUMENT', { message: `REPLACE_NTH(): the position ${what}.` });
}

/** A negative length counts from the end of the array. */
function slice(values: readonly Value[], context: Context): Value {
  const [list, startValue, lengthValue] = values;
  if (!isArray(list)) return wrongType(context, 'SLICE');
  const start = toInteger(startValue!);
  const from = start < 0 ? Math.max(0, list.length + start) : start;
  if (lengthValue === undefined || lengthValue === null) return list.slice(from);
  const count = toInteger(lengthValue);
  return list.slice(from, count >= 0 ? from + count : Math.max(0, list.length + count));
}

/** RANGE(): without a step the whole numbers, as the `..` operator. */
function range(values: readonly Value[], context: Context): Value {
  const [start, stop, stepValue] = values;
  if (stepValue === undefined || stepValue === null) return evaluateRange(start!, stop!, context);
  const from = toNumber(start!);
  const to = toNumber(stop!);
  const step = toNumber(stepValue);
  if (step === 0 || (from < to && step < 0) || (from > to && step > 0)) {
    return wrongType(context, 'RANGE', 'the step does not lead from start to stop.');
  }
  checkRangeLength(Math.floor((to - from) / step) + 1, context);
  const out: number[] = [];
  // Added up as ArangoDB does, so that rounding is the same.
  for (let value = from; step > 0 ? value <= to : value >= to; value += step) {
    if ((out.length & 0xffff) === 0) context.checkInterrupt();
    out.push(value);
    if (value + step === value) break;
  }
  return out;
}

function flattenFunction(values: readonly Value[], context: Context): Value {
  const [list, depthValue] = values;
  if (!isArray(list)) return arrayExpected(context, 'FLATTEN');
  const depth = depthValue === undefined ? 1 : Math.max(1, toInteger(depthValue));
  return flatten(list, depth, context);
}

/** Takes an element of each array in turn. */
function interleave(values: readonly Value[], context: Context): Value {
  if (!values.every(isArray)) return arrayExpected(context, 'INTERLEAVE');
  const lists = values as readonly (readonly Value[])[];
  chargeElements(
    lists.reduce((total, list) => total + list.length, 0),
    context,
  );
  const out: Value[] = [];
  const longest = lists.reduce((most, list) => Math.max(most, list.length), 0);
  for (let i = 0; i < longest; i++) {
    for (const list of lists) if (i < list.length) out.push(list[i]!);
  }
  return out;
}

const lengthFunction = define1(
  'LENGTH(value) → number',
  'The number of elements, attributes or characters.',
  length,
);
const positionFunction = define(
  'POSITION(array, search, returnIndex?) → bool',
  'Whether the array has the element; with returnIndex its position, or -1.',
  position,
);

export const arrayFunctions: readonly AqlFunction[] = [
  lengthFunction,
  alias('COUNT', lengthFunction),
  define1('REVERSE(value) → array', 'The elements or characters backwards.', reverse),
  define1('FIRST(array) → any', 'The first element, or null.', (list, context) =>
    isArray(list) ? (list[0] ?? null) : arrayExpected(context, 'FIRST'),
  ),
  define1('LAST(array) → any', 'The last element, or null.', (list, context) =>
    isArray(list) ? (list.at(-1) ?? null) : arrayExpected(context, 'LAST'),
  ),
  define2(
    'NTH(array, position) → any',
    'The element at a position, or null.',
    (list, at, context) => {
      if (!isArray(list)) return arrayExpected(context, 'NTH');
      return list[toInteger(at)] ?? null;
    },
  ),
  positionFunction,
  alias('CONTAINS_ARRAY', positionFunction),
  define('PUSH(array, value, unique?) → array', 'With a value added at the end.', push),
  define1('POP(array) → array', 'Without the last element.', pop),
  define('UNSHIFT(array, value, unique?) → array', 'With a value added at the start.', unshift),
  define1('SHIFT(array) → array', 'Without the first element.', shift),
  define(
    'REMOVE_VALUE(array, value, limit?) → array',
    'Without the elements equal to the value, the first so many of them.',
    removeValue,
  ),
  define2('REMOVE_NTH(array, position) → array', 'Without the element at a position.', removeNth),
  define(
    'REPLACE_NTH(array, position, value, padding?) → array',
    'With another element at a position; padding fills the way there.',
    replaceNth,
  ),
  define('SLICE(array, start, length?) → array', 'A part of the array.', slice),
  define('RANGE(start, stop, step?) → array', 'The numbers from start to stop.', range),
  define(
    'FLATTEN(array, depth?) → array',
    'With so many levels of nesting removed.',
    flattenFunction,
  ),
  define('INTERLEAVE(array, more*) → array', 'An element of each array in turn.', interleave),
  define1('SORTED(array) → array', 'The elements in order.', (list, context) =>
    isArray(list) ? list.toSorted(compareValues) : arrayExpected(context, 'SORTED'),
  ),
];
