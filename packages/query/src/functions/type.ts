import { isArray, isObject, type Value } from '@themisdb/base';
import { toArray, toNumber, toText, truthy } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { defineFunction } from './define.ts';

const typeNames = { boolean: 'bool', number: 'number', string: 'string' } as const;

/** TYPENAME(): the data type names of the manual. */
export function typeName(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return isArray(value) ? 'array' : 'object';
  return typeNames[typeof value as keyof typeof typeNames];
}

export const typeFunctions: readonly AqlFunction[] = [
  defineFunction('TO_BOOL(value)', 'Casts to a boolean.', ([value]) => truthy(value!)),
  defineFunction('TO_NUMBER(value)', 'Casts to a number; 0 when it holds none.', ([value]) =>
    toNumber(value!),
  ),
  defineFunction(
    'TO_STRING(value)',
    'Casts to a string; arrays and objects become JSON.',
    ([value]) => toText(value!),
  ),
  defineFunction(
    'TO_ARRAY(value)',
    'Casts to an array: null is [], objects give their values.',
    ([value]) => toArray(value!),
  ),
  defineFunction('TYPENAME(value)', 'The name of the data type.', ([value]) => typeName(value!)),
  defineFunction('IS_NULL(value)', 'Whether the value is null.', ([value]) => value === null),
  defineFunction(
    'IS_BOOL(value)',
    'Whether the value is a boolean.',
    ([value]) => typeof value === 'boolean',
  ),
  defineFunction(
    'IS_NUMBER(value)',
    'Whether the value is a number.',
    ([value]) => typeof value === 'number',
  ),
  defineFunction(
    'IS_STRING(value)',
    'Whether the value is a string.',
    ([value]) => typeof value === 'string',
  ),
  defineFunction('IS_ARRAY(value)', 'Whether the value is an array.', ([value]) => isArray(value)),
  defineFunction('IS_OBJECT(value)', 'Whether the value is an object.', ([value]) =>
    isObject(value),
  ),
];
