import { makeObject, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { cachedName, decodeText } from './text.ts';

// The decoder works on module state rather than on an object: decoding is synchronous and never
// re-entered, and locals of the module are what V8 reads fastest.
let source: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(source.buffer);
let at = 0;

/** Decodes the one value that starts at `start`; bytes after it are ignored. */
export function decodeValue(bytes: Uint8Array, start = 0): Value {
  open(bytes, start);
  return read();
}

/** Decodes a value and tells where it ended. */
export function decodeValueAt(bytes: Uint8Array, start: number): { value: Value; end: number } {
  open(bytes, start);
  const value = read();
  return { value, end: at };
}

function open(bytes: Uint8Array, start: number): void {
  if (bytes !== source) {
    source = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  at = start;
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
      return view.getFloat64(skip(8));
    case 0xcc:
      return source[at++]!;
    case 0xcd:
      return view.getUint16(skip(2));
    case 0xce:
      return view.getUint32(skip(4));
    case 0xcf:
      return Number(view.getBigUint64(skip(8)));
    case 0xd0:
      return view.getInt8(skip(1));
    case 0xd1:
      return view.getInt16(skip(2));
    case 0xd2:
      return view.getInt32(skip(4));
    case 0xd3:
      return Number(view.getBigInt64(skip(8)));
    case 0xd9:
      return readString(source[at++]!);
    case 0xda:
      return readString(view.getUint16(skip(2)));
    case 0xdb:
      return readString(view.getUint32(skip(4)));
    case 0xdc:
      return readArray(view.getUint16(skip(2)));
    case 0xdd:
      return readArray(view.getUint32(skip(4)));
    case 0xde:
      return readMap(view.getUint16(skip(2)));
    case 0xdf:
      return readMap(view.getUint32(skip(4)));
    default:
      return badByte(type);
  }
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
  const out = makeObject();
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
  if (type === 0xda) return view.getUint16(skip(2));
  if (type === 0xdb) return view.getUint32(skip(4));
  return badByte(type);
}

function badByte(type: number): never {
  throw themisError('DATA_CORRUPT', {
    message: `a stored value holds the byte 0x${type.toString(16)} where a value must start`,
  });
}
