import { makeObject, type Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';
import { toInteger } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { instantOf, invalidDate, isoOf, localInstantOf, zoneOf } from './date-arguments.ts';
import { formatDate } from './date-format.ts';
import {
  addMonths,
  civilDate,
  civilTime,
  dayOfWeek,
  dayOfYear,
  daysFromCivil,
  daysInMonth,
  isLeapYear,
  isoWeek,
  millisPerDay,
  millisPerHour,
  millisPerMinute,
  millisPerSecond,
  tryFormatIso,
} from './date-math.ts';
import { tryParseDate } from './date-parse.ts';
import { mustZone, toLocal, toUtc, zoneNames } from './date-zone.ts';
import { define, define1, perRun, wrongType } from './define.ts';
import { themisError } from '@themisdb/protocol';

type Context = EvaluationContext;
type List = readonly Value[];

/** One date, or year, month, day and so on down to milliseconds; too large parts run over. */
function instantFrom(values: List, context: Context, name: string): number | null {
  if (values.length === 1) return instantOf(values[0]!, context, name);
  if (values.length < 3) return wrongType(context, name, 'a date needs year, month and day.');
  if (!values.every((value) => typeof value === 'number' || typeof value === 'string')) {
    return wrongType(context, name);
  }
  const parts = values.map(toInteger);
  const [year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0] = parts as [
    number,
    number,
    number,
  ];
  if (parts.some((part) => part < 0) || year > 9999) return invalidDate(context, name);
  const date = { ...addMonths({ year, month: 1, day }, month - 1), day };
  const instant =
    daysFromCivil(date) * millisPerDay +
    hour * millisPerHour +
    minute * millisPerMinute +
    second * millisPerSecond +
    Math.min(millisecond, 999);
  return Number.isSafeInteger(instant) ? instant : invalidDate(context, name);
}

/** A function of a date, in an optional time zone. */
function part(
  name: string,
  result: string,
  summary: string,
  calculate: (instant: number) => Value,
): AqlFunction {
  return define(`${name}(date, timezone?) → ${result}`, summary, ([date, zone], context) => {
    const instant = localInstantOf(date!, zone, context, name);
    return instant === null ? null : calculate(instant);
  });
}

function timePart(
  name: string,
  summary: string,
  calculate: (instant: number) => number,
): AqlFunction {
  return define1(`${name}(date) → number`, summary, (date, context) => {
    const instant = instantOf(date, context, name);
    return instant === null ? null : calculate(instant);
  });
}

function isoWeekYear(instant: number): Value {
  const out = makeObject();
  const { week, year } = isoWeek(instant);
  out['week'] = week;
  out['year'] = year;
  return out;
}

function format(values: List, context: Context): Value {
  const [date, pattern, zone] = values;
  const instant = localInstantOf(date!, zone, context, 'DATE_FORMAT');
  if (instant === null) return null;
  return typeof pattern === 'string'
    ? formatDate(pattern, instant)
    : wrongType(context, 'DATE_FORMAT');
}

function utcToLocal(values: List, context: Context): Value {
  const name = 'DATE_UTCTOLOCAL';
  const instant = instantOf(values[0]!, context, name);
  const zone = zoneOf(values[1], context, name);
  if (instant === null || zone === null || zone === undefined) return null;
  refuseDetail(values[2], name);
  const offset = zone.offset(instant);
  return (
    tryFormatIso(toLocal(instant, zone), offset === 0 ? 'Z' : '') ?? invalidDate(context, name)
  );
}

function localToUtc(values: List, context: Context): Value {
  const name = 'DATE_LOCALTOUTC';
  const local = instantOf(values[0]!, context, name);
  if (typeof values[1] !== 'string') return wrongType(context, name);
  refuseDetail(values[2], name);
  return local === null ? null : isoOf(toUtc(local, mustZone(values[1])), context, name);
}

function refuseDetail(detail: Value | undefined, name: string): void {
  if (detail === undefined || detail === false || detail === null) return;
  throw themisError('NOT_IMPLEMENTED', {
    message: `${name}() with details of the time zone is not supported by this version.`,
  });
}

export const dateFunctions: readonly AqlFunction[] = [
  perRun(
    define(
      'DATE_NOW() → number',
      'The time the query started, in milliseconds since 1970.',
      (_values, context) => context.nowMs,
    ),
  ),
  define(
    'DATE_TIMESTAMP(date, month?, day?, hour?, minute?, second?, millisecond?) → number',
    'Milliseconds since 1970 of a date or of its parts.',
    (values, context) => instantFrom(values, context, 'DATE_TIMESTAMP'),
  ),
  define(
    'DATE_ISO8601(date, month?, day?, hour?, minute?, second?, millisecond?) → string',
    'A date or its parts as an ISO 8601 string.',
    (values, context) => {
      const instant = instantFrom(values, context, 'DATE_ISO8601');
      return instant === null ? null : isoOf(instant, context, 'DATE_ISO8601');
    },
  ),
  define1(
    'IS_DATESTRING(value) → bool',
    'Whether it is a string that date functions take.',
    (value) => typeof value === 'string' && tryParseDate(value) !== undefined,
  ),
  part('DATE_YEAR', 'number', 'The year.', (instant) => civilDate(instant).year),
  part('DATE_MONTH', 'number', 'The month, 1 to 12.', (instant) => civilDate(instant).month),
  part('DATE_DAY', 'number', 'The day of the month.', (instant) => civilDate(instant).day),
  part('DATE_HOUR', 'number', 'The hour.', (instant) => civilTime(instant).hour),
  part('DATE_MINUTE', 'number', 'The minute.', (instant) => civilTime(instant).minute),
  timePart('DATE_SECOND', 'The second.', (instant) => civilTime(instant).second),
  timePart('DATE_MILLISECOND', 'The millisecond.', (instant) => civilTime(instant).millisecond),
  part('DATE_DAYOFWEEK', 'number', 'The day of the week, 0 is Sunday.', dayOfWeek),
  part('DATE_DAYOFYEAR', 'number', 'The day of the year, from 1.', dayOfYear),
  part('DATE_ISOWEEK', 'number', 'The ISO week.', (instant) => isoWeek(instant).week),
  part('DATE_ISOWEEKYEAR', 'object', 'The ISO week and the year it belongs to.', isoWeekYear),
  part('DATE_QUARTER', 'number', 'The quarter, 1 to 4.', (instant) =>
    Math.ceil(civilDate(instant).month / 3),
  ),
  part('DATE_LEAPYEAR', 'bool', 'Whether the year is a leap year.', (instant) =>
    isLeapYear(civilDate(instant).year),
  ),
  part('DATE_DAYS_IN_MONTH', 'number', 'How many days the month has.', (instant) => {
    const { year, month } = civilDate(instant);
    return daysInMonth(year, month);
  }),
  define(
    'DATE_FORMAT(date, format, timezone?) → string',
    'A date with placeholders such as %yyyy, %mm, %dd, %hh, %ii, %ss.',
    format,
  ),
  define(
    'DATE_UTCTOLOCAL(date, timezone, detail?) → string',
    'What the clocks in a time zone show at an instant.',
    utcToLocal,
  ),
  define(
    'DATE_LOCALTOUTC(date, timezone, detail?) → string',
    'The instant at which the clocks in a time zone show a date.',
    localToUtc,
  ),
  define('DATE_TIMEZONE() → string', 'The time zone of the server: always UTC.', () => 'UTC'),
  define('DATE_TIMEZONES() → array', 'The names of the time zones known.', () => zoneNames()),
];
