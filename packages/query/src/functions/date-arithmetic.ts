import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import {
  instantOf,
  invalidDate,
  isoOf,
  localInstantOf,
  tryUnit,
  zoneOf,
  type Unit,
} from './date-arguments.ts';
import {
  addMonths,
  civilDate,
  civilTime,
  daysFromCivil,
  millisOfDay,
  millisPerDay,
  millisPerHour,
  millisPerMinute,
  millisPerSecond,
} from './date-math.ts';
import { tryParseDuration, type IsoDuration } from './date-parse.ts';
import { mustZone, toLocal, toUtc } from './date-zone.ts';
import { define, finite, wrongType } from './define.ts';

type Context = EvaluationContext;
type List = readonly Value[];

const unitMillis: Readonly<Record<Exclude<Unit, 'month' | 'year'>, number>> = {
  millisecond: 1,
  second: millisPerSecond,
  minute: millisPerMinute,
  hour: millisPerHour,
  day: millisPerDay,
  week: 7 * millisPerDay,
};

// "Time unit definitions": a year has 365.2425 days, a month is a twelfth of it.
const yearMillis = 365.2425 * millisPerDay;

/**
 * So many units as months and milliseconds. Fractions of years count as months, those of months as
 * days of thirty to the month, as in ArangoDB.
 */
function durationOf(amount: number, unit: Unit): IsoDuration {
  if (unit !== 'year' && unit !== 'month') {
    return { months: 0, millis: Math.trunc(amount * unitMillis[unit]) };
  }
  const whole = Math.trunc(amount);
  if (unit === 'year') {
    const rest = durationOf((amount - whole) * 12, 'month');
    return { months: whole * 12 + rest.months, millis: rest.millis };
  }
  return { months: whole, millis: Math.trunc((amount - whole) * 30 * millisPerDay) };
}

function moved(local: number, duration: IsoDuration, sign: 1 | -1): number {
  const days = daysFromCivil(addMonths(civilDate(local), sign * duration.months));
  return days * millisPerDay + millisOfDay(local) + sign * duration.millis;
}

/** DATE_ADD(date, amount, unit, timezone?) and DATE_ADD(date, isoDuration, timezone?). */
function adding(name: string, summary: string, sign: 1 | -1): AqlFunction {
  const signature = `${name}(date, amount, unit?, timezone?) → string`;
  return define(signature, summary, (values, context) => {
    const [date, amount] = values;
    const byDuration = typeof amount === 'string' && values.length <= 3;
    const zoneValue = byDuration ? values[2] : values[3];
    const local = localInstantOf(date!, zoneValue, context, name);
    if (local === null) return null;
    if (!byDuration && (typeof amount !== 'number' || typeof values[2] !== 'string')) {
      return wrongType(context, name);
    }
    const duration = byDuration ? tryParseDuration(amount) : unitDuration(amount, values[2]);
    if (duration === undefined) return invalidDate(context, name);
    const result = moved(local, duration, sign);
    if (zoneValue === undefined) return isoOf(result, context, name);
    return isoOf(toUtc(result, mustZone(zoneValue as string)), context, name);
  });
}

function unitDuration(
  amount: Value | undefined,
  unitValue: Value | undefined,
): IsoDuration | undefined {
  const unit = tryUnit(unitValue);
  return unit === undefined ? undefined : durationOf(amount as number, unit);
}

/** The last arguments may be: asFloat, one zone, two zones, or asFloat and one or two zones. */
function difference(values: List, context: Context): Value {
  const name = 'DATE_DIFF';
  const [first, second, unitValue, ...rest] = values;
  const from = instantOf(first!, context, name);
  const to = from === null ? null : instantOf(second!, context, name);
  if (from === null || to === null) return null;
  if (typeof unitValue !== 'string') return wrongType(context, name);
  const asFloat = rest[0] === true;
  const zones = typeof rest[0] === 'boolean' ? rest.slice(1) : rest;
  if (zones.length > 2 || !zones.every((zone) => typeof zone === 'string')) {
    return wrongType(context, name);
  }
  const unit = tryUnit(unitValue);
  if (unit === undefined) return invalidDate(context, name);
  const [fromZone, toZone = fromZone] = zones.map(mustZone);
  const start = fromZone === undefined ? from : toLocal(from, fromZone);
  const end = toZone === undefined ? to : toLocal(to, toZone);
  const amount = (end - start) / divisor(unit);
  return asFloat ? finite(amount) : roundHalfAway(amount);
}

function divisor(unit: Unit): number {
  if (unit === 'year') return yearMillis;
  return unit === 'month' ? yearMillis / 12 : unitMillis[unit];
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value)) + 0;
}

// From the coarsest on; DATE_COMPARE has no weeks.
const comparedUnits: readonly Unit[] = [
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
];

function fields(instant: number): readonly number[] {
  const { year, month, day } = civilDate(instant);
  const { hour, minute, second, millisecond } = civilTime(instant);
  return [year, month, day, hour, minute, second, millisecond];
}

/** The fourth argument is the finer end of the range of units, or a zone already. */
function compare(values: List, context: Context): Value {
  const name = 'DATE_COMPARE';
  const [first, second, fromUnit, fourth, ...rest] = values;
  const left = instantOf(first!, context, name);
  const right = left === null ? null : instantOf(second!, context, name);
  if (left === null || right === null) return null;
  const start = comparedUnits.indexOf(tryUnit(fromUnit) ?? 'week');
  if (start < 0) return wrongType(context, name);
  const endUnit = tryUnit(fourth);
  const end = endUnit === undefined ? start : comparedUnits.indexOf(endUnit);
  const zones = endUnit === undefined && fourth !== undefined ? [fourth, ...rest] : rest;
  if (end < 0 || zones.length > 2) return wrongType(context, name);
  if (!zones.every((zone) => typeof zone === 'string')) return wrongType(context, name);
  const [leftZone, rightZone = leftZone] = zones.map(mustZone);
  const a = fields(leftZone === undefined ? left : toLocal(left, leftZone));
  const b = fields(rightZone === undefined ? right : toLocal(right, rightZone));
  for (let i = start; i <= Math.max(start, end); i++) if (a[i] !== b[i]) return false;
  return true;
}

function truncated(local: number, unit: Unit): number | undefined {
  const { year, month } = civilDate(local);
  switch (unit) {
    case 'year':
      return daysFromCivil({ year, month: 1, day: 1 }) * millisPerDay;
    case 'month':
      return daysFromCivil({ year, month, day: 1 }) * millisPerDay;
    case 'week':
      return undefined;
    default:
      return Math.floor(local / unitMillis[unit]) * unitMillis[unit];
  }
}

function truncate(values: List, context: Context): Value {
  const name = 'DATE_TRUNC';
  const [date, unitValue, zoneValue] = values;
  const local = localInstantOf(date!, zoneValue, context, name);
  if (local === null) return null;
  if (typeof unitValue !== 'string') return wrongType(context, name);
  const unit = tryUnit(unitValue);
  const result = unit === undefined ? undefined : truncated(local, unit);
  return result === undefined
    ? invalidDate(context, name)
    : zonedIso(result, zoneValue, context, name);
}

function zonedIso(
  local: number,
  zoneValue: Value | undefined,
  context: Context,
  name: string,
): Value {
  const zone = zoneOf(zoneValue, context, name);
  if (zone === null) return null;
  return isoOf(zone === undefined ? local : toUtc(local, zone), context, name);
}

/** Rounds towards 1970 to a multiple of so many units, as ArangoDB's integer division does. */
function round(values: List, context: Context): Value {
  const name = 'DATE_ROUND';
  const [date, amount, unitValue, zoneValue] = values;
  const local = localInstantOf(date!, zoneValue, context, name);
  if (local === null) return null;
  const unit = tryUnit(unitValue);
  const count = typeof amount === 'number' ? toInteger(amount) : 0;
  if (count <= 0 || unit === undefined || unit === 'week' || unit === 'month' || unit === 'year') {
    return wrongType(context, name);
  }
  const step = count * unitMillis[unit];
  return zonedIso(Math.trunc(local / step) * step + 0, zoneValue, context, name);
}

export const dateArithmeticFunctions: readonly AqlFunction[] = [
  adding('DATE_ADD', 'A date moved by an amount of a unit, or by an ISO 8601 duration.', 1),
  adding('DATE_SUBTRACT', 'A date moved back by an amount of a unit or a duration.', -1),
  define(
    'DATE_DIFF(from, to, unit, asFloat?, timezone?, toTimezone?) → number',
    'The time between two dates in a unit, rounded unless asFloat is true.',
    difference,
  ),
  define(
    'DATE_COMPARE(first, second, unit, toUnit?, timezone?, secondTimezone?) → bool',
    'Whether two dates agree in the parts from one unit to a finer one.',
    compare,
  ),
  define(
    'DATE_TRUNC(date, unit, timezone?) → string',
    'A date with all finer parts cut off.',
    truncate,
  ),
  define(
    'DATE_ROUND(date, amount, unit, timezone?) → string',
    'A date cut to a multiple of an amount of a unit.',
    round,
  ),
];
