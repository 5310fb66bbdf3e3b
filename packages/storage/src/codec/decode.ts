import { makeObject, type MutableObject, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { getU16, getU32 } from './integers.ts';
import { cachedName, decodeText } from './text.ts';

// The decoder works on module state rather than on an object: decoding is synchronous and never
// re-entered, and locals of the module are what V8 reads fastest. No DataView either: making one per
// record would cost more than all its numbers.
let source: Uint8Array = new Uint8Array(0);
let at = 0;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Decodes the one value that starts at `start`; bytes after it are ignored. */
export function decodeValue(bytes: Uint8Array, start = 0): Value {
  source = bytes;
  at = start;
  return read();
}

/** Decodes the map that starts at `start` into `out`, over what is there. */
export function decodeMapInto(out: MutableObject, bytes: Uint8Array, start: number): void {
  source = bytes;
  at = start;
  const type = source[at++]!;
  if ((type & 0xf0) === 0x80) readInto(out, type & 0x0f);
  else if (type === 0xde) readInto(out, getU16(source, skip(2)));
  else if (type === 0xdf) readInto(out, getU32(source, skip(4)));
  else badByte(type);
}

/** Decodes a value and tells where it ended. */
export function decodeValueAt(bytes: Uint8Array, start: number): { value: Value; end: number } {
  source = bytes;
  at = start;
  const value = read();
  return { value, end: at };
}

function read(): Value {
  const type = source[at++]!;
  if (type < 0x80) return type;
  if (type < 0x90) return readMap(type & 0x0f);
  if (type < 0xa0) return readArray(type & 0x0f);
  if (type < 0xc0) return readString(type & 0x1f);
  if (type >= 0xe0) return type - 0x100;
  return readTyped(type);
}

function readTyped(type: number): Value {
  switch (type) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xcb:
      return readFloat();
    case 0xcc:
      return source[at++]!;
    case 0xcd:
      return getU16(source, skip(2));
    case 0xce:
      return getU32(source, skip(4));
    case 0xcf:
      return readU64();
    case 0xd0:
      return (source[at++]! << 24) >> 24;
    case 0xd1:
      return (getU16(source, skip(2)) << 16) >> 16;
    case 0xd2:
      return getU32(source, skip(4)) | 0;
    case 0xd3:
      return readI64();
    case 0xd9:
      return readString(source[at++]!);
    case 0xda:
      return readString(getU16(source, skip(2)));
    case 0xdb:
      return readString(getU32(source, skip(4)));
    case 0xdc:
      return readArray(getU16(source, skip(2)));
    case 0xdd:
      return readArray(getU32(source, skip(4)));
    case 0xde:
      return readMap(getU16(source, skip(2)));
    case 0xdf:
      return readMap(getU32(source, skip(4)));
    default:
      return badByte(type);
  }
}

function readFloat(): number {
  const start = skip(8);
  // The platforms we run on are little-endian; the encoding is big-endian.
  for (let i = 0; i < 8; i++) floatBytes[i] = source[start + 7 - i]!;
  return float[0]!;
}

/** Encoded are only integers that a double holds. */
function readU64(): number {
  const start = skip(8);
  return getU32(source, start) * 0x1_0000_0000 + getU32(source, start + 4);
}

function readI64(): number {
  const start = skip(8);
  return (getU32(source, start) | 0) * 0x1_0000_0000 + getU32(source, start + 4);
}

/** Moves past `count` bytes and returns where they start. */
function skip(count: number): number {
  const start = at;
  at += count;
  return start;
}

function readString(length: number): string {
  const start = at;
  at += length;
  return decodeText(source, start, length);
}

function readArray(length: number): Value[] {
  const out: Value[] = [];
  for (let i = 0; i < length; i++) out.push(read());
  return out;
}

function readMap(count: number): Value {
  return readInto(makeObject(), count);
}

function readInto(out: MutableObject, count: number): MutableObject {
  for (let i = 0; i < count; i++) {
    const name = readName();
    out[name] = read();
  }
  return out;
}

function readName(): string {
  const type = source[at++]!;
  const length = type < 0xc0 ? type & 0x1f : nameLength(type);
  const start = at;
  at += length;
  return cachedName(source, start, length);
}

function nameLength(type: number): number {
  if (type === 0xd9) return source[at++]!;
  if (type === 0xda) return getU16(source, skip(2));
  if (type === 0xdb) return getU32(source, skip(4));
  return badByte(type);
}

function badByte(type: number): never {
  throw themisError('DATA_CORRUPT', {
    message: `a stored value holds the byte 0x${type.toString(16)} where a value must start`,
  });
}
