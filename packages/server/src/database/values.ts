import { makeObject, type Value, type ValueObject } from '@themisdb/base';
import { jsonLimits, themisError } from '@themisdb/protocol';

/**
 * An engine value from what a program hands in: JSON types, nested; `undefined` attributes are left
 * out, Dates become ISO 8601 text, `toJSON` is obeyed. INVALID_FIELD for the rest (functions, symbols,
 * NaN, bigint), with the path; nothing is converted in silence.
 */
export function toValue(input: unknown, path = 'value', depth = 1): Value {
  switch (typeof input) {
    case 'string':
      if ((input as WellFormedText).isWellFormed?.() === false) {
        throw invalid(path, 'is a string with a lone surrogate');
      }
      return input;
    case 'boolean':
      return input;
    case 'number':
      if (Number.isFinite(input)) return input;
      throw invalid(path, 'is not a finite number');
    case 'object':
      if (input === null) return null;
      if (depth > jsonLimits.depthMax) {
        throw themisError('LIMIT_EXCEEDED', {
          message: `values may be nested ${jsonLimits.depthMax} deep`,
          details: { limit: 'depth', max: jsonLimits.depthMax },
        });
      }
      return fromObject(input, path, depth);
    default:
      throw invalid(path, `is a ${typeof input}`);
  }
}

/** Same for a document: an object at the top. */
export function toDocument(input: unknown): ValueObject {
  const value = toValue(input, 'document');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as ValueObject;
  }
  throw invalid('document', 'is not an object');
}

export function toParams(
  input: Readonly<Record<string, unknown>> | undefined,
): Record<string, Value> | undefined {
  if (input === undefined) return undefined;
  const out = makeObject();
  for (const name of Object.keys(input)) out[name] = toValue(input[name] ?? null, name);
  return out;
}

type WellFormedText = string & { isWellFormed?(): boolean };

function fromObject(input: object, path: string, depth: number): Value {
  if (Array.isArray(input)) {
    return input.map((item: unknown, i) => toValue(item ?? null, `${path}[${i}]`, depth + 1));
  }
  if (typeof (input as { toJSON?: unknown }).toJSON === 'function') {
    return toValue((input as { toJSON(): unknown }).toJSON(), path, depth + 1);
  }
  const prototype: unknown = Object.getPrototypeOf(input);
  const isPlain =
    prototype === null || prototype === Object.prototype || isBare(prototype as object);
  if (!isPlain) throw invalid(path, 'is an object of a class');
  const out = makeObject();
  for (const name of Object.keys(input)) {
    const value = (input as Record<string, unknown>)[name];
    if (value !== undefined) out[name] = toValue(value, `${path}.${name}`, depth + 1);
  }
  return out;
}

/** The prototype of engine objects: no members, nothing behind it. */
function isBare(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.keys(prototype).length === 0;
}

function invalid(path: string, what: string): Error {
  return themisError('INVALID_FIELD', {
    message: `${path} ${what}; allowed: null, booleans, finite numbers, well-formed strings, arrays and plain objects of these`,
    details: { path },
  });
}
