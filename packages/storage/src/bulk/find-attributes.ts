import { getU16, getU32 } from '../codec/integers.ts';
import { skipValue } from '../codec/skip.ts';
import { decodeText } from '../codec/text.ts';

/** Calls `visit` with the name of each attribute of the encoded document at `start`, and where its value starts. */
export function findAttributes(
  bytes: Uint8Array,
  start: number,
  visit: (name: string, valueAt: number) => void,
): void {
  const type = bytes[start]!;
  let at = start + (type === 0xdf ? 5 : type === 0xde ? 3 : 1);
  let count =
    type === 0xdf ? getU32(bytes, start + 1) : type === 0xde ? getU16(bytes, start + 1) : type & 15;
  for (; count > 0; count--) {
    const valueAt = skipValue(bytes, at);
    visit(nameAt(bytes, at, valueAt), valueAt);
    at = skipValue(bytes, valueAt);
  }
}

function nameAt(bytes: Uint8Array, at: number, end: number): string {
  const type = bytes[at]!;
  const header = type < 0xc0 ? 1 : type === 0xd9 ? 2 : type === 0xda ? 3 : 5;
  return decodeText(bytes, at + header, end - at - header);
}
