import { themisError } from '@themisdb/protocol';
import {
  daysFromCivil,
  millisPerDay,
  millisPerHour,
  millisPerMinute,
  millisPerSecond,
} from './date-math.ts';

/**
 * Time zones by IANA name, from the database the JavaScript engine carries. Only formatting of given
 * numbers is used: nothing here knows what time it is or where the machine stands.
 */
export interface Zone {
  readonly name: string;
  /** Milliseconds that local time is ahead of UTC at an instant. */
  offset(instant: number): number;
}

const zonesMax = 64;
const zones = new Map<string, Zone>();

/** Throws AQL_INVALID_ARGUMENT for a name the engine does not know. */
export function mustZone(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = makeZone(name);
    if (zones.size >= zonesMax) zones.delete(zones.keys().next().value!);
    zones.set(name, zone);
  }
  return zone;
}

function makeZone(name: string): Zone {
  if (name === 'UTC') return { name, offset: () => 0 };
  const formatter = tryFormatter(name);
  if (formatter === undefined) {
    throw themisError('AQL_INVALID_ARGUMENT', {
      message: `There is no time zone ${JSON.stringify(name.slice(0, 80))}: use an IANA name such as "Europe/Berlin".`,
      details: { timezone: name.slice(0, 80) },
    });
  }
  return { name, offset: (instant) => localTime(formatter, instant) - wholeSeconds(instant) };
}

function wholeSeconds(instant: number): number {
  return Math.floor(instant / millisPerSecond) * millisPerSecond;
}

function tryFormatter(name: string): Intl.DateTimeFormat | undefined {
  // Some engines take offsets such as +01:00 for names; AQL does not.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Local time read as if it were UTC, to the second. */
function localTime(formatter: Intl.DateTimeFormat, instant: number): number {
  const fields = new Map<string, string>();
  for (const { type, value } of formatter.formatToParts(instant)) fields.set(type, value);
  const field = (name: string): number => Number(fields.get(name));
  const beforeChrist = fields.get('era')!.startsWith('B');
  const year = beforeChrist ? 1 - field('year') : field('year');
  return (
    daysFromCivil({ year, month: field('month'), day: field('day') }) * millisPerDay +
    field('hour') * millisPerHour +
    field('minute') * millisPerMinute +
    field('second') * millisPerSecond
  );
}

export function toLocal(instant: number, zone: Zone): number {
  return instant + zone.offset(instant);
}

/**
 * The instant at which the clocks show `local`: the first one when they show it twice; when they
 * skip it, the instant had they not been changed.
 */
export function toUtc(local: number, zone: Zone): number {
  // Clocks are never more than a day from UTC, and changes are more than two days apart.
  const before = zone.offset(local - millisPerDay);
  const after = zone.offset(local + millisPerDay);
  const early = local - before;
  if (zone.offset(early) === before) return early;
  const late = local - after;
  return zone.offset(late) === after ? late : early;
}

let names: readonly string[] | undefined;

export function zoneNames(): readonly string[] {
  names ??= [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].sort();
  return names;
}
