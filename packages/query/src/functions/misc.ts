import { compareValues, isArray, isObject, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger, truthy } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { define, define1, define2, perRun, warned, wrongType } from './define.ts';

function firstThat(values: readonly Value[], test: (value: Value) => boolean): Value {
  return values.find(test) ?? null;
}

function fail(values: readonly Value[]): never {
  const [reason] = values;
  throw themisError('AQL_FAIL', {
    message: typeof reason === 'string' ? reason : 'The query called FAIL().',
  });
}

/** The expressions come first, how many of them must hold comes last. */
function minMatch(values: readonly Value[], context: EvaluationContext): Value {
  const needed = values.at(-1)!;
  if (typeof needed !== 'number') return wrongType(context, 'MIN_MATCH');
  return values.slice(0, -1).filter(truthy).length >= toInteger(needed);
}

function inRange(values: readonly Value[], context: EvaluationContext): Value {
  const [value, low, high, includeLow, includeHigh] = values as [Value, Value, Value, Value, Value];
  if (typeof includeLow !== 'boolean' || typeof includeHigh !== 'boolean') {
    return wrongType(context, 'IN_RANGE');
  }
  const fromLow = compareValues(value, low);
  const fromHigh = compareValues(value, high);
  return (includeLow ? fromLow >= 0 : fromLow > 0) && (includeHigh ? fromHigh <= 0 : fromHigh < 0);
}

export const miscFunctions: readonly AqlFunction[] = [
  define('NOT_NULL(value, more*) → any', 'The first value that is not null.', (values) =>
    firstThat(values, (value) => value !== null),
  ),
  define('FIRST_LIST(value, more*) → array', 'The first value that is an array.', (values) =>
    firstThat(values, isArray),
  ),
  define('FIRST_DOCUMENT(value, more*) → object', 'The first value that is an object.', (values) =>
    firstThat(values, isObject),
  ),
  define(
    'MIN_MATCH(condition, more*) → bool',
    'Whether at least so many conditions hold; the number comes last.',
    minMatch,
  ),
  define(
    'IN_RANGE(value, low, high, includeLow, includeHigh) → bool',
    'Whether a value lies between two bounds.',
    inRange,
  ),
  define1('PASSTHRU(value) → any', 'The value itself.', (value) => value),
  perRun(define1('NOOPT(value) → any', 'The value itself, not optimised.', (value) => value)),
  perRun(
    define1('NOEVAL(value) → any', 'The value itself, not evaluated early.', (value) => value),
  ),
  perRun(define('FAIL(reason?) → null', 'Ends the query with an error.', fail)),
  perRun(
    define2(
      'ASSERT(condition, message) → bool',
      'Ends the query with an error unless the condition holds.',
      (condition, message, context) => {
        if (typeof message !== 'string') return wrongType(context, 'ASSERT');
        if (truthy(condition)) return true;
        throw themisError('AQL_FAIL', { message });
      },
    ),
  ),
  perRun(
    define2(
      'WARN(condition, message) → bool',
      'Warns unless the condition holds.',
      (condition, message, context) => {
        if (typeof message !== 'string') return wrongType(context, 'WARN');
        if (truthy(condition)) return true;
        context.warn('AQL_USER_WARNING', message);
        return false;
      },
    ),
  ),
  perRun(
    define(
      'CURRENT_DATABASE() → string',
      'The namespace the query runs in.',
      (_values, context) => context.namespace,
    ),
  ),
];

/** CALL() and APPLY(): a function by its name at run time. */
export function dynamicCalls(
  find: (name: string) => AqlFunction | undefined,
): readonly AqlFunction[] {
  const call = (
    caller: string,
    nameValue: Value,
    values: readonly Value[],
    context: EvaluationContext,
  ): Value => {
    if (typeof nameValue !== 'string') return wrongType(context, caller);
    const name = nameValue.toUpperCase();
    const callee = name === 'CALL' || name === 'APPLY' ? undefined : find(name);
    if (callee === undefined) {
      throw themisError('AQL_UNKNOWN_FUNCTION', {
        message: `${caller}(): there is no function ${JSON.stringify(name.slice(0, 80))} to call.`,
        details: { function: name.slice(0, 80) },
      });
    }
    if (values.length < callee.argumentsMin || values.length > callee.argumentsMax) {
      return warned(context, name, 'AQL_FUNCTION_ARGUMENTS', 'wrong number of arguments.');
    }
    return callee.call(values, context);
  };
  return [
    perRun(
      define('CALL(name, argument?, more*) → any', 'Calls a function by name.', (values, context) =>
        call('CALL', values[0]!, values.slice(1), context),
      ),
    ),
    perRun(
      define(
        'APPLY(name, arguments?) → any',
        'Calls a function by name with an array of arguments.',
        ([name, list], context) => {
          if (list !== undefined && !isArray(list)) return wrongType(context, 'APPLY');
          return call('APPLY', name!, list ?? [], context);
        },
      ),
    ),
  ];
}
