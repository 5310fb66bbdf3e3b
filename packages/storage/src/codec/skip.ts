import { themisError } from '@themisdb/protocol';
import { getU16, getU32 } from './integers.ts';

/** The offset after the value that starts at `start`, found without decoding it. */
export function skipValue(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let pending = 1; pending > 0; pending--) {
    const type = bytes[at++]!;
    if (type < 0x80 || type >= 0xe0) continue;
    if (type < 0x90) pending += 2 * (type & 0x0f);
    else if (type < 0xa0) pending += type & 0x0f;
    else if (type < 0xc0) at += type & 0x1f;
    else if (type === 0xcb || type === 0xcf || type === 0xd3) at += 8;
    else if (type === 0xce || type === 0xd2) at += 4;
    else if (type === 0xcd || type === 0xd1) at += 2;
    else if (type === 0xcc || type === 0xd0) at += 1;
    else if (type === 0xd9) at += 1 + bytes[at]!;
    else if (type === 0xda) at += 2 + getU16(bytes, at);
    else if (type === 0xdb) at += 4 + getU32(bytes, at);
    else if (type === 0xdc || type === 0xde) {
      pending += type === 0xde ? 2 * getU16(bytes, at) : getU16(bytes, at);
      at += 2;
    } else if (type === 0xdd || type === 0xdf) {
      pending += type === 0xdf ? 2 * getU32(bytes, at) : getU32(bytes, at);
      at += 4;
    } else if (type !== 0xc0 && type !== 0xc2 && type !== 0xc3) refuse(type);
  }
  return at;
}

function refuse(type: number): never {
  throw themisError('DATA_CORRUPT', {
    message: `a stored value holds the byte 0x${type.toString(16)} where a value must start`,
  });
}
