import { isArray, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import type { AqlFunction } from './contract.ts';
import { define, define1, wrongType } from './define.ts';

// The functions work on unsigned integers of 32 bits, as in ArangoDB.
export const bitsMax = 32;
const valueMax = 0xffff_ffff;

/** The operand, truncated; undefined when it is no number from 0 to 2^32 - 1. */
export function bitOperand(value: Value | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && Math.trunc(value) <= valueMax
    ? Math.trunc(value)
    : undefined;
}

function bitCount(value: Value | undefined, max: number = bitsMax): number | undefined {
  const count = bitOperand(value);
  return count !== undefined && count <= max ? count : undefined;
}

/** The lowest `width` bits; shifts by 32 are none in JavaScript. */
function mask(value: number, width: number): number {
  return width >= bitsMax ? value >>> 0 : (value & ((1 << width) - 1)) >>> 0;
}

/** Of two numbers, or of all in an array, null left out. */
function combine(
  name: string,
  summary: string,
  operation: (a: number, b: number) => number,
): AqlFunction {
  return define(`${name}(values, second?) → number`, summary, (values, context) => {
    const [first, second] = values;
    const list = second === undefined ? first : [first!, second];
    if (!isArray(list)) return wrongType(context, name);
    let result: number | null = null;
    for (const item of list) {
      if (item === null && second === undefined) continue;
      const operand = bitOperand(item);
      if (operand === undefined) return wrongType(context, name);
      result = result === null ? operand : operation(result, operand) >>> 0;
    }
    return result;
  });
}

function shift(
  name: string,
  summary: string,
  operation: (value: number, count: number) => number,
): AqlFunction {
  return define(`${name}(value, shift, bits) → number`, summary, (values, context) => {
    const value = bitOperand(values[0]);
    const count = bitCount(values[1]);
    const width = bitCount(values[2]);
    if (value === undefined || count === undefined || width === undefined) {
      return wrongType(context, name);
    }
    return count === bitsMax ? 0 : mask(operation(value, count), width);
  });
}

function popcount(value: number): number {
  let count = 0;
  for (let left = value; left !== 0; left = (left & (left - 1)) >>> 0) count++;
  return count;
}

function construct(positions: Value, context: EvaluationContext): Value {
  if (!isArray(positions)) return wrongType(context, 'BIT_CONSTRUCT');
  let value = 0;
  for (const item of positions) {
    const position = bitCount(item, bitsMax - 1);
    if (position === undefined) return wrongType(context, 'BIT_CONSTRUCT');
    value = (value | (1 << position)) >>> 0;
  }
  return value;
}

function setBits(value: number): number[] {
  return Array.from({ length: bitsMax }, (_, i) => i).filter((i) => (value & (1 << i)) !== 0);
}

export const bitFunctions: readonly AqlFunction[] = [
  combine('BIT_AND', 'The bits set in all of the numbers.', (a, b) => a & b),
  combine('BIT_OR', 'The bits set in any of the numbers.', (a, b) => a | b),
  combine('BIT_XOR', 'The bits set in an odd number of them.', (a, b) => a ^ b),
  define(
    'BIT_NEGATE(value, bits) → number',
    'The lowest bits inverted.',
    ([value, bits], context) => {
      const operand = bitOperand(value);
      const width = bitCount(bits);
      if (operand === undefined || width === undefined) return wrongType(context, 'BIT_NEGATE');
      return mask(~operand, width);
    },
  ),
  define('BIT_TEST(value, index) → bool', 'Whether the bit is set.', ([value, index], context) => {
    const operand = bitOperand(value);
    const position = bitCount(index, bitsMax - 1);
    if (operand === undefined || position === undefined) return wrongType(context, 'BIT_TEST');
    return (operand & (1 << position)) !== 0;
  }),
  define1('BIT_POPCOUNT(value) → number', 'How many bits are set.', (value, context) => {
    const operand = bitOperand(value);
    return operand === undefined ? wrongType(context, 'BIT_POPCOUNT') : popcount(operand);
  }),
  shift(
    'BIT_SHIFT_LEFT',
    'Shifted to the left, so many bits kept.',
    (value, count) => value << count,
  ),
  shift(
    'BIT_SHIFT_RIGHT',
    'Shifted to the right, so many bits kept.',
    (value, count) => value >>> count,
  ),
  define1(
    'BIT_CONSTRUCT(positions) → number',
    'The number with the bits at these positions.',
    construct,
  ),
  define1('BIT_DECONSTRUCT(value) → array', 'The positions of the bits set.', (value, context) => {
    const operand = bitOperand(value);
    return operand === undefined ? wrongType(context, 'BIT_DECONSTRUCT') : setBits(operand);
  }),
  define('BIT_TO_STRING(value, bits) → string', 'In binary digits.', ([value, bits], context) => {
    const operand = bitOperand(value);
    const width = bitCount(bits);
    if (operand === undefined || width === undefined) return wrongType(context, 'BIT_TO_STRING');
    return width === 0 ? '' : mask(operand, width).toString(2).padStart(width, '0');
  }),
  define1('BIT_FROM_STRING(text) → number', 'The number of binary digits.', (text, context) => {
    const isBinary = typeof text === 'string' && /^[01]{0,32}$/.test(text);
    if (!isBinary) return wrongType(context, 'BIT_FROM_STRING');
    return text === '' ? 0 : Number.parseInt(text, 2);
  }),
];
