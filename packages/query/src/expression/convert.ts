import type { Value, ValueObject } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

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

const integerMax = 2 ** 63;

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
      return value === null ? '' : jsonText(value);
  }
}

/** No text made by an expression is longer, in UTF-16 units. */
export const textUnitsMax: number = 64 * 1024 * 1024;

/** The JSON text of a value, measured before it is made: LIMIT_EXCEEDED past `textUnitsMax`. */
export function jsonText(value: Value): string {
  if (typeof value === 'object' && unitsLeft(value, textUnitsMax) < 0) throw textTooLong();
  return JSON.stringify(value);
}

export function textTooLong(): Error {
  return themisError('LIMIT_EXCEEDED', {
    message: `A text would be longer than the ${String(textUnitsMax)} UTF-16 units allowed.`,
    details: { limit: textUnitsMax },
  });
}

/** What the JSON text of `value` leaves of a budget, roughly; stops when nothing is left. */
function unitsLeft(value: Value, budget: number): number {
  if (typeof value === 'string') return budget - value.length - 2;
  if (typeof value !== 'object' || value === null) return budget - 5;
  let left = budget - 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && left >= 0; i++)
      left = unitsLeft(value[i] as Value, left - 1);
    return left;
  }
  const object = value as ValueObject;
  for (const name of Object.keys(object)) {
    if (left < 0) break;
    left = unitsLeft(object[name]!, left - name.length - 4);
  }
  return left;
}

/** TO_ARRAY: null is [], an array itself, an object its values, everything else the only element. */
export function toArray(value: Value): readonly Value[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value as readonly Value[];
  return typeof value === 'object' ? Object.values(value) : [value];
}
