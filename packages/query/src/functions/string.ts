import { isArray, type Value } from '@themisdb/base';
import { toText } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { defineFunction } from './define.ts';

export const stringFunctions: readonly AqlFunction[] = [
  defineFunction(
    'CONCAT(value...)',
    'Joins the values as strings, leaving out null; an only argument may be an array of them.',
    (values) => {
      const only = values[0];
      const parts: readonly Value[] = values.length === 1 && isArray(only) ? only : values;
      let out = '';
      for (const part of parts) out += toText(part);
      return out;
    },
  ),
  defineFunction('UPPER(value)', 'The string in upper case.', ([value]) =>
    toText(value!).toUpperCase(),
  ),
  defineFunction('LOWER(value)', 'The string in lower case.', ([value]) =>
    toText(value!).toLowerCase(),
  ),
];
