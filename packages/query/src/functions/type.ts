import { isArray, isObject, type Value } from '@themisdb/base';
import { toArray, toNumber, toText, truthy } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { alias, define1 } from './define.ts';

/** The data type names of the manual. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'number';
    case 'string':
      return 'string';
    default:
      return value === null ? 'null' : isArray(value) ? 'array' : 'object';
  }
}

const isArrayFunction = define1('IS_ARRAY(value) → bool', 'Whether it is an array.', (value) =>
  isArray(value),
);
const isObjectFunction = define1('IS_OBJECT(value) → bool', 'Whether it is an object.', (value) =>
  isObject(value),
);
const toArrayFunction = define1(
  'TO_ARRAY(value) → array',
  'Casts to an array: null becomes [], an object the array of its values.',
  (value) => toArray(value),
);

export const typeFunctions: readonly AqlFunction[] = [
  define1(
    'TO_BOOL(value) → bool',
    'Casts to a boolean: null, 0 and "" are false, all else is true.',
    (value) => truthy(value),
  ),
  define1('TO_NUMBER(value) → number', 'Casts to a number; what holds none becomes 0.', (value) =>
    toNumber(value),
  ),
  define1(
    'TO_STRING(value) → string',
    'Casts to a string; arrays and objects become their JSON text.',
    (value) => toText(value),
  ),
  toArrayFunction,
  alias('TO_LIST', toArrayFunction),
  define1('IS_NULL(value) → bool', 'Whether it is null.', (value) => value === null),
  define1(
    'IS_BOOL(value) → bool',
    'Whether it is a boolean.',
    (value) => typeof value === 'boolean',
  ),
  define1(
    'IS_NUMBER(value) → bool',
    'Whether it is a number.',
    (value) => typeof value === 'number',
  ),
  define1(
    'IS_STRING(value) → bool',
    'Whether it is a string.',
    (value) => typeof value === 'string',
  ),
  isArrayFunction,
  alias('IS_LIST', isArrayFunction),
  isObjectFunction,
  alias('IS_DOCUMENT', isObjectFunction),
  define1('TYPENAME(value) → string', 'The name of the data type.', (value) => typeName(value)),
];
