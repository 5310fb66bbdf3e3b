import { themisError } from '@themisdb/protocol';
import type { Value, ValueObject } from '@themisdb/base';
import type { StoreLimits } from '../limits.ts';
import type { ByteWriter } from './byte-writer.ts';

/**
 * Writes values as msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md): null, booleans,
 * integers up to ±2^53 in the shortest integer form, other numbers (and −0) as float 64, strings as
 * UTF-8, arrays, maps with string names in attribute order. No extension types.
 */
export function encodeValue(writer: ByteWriter, value: Value, limits: StoreLimits): void {
  write(writer, value, limits, 1);
}

/** Starts a map of `count` attributes; `encodeAttribute` then writes each. */
export function encodeMapHeader(writer: ByteWriter, count: number): void {
  writer.reserve(5);
  if (count < 16) writer.bytes[writer.length++] = 0x80 | count;
  else if (count < 0x10000) short(writer, 0xde, count);
  else long(writer, 0xdf, count);
}

/** Attribute names repeat: their encoding, header included. */
const encodedNames = new Map<string, Uint8Array>();
const encodedNamesMax = 10_000;

function encodeName(writer: ByteWriter, name: string): void {
  const known = encodedNames.get(name);
  if (known === undefined) {
    const start = writer.length;
    encodeString(writer, name);
    if (encodedNames.size < encodedNamesMax && name.length <= 64)
      encodedNames.set(name, writer.slice(start));
    return;
  }
  const count = known.length;
  writer.reserve(count);
  const { bytes } = writer;
  let at = writer.length;
  for (let i = 0; i < count; i++) bytes[at++] = known[i]!;
  writer.length = at;
}

/** One attribute of a top-level map. */
export function encodeAttribute(
  writer: ByteWriter,
  name: string,
  value: Value,
  limits: StoreLimits,
): void {
  encodeName(writer, name);
  write(writer, value, limits, 2);
}

function write(writer: ByteWriter, value: Value, limits: StoreLimits, depth: number): void {
  switch (typeof value) {
    case 'string':
      encodeString(writer, value);
      return;
    case 'number':
      encodeNumber(writer, value);
      return;
    case 'boolean':
      writer.u8(value ? 0xc3 : 0xc2);
      return;
    default:
      if (value === null) writer.u8(0xc0);
      else writeNested(writer, value, limits, depth);
  }
}

function writeNested(
  writer: ByteWriter,
  value: readonly Value[] | ValueObject,
  limits: StoreLimits,
  depth: number,
): void {
  if (depth > limits.depthMax) refuse(`nests deeper than ${limits.depthMax} levels`);
  if (writer.length > limits.documentBytesMax * 2) refuseSize(limits);
  if (Array.isArray(value)) {
    const items = value as readonly Value[];
    encodeArrayHeader(writer, items.length);
    for (let i = 0; i < items.length; i++) write(writer, items[i]!, limits, depth + 1);
    return;
  }
  const names = Object.keys(value);
  if (names.length > limits.attributesMax)
    refuse(`has an object of ${names.length} attributes; ${limits.attributesMax} are allowed`);
  encodeMapHeader(writer, names.length);
  for (const name of names) {
    encodeName(writer, name);
    write(writer, (value as ValueObject)[name]!, limits, depth + 1);
  }
}

function refuse(what: string): never {
  throw themisError('LIMIT_EXCEEDED', { message: `the document ${what}` });
}

export function refuseSize(limits: StoreLimits): never {
  refuse(`is larger than ${limits.documentBytesMax} bytes encoded`);
}

export function encodeArrayHeader(writer: ByteWriter, count: number): void {
  writer.reserve(5);
  if (count < 16) writer.bytes[writer.length++] = 0x90 | count;
  else if (count < 0x10000) short(writer, 0xdc, count);
  else long(writer, 0xdd, count);
}

export function encodeString(writer: ByteWriter, text: string): void {
  const count = text.length;
  // A header of the right size is guessed from the length in code units, which is the length in
  // bytes for ASCII; a wrong guess moves the text.
  if (count < 32) {
    writer.reserve(1 + count * 3);
    const at = writer.length++;
    const bytes = writer.utf8(text);
    if (bytes < 32) writer.bytes[at] = 0xa0 | bytes;
    else shift(writer, at, 1, bytes);
    return;
  }
  const header = headerBytes(count);
  writer.reserve(header + count * 3);
  const at = writer.length;
  writer.length += header;
  const bytes = writer.utf8(text);
  if (headerBytes(bytes) === header) stringHeader(writer, at, bytes);
  else shift(writer, at, header, bytes);
}

function headerBytes(bytes: number): number {
  return bytes < 32 ? 1 : bytes < 0x100 ? 2 : bytes < 0x10000 ? 3 : 5;
}

function shift(writer: ByteWriter, at: number, header: number, bytes: number): void {
  const wanted = headerBytes(bytes);
  writer.reserve(wanted - header);
  writer.bytes.copyWithin(at + wanted, at + header, at + header + bytes);
  stringHeader(writer, at, bytes);
  writer.length = at + wanted + bytes;
}

function stringHeader(writer: ByteWriter, at: number, bytes: number): void {
  if (bytes < 32) writer.bytes[at] = 0xa0 | bytes;
  else if (bytes < 0x100) {
    writer.bytes[at] = 0xd9;
    writer.bytes[at + 1] = bytes;
  } else if (bytes < 0x10000) {
    writer.bytes[at] = 0xda;
    writer.view.setUint16(at + 1, bytes);
  } else {
    writer.bytes[at] = 0xdb;
    writer.view.setUint32(at + 1, bytes);
  }
}

export function encodeNumber(writer: ByteWriter, value: number): void {
  writer.reserve(9);
  if (!Number.isSafeInteger(value) || (value === 0 && Object.is(value, -0))) {
    writer.bytes[writer.length++] = 0xcb;
    writer.f64(checkFinite(value));
  } else if (value >= 0) encodeUnsigned(writer, value);
  else encodeNegative(writer, value);
}

function checkFinite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw themisError('NUMBER_OUT_OF_RANGE', {
    message: 'a document holds a number that is not finite',
  });
}

function encodeUnsigned(writer: ByteWriter, value: number): void {
  if (value < 0x80) writer.bytes[writer.length++] = value;
  else if (value < 0x100) {
    writer.bytes[writer.length++] = 0xcc;
    writer.bytes[writer.length++] = value;
  } else if (value < 0x10000) short(writer, 0xcd, value);
  else if (value < 0x100000000) long(writer, 0xce, value);
  else {
    writer.bytes[writer.length++] = 0xcf;
    writer.i64(value);
  }
}

function encodeNegative(writer: ByteWriter, value: number): void {
  if (value >= -0x20) writer.bytes[writer.length++] = value & 0xff;
  else if (value >= -0x80) {
    writer.bytes[writer.length++] = 0xd0;
    writer.bytes[writer.length++] = value & 0xff;
  } else if (value >= -0x8000) short(writer, 0xd1, value & 0xffff);
  else if (value >= -0x80000000) long(writer, 0xd2, value >>> 0);
  else {
    writer.bytes[writer.length++] = 0xd3;
    writer.i64(value);
  }
}

function short(writer: ByteWriter, type: number, value: number): void {
  writer.bytes[writer.length++] = type;
  writer.u16(value);
}

function long(writer: ByteWriter, type: number, value: number): void {
  writer.bytes[writer.length++] = type;
  writer.u32(value);
}
