import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { instantMax, instantMin, tryFormatIso } from './date-math.ts';
import { tryParseDate } from './date-parse.ts';
import { mustZone, toLocal, type Zone } from './date-zone.ts';
import { warned, wrongType } from './define.ts';

type Context = EvaluationContext;

export function invalidDate(context: Context, name: string): null {
  return warned(
    context,
    name,
    'AQL_INVALID_DATE',
    'not a valid date, or outside of the years 0000 to 9999.',
  );
}

/** A date argument in milliseconds since 1970; null, with a warning, for what is none. */
export function instantOf(value: Value, context: Context, name: string): number | null {
  if (typeof value === 'number') {
    const instant = Math.trunc(value) + 0;
    return instant >= instantMin && instant <= instantMax ? instant : invalidDate(context, name);
  }
  if (typeof value === 'string') return tryParseDate(value) ?? invalidDate(context, name);
  return wrongType(context, name);
}

export function isoOf(instant: number, context: Context, name: string): Value {
  return tryFormatIso(instant) ?? invalidDate(context, name);
}

/** The zone an optional argument names: undefined when it is absent, null when it is no string. */
export function zoneOf(
  value: Value | undefined,
  context: Context,
  name: string,
): Zone | undefined | null {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? mustZone(value) : wrongType(context, name);
}

/** A date as the clocks of an optional zone show it, read as if it were UTC. */
export function localInstantOf(
  date: Value,
  zoneValue: Value | undefined,
  context: Context,
  name: string,
): number | null {
  const instant = instantOf(date, context, name);
  const zone = zoneOf(zoneValue, context, name);
  if (instant === null || zone === null) return null;
  return zone === undefined ? instant : toLocal(instant, zone);
}

export const units = [
  'millisecond',
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
] as const;
export type Unit = (typeof units)[number];

const shortUnits: Readonly<Record<string, Unit>> = {
  f: 'millisecond',
  s: 'second',
  i: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  m: 'month',
  y: 'year',
};

/** Units by name, by plural or by letter, in any case. */
export function tryUnit(value: Value | undefined): Unit | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.toLowerCase();
  if (Object.hasOwn(shortUnits, text)) return shortUnits[text];
  return units.find((unit) => text === unit || text === `${unit}s`);
}
