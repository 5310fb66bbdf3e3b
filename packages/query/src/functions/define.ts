import type { Value } from '@themisdb/base';
import type { ErrorCode } from '@themisdb/protocol';
import type { EvaluationContext } from '../expression/contract.ts';
import { textTooLong, textUnitsMax } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';

/** The families of the manual, in the order of the reference page. */
export type Family =
  | 'Type check and cast'
  | 'String'
  | 'Numeric'
  | 'Bit'
  | 'Array'
  | 'Object and document'
  | 'Date'
  | 'Miscellaneous';

type Context = EvaluationContext;
type Call = (values: readonly Value[], context: Context) => Value;

/**
 * A table entry from a signature such as `LEFT(text, count) → string`, `SLICE(list, start, length?)
 * → array` or `MERGE(object, more*) → object`: `?` marks optional arguments, a last `*` any number
 * of them. The argument counts follow from it.
 */
export function define(signature: string, summary: string, call: Call): AqlFunction {
  const list = signature.slice(signature.indexOf('(') + 1, signature.indexOf(')'));
  const parameters = list === '' ? [] : list.split(', ');
  return {
    name: signature.slice(0, signature.indexOf('(')),
    argumentsMin: parameters.filter((parameter) => !/[?*]$/.test(parameter)).length,
    argumentsMax: list.endsWith('*') ? Infinity : parameters.length,
    deterministic: true,
    signature,
    summary,
    call,
  };
}

/** As `define`, for functions of one argument. */
export function define1(
  signature: string,
  summary: string,
  call: (value: Value, context: Context) => Value,
): AqlFunction {
  return define(signature, summary, (values, context) => call(values[0]!, context));
}

/** As `define`, for functions of two arguments. */
export function define2(
  signature: string,
  summary: string,
  call: (first: Value, second: Value, context: Context) => Value,
): AqlFunction {
  return define(signature, summary, (values, context) => call(values[0]!, values[1]!, context));
}

/** For functions that depend on the run: time, chance, database, or that warn or fail on purpose. */
export function perRun(entry: AqlFunction): AqlFunction {
  return { ...entry, deterministic: false };
}

/** The same function under another name. */
export function alias(name: string, entry: AqlFunction): AqlFunction {
  const signature = name + entry.signature.slice(entry.signature.indexOf('('));
  return { ...entry, name, signature, summary: `Another name of ${entry.name}().` };
}

/** Warns, and gives the null that the function then returns. */
export function warned(context: Context, name: string, code: ErrorCode, what: string): null {
  context.warn(code, `${name}(): ${what}`);
  return null;
}

/** AQL's answer to an argument of the wrong type. */
export function wrongType(context: Context, name: string, what = 'invalid argument type.'): null {
  return warned(context, name, 'AQL_INVALID_ARGUMENT_TYPE', what);
}

export function arrayExpected(context: Context, name: string): null {
  return warned(context, name, 'AQL_ARRAY_EXPECTED', 'an array was expected.');
}

// Below this, in bytes, what a call makes is not worth the accounting.
const uncountedMax = 1_024;

/** Accounts for a text before it is made. Errors: LIMIT_EXCEEDED, QUERY_MEMORY. */
export function chargeText(units: number, context: Context): void {
  if (units <= uncountedMax) return;
  if (units > textUnitsMax) throw textTooLong();
  context.charge(units);
}

/** Accounts for the elements of an array before it is made. Errors: QUERY_MEMORY. */
export function chargeElements(count: number, context: Context): void {
  if (count * 8 > uncountedMax) context.charge(count * 8);
}

/** Numbers leave functions finite: what is not becomes null, and -0 becomes 0. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null;
}
