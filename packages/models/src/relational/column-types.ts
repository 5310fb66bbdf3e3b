import { isArray, isObject, type Value } from '@themisdb/base';
import type { ColumnType } from '@themisdb/storage';
import { formatChecks } from '../document/formats.ts';

interface ColumnTypeRule {
  readonly holds: (value: Value) => boolean;
  /** What is allowed, for the error text. */
  readonly demand: string;
}

const isText =
  (holds: (text: string) => boolean) =>
  (value: Value): boolean =>
    typeof value === 'string' && holds(value);

export const columnTypes: Readonly<Record<ColumnType, ColumnTypeRule>> = {
  string: { holds: (v) => typeof v === 'string', demand: 'a string' },
  int: {
    holds: (v) => Number.isSafeInteger(v),
    demand: 'a whole number between -(2^53-1) and 2^53-1',
  },
  float: { holds: (v) => typeof v === 'number', demand: 'a number' },
  bool: { holds: (v) => typeof v === 'boolean', demand: 'true or false' },
  timestamp: {
    holds: isText(formatChecks['date-time']!),
    demand: 'a string of the form 2026-01-31T12:00:00Z (RFC 3339)',
  },
  date: { holds: isText(formatChecks['date']!), demand: 'a string of the form 2026-01-31' },
  uuid: { holds: isText(formatChecks['uuid']!), demand: 'a UUID as a string' },
  json: { holds: () => true, demand: 'any value' },
  array: { holds: isArray, demand: 'an array' },
  object: { holds: isObject, demand: 'an object' },
};
