import type { Value } from '@themisdb/base';

/** AQL truth: null, false, 0 and "" are false; arrays and objects are true, also empty ones. */
export function truthy(value: Value): boolean {
  return value === true || (value !== false && value !== null && value !== 0 && value !== '');
}

// What strtod reads in the C locale, less "inf" and "nan", with white space around it.
const decimalText = /^[ \t\r\n\f\v]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[ \t\r\n\f\v]*$/;
const hexText = /^[ \t\r\n\f\v]*([+-]?)(0[xX][0-9a-fA-F]+)[ \t\r\n\f\v]*$/;

/** TO_NUMBER of a string, or undefined when it does not hold a number. */
export function tryParseNumber(text: string): number | undefined {
  const decimal = decimalText.exec(text);
  if (decimal !== null) return finiteOrUndefined(Number(decimal[1]));
  const hex = hexText.exec(text);
  if (hex === null) return undefined;
  return finiteOrUndefined(hex[1] === '-' ? -Number(hex[2]) : Number(hex[2]));
}

function finiteOrUndefined(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** The cast of the arithmetic operators and TO_NUMBER ("Type check and cast functions"). */
export function toNumber(value: Value): number {
  switch (typeof value) {
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return tryParseNumber(value) ?? 0;
    default:
      return Array.isArray(value) && value.length === 1 ? toNumber(value[0] as Value) : 0;
  }
}

const integerMax = 9_223_372_036_854_775_807;

/** The cast to a 64-bit integer where AQL wants a position or a count: truncates. */
export function toInteger(value: Value): number {
  const number = Math.trunc(toNumber(value));
  return Math.max(-integerMax, Math.min(integerMax, number)) + 0;
}

/** TO_STRING: null is "", a string itself, everything else its JSON text. */
export function toText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null ? '' : JSON.stringify(value);
  }
}

/** TO_ARRAY: null is [], an array itself, an object its values, everything else the only element. */
export function toArray(value: Value): readonly Value[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value as readonly Value[];
  return typeof value === 'object' ? Object.values(value) : [value];
}
