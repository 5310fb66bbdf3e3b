import {
  daysFromCivil,
  instantMax,
  instantMin,
  millisPerDay,
  millisPerHour,
  millisPerMinute,
  millisPerSecond,
} from './date-math.ts';

// YYYY, YYYY-MM or YYYY-MM-DD, leading zeroes optional; then a time after T or a blank; then Z or an
// offset ("Date and time representations").
const dateText =
  /^[ \t\r\n]*\+?(\d+)(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?(?:[zZ]|([+-])(\d{1,2}):(\d{1,2}))?[ \t\r\n]*$/;

/**
 * Milliseconds since 1970 of an ISO 8601 date, or undefined. February 31st is taken, as March 2nd or
 * 3rd, because ArangoDB takes it.
 */
export function tryParseDate(text: string): number | undefined {
  const match = dateText.exec(text);
  if (match === null) return undefined;
  const part = (index: number, absent: number): number =>
    match[index] === undefined ? absent : Number(match[index]);
  const [year, month, day] = [part(1, 0), part(2, 1), part(3, 1)];
  const [hour, minute, second] = [part(4, 0), part(5, 0), part(6, 0)];
  const [offsetHour, offsetMinute] = [part(9, 0), part(10, 0)];
  if (year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHour > 23 || offsetMinute > 59) return undefined;
  const millisecond = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offset = offsetHour * millisPerHour + offsetMinute * millisPerMinute;
  const instant =
    daysFromCivil({ year, month, day }) * millisPerDay +
    hour * millisPerHour +
    minute * millisPerMinute +
    second * millisPerSecond +
    millisecond -
    (match[8] === '-' ? -offset : offset);
  return instant >= instantMin && instant <= instantMax ? instant : undefined;
}

export interface IsoDuration {
  readonly months: number;
  /** Weeks and all that is smaller. */
  readonly millis: number;
}

const durationText =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,3}))?S)?)?$/;

/** An ISO 8601 duration such as P1Y2M3DT4H, or undefined. */
export function tryParseDuration(text: string): IsoDuration | undefined {
  const match = text.length > 1 ? durationText.exec(text) : null;
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  return {
    months: part(1) * 12 + part(2),
    millis:
      (part(3) * 7 + part(4)) * millisPerDay +
      part(5) * millisPerHour +
      part(6) * millisPerMinute +
      part(7) * millisPerSecond +
      Number((match[8] ?? '').padEnd(3, '0')),
  };
}
