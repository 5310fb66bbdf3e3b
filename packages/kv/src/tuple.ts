import { assert, makeObject, type Value, type ValueObject, compareStrings } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

/**
 * The order-preserving encoding of AQL values in keys: for lists of equal length the bytewise order of
 * the encodings is the order of the lists under `compareValues`, and equal encodings mean equal
 * values. This is data format: a change needs a new format version.
 *
 * Every value starts with a tag, and no encoding is a prefix of another one's. So tuples concatenate,
 * may be followed by anything, and what starts with the first n fields is exactly the range from that
 * prefix to `prefixEnd(prefix)`, which always exists because no tag is 0xff.
 *
 * - number: the IEEE double, big-endian; sign bit flipped for positive, all bits for negative ones.
 * - string: each UTF-8 byte plus one, then 00. UTF-8 has no byte above f4, so nothing needs escaping.
 * - array: its elements without trailing nulls (an absent element counts as null), then 00.
 * - object: per attribute that is not null, by ascending name: the complement of the name's string
 *   encoding, then the value; in the end 00. Where two objects first differ in a name, the one with
 *   the smaller name is greater, as the other one has null there: hence the complement.
 *
 * Not kept: −0 (becomes 0), trailing nulls of arrays, null attributes, the order of attributes. None
 * of them tells values apart in AQL.
 */
const tag = {
  end: 0x00,
  null: 0x10,
  false: 0x20,
  true: 0x21,
  number: 0x30,
  string: 0x40,
  array: 0x50,
  object: 0x60,
} as const;

export function encodeTuple(values: readonly Value[]): Uint8Array {
  const writer = new TupleWriter();
  for (const value of values) writer.value(value);
  return writer.finish();
}

/**
 * Reads `count` values from `at`, or all up to the end of the bytes. Throws `DATA_CORRUPT` on bytes
 * that no encoder made.
 */
export function decodeTuple(
  bytes: Uint8Array,
  at = 0,
  count: number = Infinity,
): { readonly values: Value[]; readonly end: number } {
  const reader = new TupleReader(bytes, at);
  const values: Value[] = [];
  while (values.length < count && !(count === Infinity && reader.position === bytes.length)) {
    values.push(reader.value());
  }
  return { values, end: reader.position };
}

const slabBytes = 8192;

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);
float[0] = 1;
/** Index of the word that holds sign and exponent: 1 on little-endian machines. */
const highWord = floatWords[1] === 0 ? 0 : 1;
const lowWord = 1 - highWord;

/**
 * Builds keys: raw integers and bytes around tuple values, into a growing buffer. Reusable: `finish`
 * hands out the key without copying and starts the next one behind it. Keys share slabs of 8 KiB, so
 * keeping one key for long keeps its slab.
 */
export class TupleWriter {
  #bytes = new Uint8Array(0);
  #start = 0;
  #at = 0;

  /** Bytes of the key so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Drops what was written after the first `length` bytes, to write another tail. */
  truncate(length: number): this {
    assert(length >= 0 && length <= this.length, 'truncate() beyond what was written');
    this.#at = this.#start + length;
    return this;
  }

  /** The key written so far, which is the caller's now. */
  finish(): Uint8Array {
    const key = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return key;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#putU32(value);
    return this;
  }

  /** `value` must be below 2^64. */
  u64(value: bigint): this {
    this.#reserve(8);
    this.#putU32(Number(value >> 32n));
    this.#putU32(Number(value & 0xffffffffn));
    return this;
  }

  /** As they are, without length or end. */
  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** `source[start, end)` as it is; `bytes` without a view of it. */
  slice(source: Uint8Array, start: number, end: number): this {
    this.#reserve(end - start);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = start; i < end; i++) bytes[at++] = source[i]!;
    this.#at = at;
    return this;
  }

  /** The string whose UTF-8 is `source[start, end)`. */
  utf8(source: Uint8Array, start: number, end: number): this {
    this.#reserve(end - start + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = tag.string;
    for (let i = start; i < end; i++) bytes[at++] = source[i]! + 1;
    bytes[at++] = tag.end;
    this.#at = at;
    return this;
  }

  /** Copies what was written to `target`, and starts over. */
  moveTo(target: Uint8Array, to: number): void {
    const bytes = this.#bytes;
    const start = this.#start;
    const { length } = this;
    for (let i = 0; i < length; i++) target[to + i] = bytes[start + i]!;
    this.#at = start;
  }

  value(value: Value): this {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return this.#number(value);
      case 'boolean':
        return this.u8(value ? tag.true : tag.false);
      default:
        if (value === null || value === undefined) return this.u8(tag.null);
        return Array.isArray(value) ? this.#array(value) : this.#object(value as ValueObject);
    }
  }

  /** What the encodings of all strings that begin with `text` begin with, and no others. */
  stringPrefix(text: string): this {
    this.#string(text);
    this.#at--;
    return this;
  }

  #number(value: number): this {
    assert(value === value, 'NaN is not an AQL value');
    float[0] = value + 0; // -0 becomes 0
    const high = floatWords[highWord]!;
    const isNegative = high >= 0x8000_0000;
    this.#reserve(9);
    this.#bytes[this.#at++] = tag.number;
    this.#putU32(isNegative ? ~high : high ^ 0x8000_0000);
    this.#putU32(isNegative ? ~floatWords[lowWord]! : floatWords[lowWord]!);
    return this;
  }

  #string(text: string): this {
    // Three bytes a UTF-16 unit at most, a tag and an end.
    this.#reserve(3 * text.length + 2);
    this.#bytes[this.#at++] = tag.string;
    this.#shiftedUtf8(text);
    return this;
  }

  #array(items: readonly Value[]): this {
    let length = items.length;
    while (length > 0 && (items[length - 1] ?? null) === null) length--;
    this.u8(tag.array);
    for (let i = 0; i < length; i++) this.value(items[i]!);
    return this.u8(tag.end);
  }

  #object(object: ValueObject): this {
    this.u8(tag.object);
    for (const name of Object.keys(object).sort(compareStrings)) {
      const value = object[name]!;
      if (value === null) continue;
      this.#reserve(3 * name.length + 1);
      const from = this.#at;
      this.#shiftedUtf8(name);
      for (let i = from; i < this.#at; i++) this.#bytes[i] = ~this.#bytes[i]!;
      this.value(value);
    }
    return this.u8(tag.end);
  }

  /** The bytes of `text`, each plus one, and a zero. The room must be there. */
  #shiftedUtf8(text: string): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        bytes[at++] = code + 1;
        continue;
      }
      if (code < 0x800) {
        bytes[at++] = (0xc0 | (code >> 6)) + 1;
      } else {
        if (code >= 0xd800 && code <= 0xdfff) {
          code = text.codePointAt(i++)!;
          assert(code > 0xffff, 'a string in a key is not well-formed Unicode');
          bytes[at++] = (0xf0 | (code >> 18)) + 1;
          bytes[at++] = (0x80 | ((code >> 12) & 0x3f)) + 1;
        } else {
          bytes[at++] = (0xe0 | (code >> 12)) + 1;
        }
        bytes[at++] = (0x80 | ((code >> 6) & 0x3f)) + 1;
      }
      bytes[at++] = (0x80 | (code & 0x3f)) + 1;
    }
    bytes[at++] = tag.end;
    this.#at = at;
  }

  #putU32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#at = at + 4;
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count);
  }

  /** Moves the key being written to a new slab, or to an array of its own when it is large. */
  #grow(count: number): void {
    const length = this.length;
    const needed = length + count;
    const next = new Uint8Array(needed <= slabBytes / 4 ? slabBytes : 2 * needed);
    next.set(this.#bytes.subarray(this.#start, this.#at));
    this.#bytes = next;
    this.#start = 0;
    this.#at = length;
  }
}

/** Reads tuple values one after the other; `skip` steps over those nobody asks for. */
export class TupleReader {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.position = at;
  }

  value(): Value {
    const kind = this.#bytes[this.position++];
    switch (kind) {
      case tag.null:
        return null;
      case tag.false:
        return false;
      case tag.true:
        return true;
      case tag.number:
        return this.#number();
      case tag.string:
        return this.#string(0xff);
      case tag.array:
        return this.#array();
      case tag.object:
        return this.#object();
      default:
        return this.#corrupt(kind === undefined ? 'it ends early' : `no value has tag ${kind}`);
    }
  }

  skip(): void {
    const kind = this.#bytes[this.position++];
    switch (kind) {
      case tag.null:
      case tag.false:
      case tag.true:
        return;
      case tag.number:
        this.position += 8;
        if (this.position > this.#bytes.length) this.#corrupt('a number ends early');
        return;
      case tag.string:
        this.position = this.#find(tag.end) + 1;
        return;
      case tag.array:
        while (!this.#tookEnd()) this.skip();
        return;
      case tag.object:
        while (!this.#tookEnd()) {
          this.position = this.#find(0xff) + 1;
          this.skip();
        }
        return;
      default:
        this.#corrupt(kind === undefined ? 'it ends early' : `no value has tag ${kind}`);
    }
  }

  #number(): number {
    if (this.position + 8 > this.#bytes.length) this.#corrupt('a number ends early');
    const high = this.#u32();
    const low = this.#u32();
    const isNegative = high < 0x8000_0000;
    floatWords[highWord] = isNegative ? ~high : high ^ 0x8000_0000;
    floatWords[lowWord] = isNegative ? ~low : low;
    return float[0]!;
  }

  #array(): Value[] {
    const items: Value[] = [];
    while (!this.#tookEnd()) items.push(this.value());
    return items;
  }

  #object(): ValueObject {
    const object = makeObject();
    while (!this.#tookEnd()) {
      const name = this.#string(0x00);
      object[name] = this.value();
    }
    return object;
  }

  /** `mask` is 0xff for strings as they are, 0x00 for complemented ones (names). */
  #string(mask: 0xff | 0x00): string {
    const from = this.position;
    const end = this.#find(mask === 0xff ? tag.end : 0xff);
    this.position = end + 1;
    const isShort = end - from <= 24;
    let text = '';
    for (let i = from; isShort && i < end; i++) {
      const byte = this.#plain(i, mask);
      if (byte >= 0x80) return this.#decode(from, end, mask);
      text += String.fromCharCode(byte);
    }
    return isShort ? text : this.#decode(from, end, mask);
  }

  #decode(from: number, end: number, mask: 0xff | 0x00): string {
    const utf8 = new Uint8Array(end - from);
    for (let i = from; i < end; i++) utf8[i - from] = this.#plain(i, mask);
    try {
      return decoder.decode(utf8);
    } catch {
      return this.#corrupt('a string is not UTF-8');
    }
  }

  #plain(index: number, mask: 0xff | 0x00): number {
    const byte = this.#bytes[index]!;
    return mask === 0xff ? byte - 1 : 0xfe - byte;
  }

  #find(byte: number): number {
    const at = this.#bytes.indexOf(byte, this.position);
    return at >= 0 ? at : this.#corrupt('a string ends early');
  }

  #tookEnd(): boolean {
    if (this.#bytes[this.position] !== tag.end) return false;
    this.position++;
    return true;
  }

  #u32(): number {
    const bytes = this.#bytes;
    const at = this.position;
    this.position = at + 4;
    return (
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    );
  }

  #corrupt(what: string): never {
    throw themisError('DATA_CORRUPT', {
      message: `The key tuple is damaged at byte ${this.position}: ${what}.`,
    });
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
