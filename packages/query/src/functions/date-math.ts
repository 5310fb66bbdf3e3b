// The proleptic Gregorian calendar on milliseconds since 1970-01-01T00:00Z, without leap seconds.
// Days to dates and back after Howard Hinnant, "chrono-compatible low-level date algorithms".

export const millisPerSecond = 1_000;
export const millisPerMinute = 60_000;
export const millisPerHour = 3_600_000;
export const millisPerDay = 86_400_000;

/** 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what AQL takes for dates. */
export const instantMin = -62_167_219_200_000;
export const instantMax = 253_402_300_799_999;

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

export interface CivilTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** Days since 1970-01-01. Days past the end of the month run on into the next. */
export function daysFromCivil(date: CivilDate): number {
  // Years begin in March here, so that the leap day is the last of the year.
  const year = date.month <= 2 ? date.year - 1 : date.year;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const monthFromMarch = (date.month + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + date.day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

export function dayOf(instant: number): number {
  return Math.floor(instant / millisPerDay);
}

export function civilDate(instant: number): CivilDate {
  return civilFromDays(dayOf(instant));
}

/** Milliseconds since midnight. */
export function millisOfDay(instant: number): number {
  return instant - dayOf(instant) * millisPerDay;
}

export function civilTime(instant: number): CivilTime {
  const millis = millisOfDay(instant);
  return {
    hour: Math.floor(millis / millisPerHour),
    minute: Math.floor(millis / millisPerMinute) % 60,
    second: Math.floor(millis / millisPerSecond) % 60,
    millisecond: millis % 1000,
  };
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** 0 is Sunday. */
export function dayOfWeek(instant: number): number {
  return (((dayOf(instant) + 4) % 7) + 7) % 7;
}

/** 1 is January 1st. */
export function dayOfYear(instant: number): number {
  const { year } = civilDate(instant);
  return dayOf(instant) - daysFromCivil({ year, month: 1, day: 1 }) + 1;
}

export interface IsoWeek {
  readonly week: number;
  readonly year: number;
}

/** The ISO 8601 week: it begins on Monday and belongs to the year of its Thursday. */
export function isoWeek(instant: number): IsoWeek {
  const weekday = (dayOfWeek(instant) + 6) % 7;
  const thursday = dayOf(instant) - weekday + 3;
  const { year } = civilFromDays(thursday);
  const first = daysFromCivil({ year, month: 1, day: 1 });
  return { week: Math.floor((thursday - first) / 7) + 1, year };
}

/** Moves by whole months; the day stays, and runs on where the month has no such day. */
export function addMonths(date: CivilDate, months: number): CivilDate {
  const index = date.year * 12 + (date.month - 1) + months;
  const year = Math.floor(index / 12);
  return { year, month: index - year * 12 + 1, day: date.day };
}

/** YYYY-MM-DDTHH:MM:SS.mmmZ, or undefined outside of the years 0000 to 9999. */
export function tryFormatIso(instant: number, zone: 'Z' | '' = 'Z'): string | undefined {
  if (!(instant >= instantMin && instant <= instantMax)) return undefined;
  const { year, month, day } = civilDate(instant);
  const { hour, minute, second, millisecond } = civilTime(instant);
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  const time = `${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}`;
  return `${date}T${time}.${padded(millisecond, 3)}${zone}`;
}

export function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
