import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import type { AqlFunction } from './contract.ts';

/** The families of the manual, in the order of the reference page. */
export type Family =
  | 'Type check and cast'
  | 'String'
  | 'Numeric'
  | 'Array'
  | 'Object and document'
  | 'Date'
  | 'Bit'
  | 'Miscellaneous';

type Call = (values: readonly Value[], context: EvaluationContext) => Value;

/**
 * A table entry from the name and arguments as the manual writes them: `UPPER(value)`,
 * `RAND()`, `LEFT(text, count)`, `SLICE(list, start, length?)`, `CONCAT(value...)`. The argument
 * counts follow from it.
 */
export function defineFunction(signature: string, summary: string, call: Call): AqlFunction {
  const open = signature.indexOf('(');
  const list = signature.slice(open + 1, signature.indexOf(')'));
  const parameters = list === '' ? [] : list.split(', ');
  const required = parameters.filter((parameter) => !/[?*]$/.test(parameter));
  const variadic = /(\.\.\.|\*)$/.test(list);
  return {
    name: signature.slice(0, open),
    argumentsMin: required.length,
    argumentsMax: variadic ? Infinity : parameters.length,
    deterministic: true,
    signature,
    summary,
    call,
  };
}

/** For functions that depend on the run: time, chance, database, or that raise warnings on purpose. */
export function perRun(entry: AqlFunction): AqlFunction {
  return { ...entry, deterministic: false };
}

/** The same function under another name. */
export function alias(name: string, entry: AqlFunction): AqlFunction {
  return {
    ...entry,
    name,
    signature: name + entry.signature.slice(entry.signature.indexOf('(')),
    summary: `Another name of ${entry.name}().`,
  };
}

/** AQL's answer to a wrong argument: a warning, and null for the caller to return. */
export function invalidArgument(context: EvaluationContext, name: string): null {
  context.warn('AQL_INVALID_ARGUMENT_TYPE', `Invalid argument type in call to function ${name}().`);
  return null;
}
