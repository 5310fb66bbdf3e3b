import { getU32, getU64, setU32, setU64 } from './codec/integers.ts';
import { crc32c } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { Timestamp } from './contract/transaction.ts';

/**
 * How a record stands in record and history space:
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 1 | format, 1 |
 * | 1 | 1 | flags: 1 = tombstone (no body) |
 * | 2 | 4 | crc32c of all bytes after it, started with format × 256 + flags |
 * | 6 | 8 | commit timestamp |
 * | 14 | … | body: the document as a msgpack map |
 */
export const envelopeBytes = 14;
const format = 1;
const flagTombstone = 1;

/** Writes the header before a body of `bodyBytes` that already stands at `at + envelopeBytes`. */
export function sealEnvelope(
  target: Uint8Array,
  at: number,
  envelope: { readonly timestamp: Timestamp; readonly bodyBytes: number },
): void {
  seal(target, at, 0, envelope);
}

export function makeTombstone(timestamp: Timestamp): Uint8Array {
  const out = new Uint8Array(envelopeBytes);
  seal(out, 0, flagTombstone, { timestamp, bodyBytes: 0 });
  return out;
}

function seal(
  target: Uint8Array,
  at: number,
  flags: number,
  { timestamp, bodyBytes }: { readonly timestamp: Timestamp; readonly bodyBytes: number },
): void {
  setU64(target, at + 6, timestamp);
  sealStamped(target, at, flags, bodyBytes);
}

/** The timestamp stands there already. */
function sealStamped(target: Uint8Array, at: number, flags: number, bodyBytes: number): void {
  target[at] = format;
  target[at + 1] = flags;
  const end = at + envelopeBytes + bodyBytes;
  setU32(target, at + 2, crc32c(target, at + 6, end, (format << 8) | flags));
}

/** Writes the headers of the many envelopes of one commit. */
export class EnvelopeSealer {
  readonly #high: number;
  readonly #low: number;

  constructor(timestamp: Timestamp) {
    this.#high = Number((timestamp >> 32n) & 0xffff_ffffn);
    this.#low = Number(timestamp & 0xffff_ffffn);
  }

  seal(target: Uint8Array, at: number, end: number): void {
    setU32(target, at + 6, this.#high);
    setU32(target, at + 10, this.#low);
    sealStamped(target, at, 0, end - at - envelopeBytes);
  }
}

export function isTombstone(envelope: Uint8Array): boolean {
  return (envelope[1]! & flagTombstone) !== 0;
}

/** Of an envelope, or of the one that starts at `at`. */
export function timestampOf(envelope: Uint8Array, at = 0): Timestamp {
  return getU64(envelope, at + 6);
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
);

/** The timestamp as `formatTimestamp` writes it, without a bigint in between. */
export function revisionOf(e: Uint8Array, at = 0): string {
  return (
    hex[e[at + 6]!]! +
    hex[e[at + 7]!]! +
    hex[e[at + 8]!]! +
    hex[e[at + 9]!]! +
    hex[e[at + 10]!]! +
    hex[e[at + 11]!]! +
    hex[e[at + 12]!]! +
    hex[e[at + 13]!]!
  );
}

/** Throws DATA_CORRUPT unless the checksum holds and the format is known. */
export function checkEnvelope(envelope: Uint8Array): void {
  const flags = envelope[1]!;
  const seed = (envelope[0]! << 8) | flags;
  const holds =
    envelope.length >= envelopeBytes &&
    getU32(envelope, 2) === crc32c(envelope, 6, envelope.length, seed);
  if (holds && envelope[0] === format) return;
  if (holds)
    throw themisError('FORMAT_UNKNOWN', {
      message: `a record has format ${envelope[0]}; 1 is known`,
    });
  throw themisError('DATA_CORRUPT', { message: 'a stored record failed its checksum' });
}
