import { isArray, isObject, type Value } from '@themisdb/base';
import { toText } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { alias, defineFunction } from './define.ts';

/** Characters are Unicode code points. */
export function characterCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) count--;
  }
  return count;
}

function length(value: Value): number {
  if (value === null) return 0;
  if (isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return characterCount(toText(value));
}

const lengthFunction = defineFunction(
  'LENGTH(value)',
  'The number of elements, attributes or characters.',
  ([value]) => length(value!),
);

export const arrayFunctions: readonly AqlFunction[] = [
  lengthFunction,
  alias('COUNT', lengthFunction),
];
