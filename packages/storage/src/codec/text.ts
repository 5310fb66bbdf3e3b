import { utf8Decode } from '@themisdb/base';

const fromCodes = String.fromCharCode;

/** Text of `length` UTF-8 bytes at `start`. */
export function decodeText(bytes: Uint8Array, start: number, length: number): string {
  if (length <= 64) {
    const text = shortAscii(bytes, start, length);
    if (text !== undefined) return text;
  }
  return utf8Decode(bytes.subarray(start, start + length));
}

/** Undefined when a byte is not ASCII. */
function shortAscii(b: Uint8Array, start: number, length: number): string | undefined {
  let text = '';
  let i = start;
  const end = start + length;
  for (; i + 4 <= end; i += 4) {
    const p = b[i]!;
    const q = b[i + 1]!;
    const r = b[i + 2]!;
    const s = b[i + 3]!;
    if ((p | q | r | s) >= 0x80) return undefined;
    text += fromCodes(p, q, r, s);
  }
  for (; i < end; i++) {
    const p = b[i]!;
    if (p >= 0x80) return undefined;
    text += fromCodes(p);
  }
  return text;
}

interface Name {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const slots = 4096;
const names: (Name | undefined)[] = new Array<Name | undefined>(slots).fill(undefined);

/**
 * Attribute names repeat from record to record: one string object per name makes objects of one
 * shape and saves decoding. A direct-mapped cache; a collision just replaces.
 */
export function cachedName(bytes: Uint8Array, start: number, length: number): string {
  if (length > 64) return decodeText(bytes, start, length);
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[start + i]!) | 0;
  const slot = (hash ^ (hash >>> 12)) & (slots - 1);
  const known = names[slot];
  if (known !== undefined && sameBytes(known.bytes, bytes, start, length)) return known.text;
  const text = decodeText(bytes, start, length);
  names[slot] = { bytes: bytes.slice(start, start + length), text };
  return text;
}

export function sameBytes(
  expected: Uint8Array,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  if (expected.length !== length) return false;
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[start + i]) return false;
  return true;
}
