import { utf8Decode } from '@themisdb/base';

const fromCodes = String.fromCharCode;

/** Text of `length` UTF-8 bytes at `start`. */
export function decodeText(bytes: Uint8Array, start: number, length: number): string {
  if (length <= 56) {
    const text = shortAscii(bytes, start, length);
    if (text !== undefined) return text;
  }
  return utf8Decode(bytes.subarray(start, start + length));
}

/**
 * Undefined when a byte is not ASCII. Calls of fixed arity with eight codes at a time measured fastest:
 * single characters, `apply` on a list and a native decoder all cost two to three times as much.
 */
function shortAscii(b: Uint8Array, start: number, length: number): string | undefined {
  const end = start + length;
  let all = 0;
  for (let i = start; i < end; i++) all |= b[i]!;
  if (all >= 0x80) return undefined;
  if (length < 8) return under8(b, start, length);
  let text = eight(b, start);
  let i = start + 8;
  for (; i + 8 <= end; i += 8) text += eight(b, i);
  return i === end ? text : text + under8(b, i, end - i);
}

function eight(b: Uint8Array, i: number): string {
  return fromCodes(
    b[i]!,
    b[i + 1]!,
    b[i + 2]!,
    b[i + 3]!,
    b[i + 4]!,
    b[i + 5]!,
    b[i + 6]!,
    b[i + 7]!,
  );
}

function under8(b: Uint8Array, i: number, length: number): string {
  switch (length) {
    case 0:
      return '';
    case 1:
      return fromCodes(b[i]!);
    case 2:
      return fromCodes(b[i]!, b[i + 1]!);
    case 3:
      return fromCodes(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4:
      return fromCodes(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5:
      return fromCodes(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6:
      return fromCodes(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    default:
      return fromCodes(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
  }
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
