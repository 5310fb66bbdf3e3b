import {
  civilDate,
  civilTime,
  dayOfWeek,
  dayOfYear,
  daysInMonth,
  isLeapYear,
  isoWeek,
  padded,
  tryFormatIso,
} from './date-math.ts';

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

type Placeholder = (instant: number) => string;

const year: Placeholder = (instant) => String(civilDate(instant).year);
const month = (instant: number): number => civilDate(instant).month;

// The placeholders of DATE_FORMAT() in the manual; `%&` ends one without adding anything.
const placeholders: ReadonlyMap<string, Placeholder> = new Map<string, Placeholder>([
  ['%yyyyyy', (instant) => `+${padded(civilDate(instant).year, 6)}`],
  ['%yyyy', (instant) => padded(civilDate(instant).year, 4)],
  ['%yy', (instant) => padded(civilDate(instant).year % 100, 2)],
  ['%y', year],
  ['%mmmm', (instant) => months[month(instant) - 1]!],
  ['%mmm', (instant) => months[month(instant) - 1]!.slice(0, 3)],
  ['%mm', (instant) => padded(month(instant), 2)],
  ['%m', (instant) => String(month(instant))],
  ['%dd', (instant) => padded(civilDate(instant).day, 2)],
  ['%d', (instant) => String(civilDate(instant).day)],
  ['%hh', (instant) => padded(civilTime(instant).hour, 2)],
  ['%h', (instant) => String(civilTime(instant).hour)],
  ['%ii', (instant) => padded(civilTime(instant).minute, 2)],
  ['%i', (instant) => String(civilTime(instant).minute)],
  ['%ss', (instant) => padded(civilTime(instant).second, 2)],
  ['%s', (instant) => String(civilTime(instant).second)],
  ['%fff', (instant) => padded(civilTime(instant).millisecond, 3)],
  ['%f', (instant) => String(civilTime(instant).millisecond)],
  ['%xxx', (instant) => padded(dayOfYear(instant), 3)],
  ['%x', (instant) => String(dayOfYear(instant))],
  ['%kk', (instant) => padded(isoWeek(instant).week, 2)],
  ['%k', (instant) => String(isoWeek(instant).week)],
  ['%wwww', (instant) => weekdays[dayOfWeek(instant)]!],
  ['%www', (instant) => weekdays[dayOfWeek(instant)]!.slice(0, 3)],
  ['%w', (instant) => String(dayOfWeek(instant))],
  ['%l', (instant) => (isLeapYear(civilDate(instant).year) ? '1' : '0')],
  ['%q', (instant) => String(Math.ceil(month(instant) / 3))],
  ['%a', (instant) => String(daysInMonth(civilDate(instant).year, month(instant)))],
  ['%t', (instant) => String(instant)],
  ['%z', (instant) => tryFormatIso(instant) ?? ''],
  ['%&', () => ''],
  ['%%', () => '%'],
  ['%', () => ''],
]);

const placeholderText = new RegExp(
  [...placeholders.keys()].sort((a, b) => b.length - a.length).join('|'),
  'g',
);

/** DATE_FORMAT(): the longest placeholder that fits is taken; all else stays as it is. */
export function formatDate(format: string, instant: number): string {
  return format.replace(placeholderText, (found) => placeholders.get(found)!(instant));
}
