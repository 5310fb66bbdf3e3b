import { compareStrings, isArray, type Value, type ValueObject } from '@themisdb/base';

/** A primitive that is equal for two values exactly when AQL's `==` holds: a key for Map and Set. */
export type ValueKey = null | boolean | number | string;

/** Marks what is not a plain string; strings that start with it are marked as well. */
const mark = '\u0000';

export function valueKey(value: Value): ValueKey {
  switch (typeof value) {
    case 'object':
      return value === null ? null : mark + encode(value);
    case 'string':
      return value.startsWith(mark) ? `${mark}s${value}` : value;
    default:
      return value;
  }
}

/** One key for several values. */
export function valuesKey(values: readonly Value[]): ValueKey {
  if (values.length === 1) return valueKey(values[0]!);
  let key = mark;
  for (const value of values) key += encode(value);
  return key;
}

// Every encoding tells where it ends, so that a sequence of them is unambiguous.
function encode(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 't' : 'f';
    case 'number':
      // -0 and 0 are equal, and both give "0".
      return `${value};`;
    case 'string':
      return `s${value.length}:${value}`;
    default:
      if (value === null) return 'z';
      return isArray(value) ? encodeArray(value) : encodeObject(value);
  }
}

/** Absent elements count as null, so nulls at the end make no difference. */
function encodeArray(values: readonly Value[]): string {
  let length = values.length;
  while (length > 0 && values[length - 1] === null) length--;
  let out = '[';
  for (let i = 0; i < length; i++) out += encode(values[i]!);
  return `${out}]`;
}

/** Absent attributes count as null and their order does not matter. */
function encodeObject(value: ValueObject): string {
  let out = '{';
  for (const name of Object.keys(value).sort(compareStrings)) {
    const item = value[name]!;
    if (item !== null) out += encode(name) + encode(item);
  }
  return `${out}}`;
}
