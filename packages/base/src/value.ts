/**
 * AQL/JSON values as the engine holds them. Objects made by the engine have a prototype without
 * members, so `__proto__`, `constructor` and the like are ordinary attribute names; make them with
 * `makeObject()` and read foreign ones with `attribute()`. Numbers are IEEE doubles, never NaN or
 * infinite. Strings are well-formed Unicode. A value is immutable once it left its maker.
 */
export type Value = null | boolean | number | string | readonly Value[] | ValueObject;
export interface ValueObject {
  readonly [attribute: string]: Value;
}
export interface MutableObject {
  [attribute: string]: Value;
}

// `new` on a function with an empty prototype gives fast-mode objects; Object.create(null) does not.
const Plain = function () {} as unknown as new () => MutableObject;
Plain.prototype = Object.freeze(Object.create(null)) as object;

export function makeObject(): MutableObject {
  return new Plain();
}

/** An engine object with the own enumerable attributes of `source`, values as they are. */
export function objectFrom(source: Readonly<Record<string, Value>>): MutableObject {
  const out = makeObject();
  for (const key of Object.keys(source)) out[key] = source[key]!;
  return out;
}

export function isObject(value: Value | undefined): value is ValueObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** The attribute, or null when `value` is no object or has no such attribute: AQL's access rule. */
export function attribute(value: Value | undefined, name: string): Value {
  return isObject(value) && Object.hasOwn(value, name) ? value[name]! : null;
}

/** Rank of a value's type in AQL's order: null < bool < number < string < array < object. */
export function typeRank(value: Value): number {
  switch (typeof value) {
    case 'boolean':
      return 1;
    case 'number':
      return 2;
    case 'string':
      return 3;
    default:
      return value === null ? 0 : Array.isArray(value) ? 4 : 5;
  }
}

/**
 * AQL's total order ("Type and value order" in the AQL manual), the order of index keys as well.
 * Strings compare by code point (bytewise UTF-8); collation is the index's business. Arrays compare
 * by element, absent ones as null; objects by the sorted union of their names, absent as null.
 */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  const rankA = typeRank(a);
  const rankB = typeRank(b);
  if (rankA !== rankB) return rankA - rankB;
  switch (rankA) {
    case 1:
      return a === false ? -1 : 1;
    case 2:
      return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
    case 3:
      return compareStrings(a as string, b as string);
    case 4:
      return compareArrays(a as readonly Value[], b as readonly Value[]);
    default:
      return compareObjects(a as ValueObject, b as ValueObject);
  }
}

export function equalValues(a: Value, b: Value): boolean {
  return a === b || compareValues(a, b) === 0;
}

/** Code point order, which is bytewise UTF-8 order; UTF-16 order differs only around surrogates. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

function compareArrays(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareObjects(a: ValueObject, b: ValueObject): number {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareStrings);
  for (const name of names) {
    const order = compareValues(attribute(a, name), attribute(b, name));
    if (order !== 0) return order;
  }
  return 0;
}
