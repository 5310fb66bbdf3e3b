import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { formatDate } from './date-format.ts';
import {
  civilDate,
  civilTime,
  dayOfWeek,
  dayOfYear,
  daysFromCivil,
  instantMax,
  instantMin,
  isoWeek,
  millisPerDay,
  tryFormatIso,
} from './date-math.ts';
import { tryParseDate } from './date-parse.ts';
import { mustZone, toLocal, toUtc } from './date-zone.ts';

const seed = 20_240_229;

test(`calendar arithmetic equals the platform's, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  for (let i = 0; i < 2_000; i++) {
    const instant = Math.floor(instantMin + prng.float() * (instantMax - instantMin));
    const date = new Date(instant);
    const civil = civilDate(instant);
    expect(civil).toEqual({
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
    });
    expect(civilTime(instant)).toEqual({
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      millisecond: date.getUTCMilliseconds(),
    });
    expect(daysFromCivil(civil)).toBe(Math.floor(instant / millisPerDay));
    expect(dayOfWeek(instant)).toBe(date.getUTCDay());
    expect(tryFormatIso(instant)).toBe(date.toISOString());
    expect(tryParseDate(date.toISOString())).toBe(instant);
    expect(formatDate('%yyyy-%mm-%ddT%hh:%ii:%ss.%fffZ', instant)).toBe(date.toISOString());
    const newYear = new Date(0);
    newYear.setUTCFullYear(civil.year, 0, 1);
    expect(dayOfYear(instant)).toBe(Math.floor((instant - newYear.getTime()) / millisPerDay) + 1);
  }
});

test('ISO weeks go up by one from Monday to Monday and start with the week of January 4th', () => {
  const first = daysFromCivil({ year: 1900, month: 1, day: 1 });
  let before = isoWeek((first - 7) * millisPerDay);
  for (let day = first; day < first + 80 * 366; day += 7) {
    const now = isoWeek(day * millisPerDay);
    expect(isoWeek((day + 6) * millisPerDay)).toEqual(now);
    if (now.week === 1) {
      expect(now.year).toBe(before.year + 1);
      const fourth = daysFromCivil({ year: now.year, month: 1, day: 4 });
      expect(fourth - day).toBeGreaterThanOrEqual(0);
      expect(fourth - day).toBeLessThan(7);
    } else {
      expect(now).toEqual({ week: before.week + 1, year: before.year });
    }
    before = now;
  }
});

test(`local time and back is the same instant, seed ${String(seed)}`, () => {
  const prng = new Prng(seed);
  for (const name of ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Tokyo']) {
    const zone = mustZone(name);
    for (let i = 0; i < 300; i++) {
      const instant = Math.floor(prng.float() * 2_000_000_000_000);
      const local = toLocal(instant, zone);
      const back = toUtc(local, zone);
      // Twice-shown times lead to the first of the two instants.
      if (back !== instant) expect(toLocal(back, zone)).toBe(local);
      expect(back).toBeLessThanOrEqual(instant);
    }
  }
});
