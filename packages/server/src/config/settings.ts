import { themisError } from '@themisdb/protocol';
import type { ConfigKey } from './keys.ts';
import { readPeers } from './peers.ts';
import type { PeerConfig } from './server-config.ts';

export type Setting = string | number | boolean | readonly string[] | readonly PeerConfig[];

/** A given value as its key's type, or CONFIG_INVALID that names the source and what is allowed. */
export function readSetting(key: ConfigKey, given: unknown, where: () => string): Setting {
  if (key.type === 'peers') return readPeers(given, where);
  const value = convert(key, given);
  if (value !== undefined && isWithin(key, value)) return value;
  throw themisError('CONFIG_INVALID', {
    message: `${where()} has the value ${JSON.stringify(given)}; allowed: ${allowed(key)}`,
    details: { source: where() },
  });
}

function convert(key: ConfigKey, given: unknown): Setting | undefined {
  switch (key.type) {
    case 'text':
    case 'choice':
      return typeof given === 'string' && given !== '' ? given : undefined;
    case 'texts':
      return texts(given);
    case 'switch':
      return given === true || given === 'true'
        ? true
        : given === false || given === 'false'
          ? false
          : undefined;
    case 'integer':
      return quantity(given, { '': 1 });
    case 'bytes':
      return quantity(given, { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 });
    case 'duration':
      return quantity(given, { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 });
    case 'peers':
      return undefined;
  }
}

function texts(given: unknown): readonly string[] | undefined {
  if (typeof given === 'string') return given.split(',').map((part) => part.trim());
  if (!Array.isArray(given)) return undefined;
  return given.every((part) => typeof part === 'string') ? (given as string[]) : undefined;
}

function quantity(given: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof given === 'number') return Number.isSafeInteger(given) ? given : undefined;
  if (typeof given !== 'string') return undefined;
  const match = /^(\d{1,16})\s*([a-z]*)$/i.exec(given.trim());
  const unit = match?.[2]?.toLowerCase() ?? '-';
  if (!Object.hasOwn(units, unit)) return undefined;
  const value = Number(match![1]) * units[unit]!;
  return Number.isSafeInteger(value) ? value : undefined;
}

function isWithin(key: ConfigKey, value: Setting): boolean {
  if (typeof value === 'number') {
    return value >= (key.min ?? -Infinity) && value <= (key.max ?? Infinity);
  }
  if (key.choices !== undefined) return key.choices.includes(value as string);
  return !Array.isArray(value) || value.every((part) => part !== '');
}

function allowed(key: ConfigKey): string {
  if (key.choices !== undefined) return key.choices.join(', ');
  switch (key.type) {
    case 'integer':
      return `an integer from ${key.min} to ${key.max}`;
    case 'bytes':
      return `bytes from ${key.min} to ${key.max}, as 65536, 64KiB, 16MiB or 1GiB`;
    case 'duration':
      return `milliseconds from ${key.min} to ${key.max}, as 500, 500ms, 30s, 5m or 1h`;
    case 'switch':
      return 'true, false';
    case 'texts':
      return 'texts, separated by commas';
    default:
      return 'a text that is not empty';
  }
}
