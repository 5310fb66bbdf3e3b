import type { Entry } from './types.ts';

/**
 * Sizes that limits are counted in. Behaviour hangs on them (where a message is cut, when a proposal
 * is dropped), so they are the sizes of the library's protobuf encoding, whatever the host puts on
 * the wire.
 */

/** Bytes of a protobuf base-128 varint of a non-negative integer below 2^53. */
export function varintSize(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Each field costs a tag byte; term and index are always present, type and data may be absent. */
export function entrySize(entry: Entry): number {
  const { type, data } = entry;
  let bytes = 2 + varintSize(entry.term) + varintSize(entry.index);
  if (type !== undefined) bytes += 2;
  if (data !== undefined) bytes += 1 + varintSize(data.length) + data.length;
  return bytes;
}

export function entriesSize(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entrySize(entry);
  return bytes;
}

/** The application's bytes alone; flow control counts these. */
export function payloadsSize(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data?.length ?? 0;
  return bytes;
}

/** The longest head of `entries` within `bytesMax`, but at least one entry if there is one. */
export function limitSize(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  if (bytesMax === Number.POSITIVE_INFINITY) return entries;
  let bytes = 0;
  for (let count = 0; count < entries.length; count++) {
    bytes += entrySize(entries[count]!);
    if (bytes > bytesMax && count > 0) return entries.slice(0, count);
  }
  return entries;
}
