import type { ByteWriter } from '../codec/byte-writer.ts';
import { encodeNumber } from '../codec/encode.ts';
import { isAt, nameKind, RowNames, type RowName } from './row-names.ts';

/** What rows are held to; whatever comes near a limit is left to the parser that explains it. */
export interface RowLimits {
  readonly depthMax: number;
  readonly attributesMax: number;
  readonly documentBytesMax: number;
}

const depthMax = 32;
const attributesMax = 1000;
const exactDigits = 15;
/** Powers of ten that a double holds exactly. */
const powers: readonly number[] = Array.from({ length: 23 }, (_, i) => 10 ** i);
const escapes: readonly number[] = Array.from({ length: 128 }, (_, code) => {
  const at = '"\\/bfnrt'.indexOf(String.fromCharCode(code));
  return at < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(at);
});

/**
 * Turns the JSON text of a document into its encoded form in one pass over the bytes, with no values in
 * between: what bulk loads consist of. It takes only what is certainly right and usual, and gives up on
 * everything else (`write` returns false): errors, odd names, numbers at the edge. The parser of
 * `protocol` and `BodyArena` then do the same work, or say what is wrong. For what it takes, its
 * result is theirs, byte for byte; the property test compares them.
 */
export class JsonRowWriter {
  readonly #out: ByteWriter;
  readonly #top: RowNames;
  readonly #inner = new RowNames();
  readonly #limits: RowLimits;
  /** Of `_key`, if an index asks for it; else -1. */
  readonly #keySlot: number;
  #source: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Where the encoding of the row starts in `out`. */
  #start = 0;
  /** Bytes of the header the last document had: mostly the right guess for the next. */
  #header = 1;
  #target: Uint8Array = new Uint8Array(0);
  #to = 0;
  /** Start of the last row's `_key` attribute in the output, and of its text; -1: it has none. */
  #keyAttribute = -1;
  keyStart = -1;
  keyEnd = -1;
  /** For each attribute asked for: where its value starts in the output, or -1. */
  readonly slots: Int32Array;

  constructor(out: ByteWriter, wanted: ReadonlyMap<string, number>, limits: RowLimits) {
    this.#out = out;
    this.#top = new RowNames(wanted);
    this.#limits = {
      depthMax: Math.min(depthMax, limits.depthMax),
      attributesMax: Math.min(attributesMax, limits.attributesMax) - 1,
      documentBytesMax: limits.documentBytesMax,
    };
    this.slots = new Int32Array(wanted.size);
    this.#keySlot = wanted.get('_key') ?? -1;
  }

  /**
   * Appends the document at `source[start, end)` to the output. Where it has no `_key`, room is left
   * behind it for `insertKey`, and `keyStart` is -1. False: nothing was appended.
   */
  write(source: Uint8Array, start: number, end: number): boolean {
    const out = this.#out;
    // A fraction of three characters takes nine bytes; nothing grows more.
    out.reserve(3 * (end - start) + 512);
    this.#source = source;
    this.#at = start;
    this.#end = end;
    this.#target = out.bytes;
    this.#start = this.#to = out.length;
    this.#keyAttribute = this.keyStart = -1;
    this.slots.fill(-1);
    const isDone = this.#next() === 0x7b && this.#document() && this.#next() === -1;
    const isFine = isDone && this.#to - this.#start + 64 <= this.#limits.documentBytesMax;
    if (isFine) out.length = this.#to;
    return isFine;
  }

  /** Gives the document just written the key `key` (at most 254 bytes), as its first attribute. */
  insertKey(key: Uint8Array): void {
    const out = this.#out;
    const { bytes } = out;
    const at = this.#start + this.#header;
    const before = key.length < 32 ? 6 : 7;
    const length = before + key.length;
    bytes.copyWithin(at + length, at, out.length);
    bytes.set(keyName, at);
    if (before === 6) bytes[at + 5] = 0xa0 | key.length;
    else {
      bytes[at + 5] = 0xd9;
      bytes[at + 6] = key.length;
    }
    bytes.set(key, at + before);
    out.length += length;
    for (let i = 0; i < this.slots.length; i++) if (this.slots[i]! >= 0) this.slots[i]! += length;
    if (this.#keySlot >= 0) this.slots[this.#keySlot] = at + keyName.length;
    this.keyStart = at + before;
    this.keyEnd = at + length;
  }

  /** The next byte that is not white space, without taking it; -1 at the end. */
  #next(): number {
    const source = this.#source;
    const end = this.#end;
    let at = this.#at;
    while (at < end) {
      const code = source[at]!;
      if (code !== 0x20 && code !== 0x0d && code !== 0x09 && code !== 0x0a) {
        this.#at = at;
        return code;
      }
      at++;
    }
    this.#at = at;
    return -1;
  }

  #document(): boolean {
    const guessed = this.#header;
    this.#to += guessed;
    let count = this.#attributes(this.#top, 1);
    if (count < 0) return false;
    // One more when a key is going to be made.
    if (this.#keyAttribute < 0) count++;
    const header = count < 16 ? 1 : 3;
    if (header !== guessed) this.#moveAll(header - guessed);
    this.#header = header;
    this.#writeHeader(this.#start, count, 0x80, 0xde);
    if (this.#keyAttribute > this.#start + header) this.#keyToFront();
    return true;
  }

  /** Moves what stands behind the document's header. */
  #moveAll(by: number): void {
    const from = this.#start + this.#header;
    this.#target.copyWithin(from + by, from, this.#to);
    this.#to += by;
    for (let i = 0; i < this.slots.length; i++) if (this.slots[i]! >= 0) this.slots[i]! += by;
    if (this.#keyAttribute < 0) return;
    this.#keyAttribute += by;
    this.keyStart += by;
    this.keyEnd += by;
  }

  #keyToFront(): void {
    const target = this.#target;
    const first = this.#start + this.#header;
    const from = this.#keyAttribute;
    const attribute = target.slice(from, this.keyEnd);
    target.copyWithin(first + attribute.length, first, from);
    target.set(attribute, first);
    const { slots } = this;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (slot >= from && slot < this.keyEnd) slots[i] = slot - from + first;
      else if (slot >= 0 && slot < from) slots[i] = slot + attribute.length;
    }
    this.keyStart += first - from;
    this.keyEnd += first - from;
    this.#keyAttribute = first;
  }

  #writeHeader(at: number, count: number, short: number, long: number): void {
    const target = this.#target;
    if (count < 16) {
      target[at] = short | count;
      return;
    }
    target[at] = long;
    target[at + 1] = count >>> 8;
    target[at + 2] = count & 0xff;
  }

  /** At the opening brace. The number of attributes written; -1: give up. */
  #attributes(names: RowNames, depth: number): number {
    if (depth > this.#limits.depthMax) return -1;
    const source = this.#source;
    this.#at++;
    let code = this.#next();
    if (code === 0x7d) {
      this.#at++;
      return 0;
    }
    let parent = names.root;
    let count = 0;
    for (;;) {
      if (code !== 0x22) return -1;
      const nameAt = this.#at + 1;
      let name: RowName | undefined = parent.likely;
      if (name !== undefined && isAt(name.quoted, source, nameAt))
        this.#at = nameAt + name.quoted.length;
      else {
        const nameEnd = source.indexOf(0x22, nameAt);
        if (nameEnd < 0 || nameEnd >= this.#end) return -1;
        name = names.next(parent, source, nameAt, nameEnd);
        if (name === undefined) return -1;
        this.#at = nameEnd + 1;
      }
      parent = name;
      if (++count > this.#limits.attributesMax) return -1;
      if (this.#next() !== 0x3a) return -1;
      this.#at++;
      const before = this.#to;
      this.#copy(name.encoded);
      if (name.slot >= 0) this.slots[name.slot] = this.#to;
      if (!this.#value(this.#next(), depth + 1)) return -1;
      if (name.kind === nameKind.key) {
        if (!this.#noteKey(before, name.encoded.length)) return -1;
      } else if (name.kind === nameKind.derived) {
        this.#to = before;
        if (name.slot >= 0) this.slots[name.slot] = -1;
        count--;
      }
      code = this.#next();
      if (code === 0x7d) break;
      if (code !== 0x2c) return -1;
      this.#at++;
      code = this.#next();
    }
    this.#at++;
    return count;
  }

  #copy(bytes: Uint8Array): void {
    const target = this.#target;
    let to = this.#to;
    for (let i = 0; i < bytes.length; i++) target[to++] = bytes[i]!;
    this.#to = to;
  }

  /** The attribute `_key` was just written at `at`: its value must be text of 1 to 254 bytes. */
  #noteKey(at: number, nameBytes: number): boolean {
    const valueAt = at + nameBytes;
    const type = this.#target[valueAt]!;
    const isShort = type >= 0xa1 && type <= 0xbf;
    if (!isShort && type !== 0xd9) return false;
    this.#keyAttribute = at;
    this.keyStart = valueAt + (isShort ? 1 : 2);
    this.keyEnd = this.#to;
    return this.keyEnd - this.keyStart <= keyBytesMax;
  }

  #value(code: number, depth: number): boolean {
    switch (code) {
      case 0x22:
        this.#at++;
        return this.#string();
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x74:
        return this.#word(trueWord, 0xc3);
      case 0x66:
        return this.#word(falseWord, 0xc2);
      case 0x6e:
        return this.#word(nullWord, 0xc0);
      default:
        return this.#number(code);
    }
  }

  #word(word: Uint8Array, code: number): boolean {
    if (this.#at + word.length > this.#end || !isAt(word, this.#source, this.#at)) return false;
    this.#at += word.length;
    this.#target[this.#to++] = code;
    return true;
  }

  #object(depth: number): boolean {
    const at = this.#to++;
    const count = this.#attributes(this.#inner, depth);
    if (count < 0) return false;
    if (count >= 16) this.#shift(at + 1, 2);
    this.#writeHeader(at, count, 0x80, 0xde);
    return true;
  }

  #array(depth: number): boolean {
    if (depth > this.#limits.depthMax) return false;
    const at = this.#to++;
    this.#at++;
    let count = 0;
    let code = this.#next();
    if (code === 0x5d) this.#at++;
    else
      for (;;) {
        if (!this.#value(code, depth + 1)) return false;
        count++;
        code = this.#next();
        this.#at++;
        if (code === 0x5d) break;
        if (code !== 0x2c) return false;
        code = this.#next();
      }
    if (count >= 0x10000) return false;
    if (count >= 16) this.#shift(at + 1, 2);
    this.#writeHeader(at, count, 0x90, 0xdc);
    return true;
  }

  /** Makes room of `by` bytes at `from`. */
  #shift(from: number, by: number): void {
    this.#target.copyWithin(from + by, from, this.#to);
    this.#to += by;
  }

  /** Behind the opening quote. */
  #string(): boolean {
    const source = this.#source;
    const target = this.#target;
    const end = this.#end;
    const header = this.#to;
    const start = header + 1;
    let to = start;
    let at = this.#at;
    for (;;) {
      if (at >= end) return false;
      const code = source[at]!;
      if (code === 0x22) break;
      if (code < 0x20) return false;
      if (code < 0x80 && code !== 0x5c) {
        target[to++] = code;
        at++;
        continue;
      }
      this.#at = at;
      this.#to = to;
      if (!(code === 0x5c ? this.#escape() : this.#sequence(code))) return false;
      at = this.#at;
      to = this.#to;
    }
    this.#at = at + 1;
    this.#to = to;
    const length = to - start;
    if (length < 32) target[header] = 0xa0 | length;
    else if (length < 0x100) {
      this.#shift(start, 1);
      target[header] = 0xd9;
      target[start] = length;
    } else if (length < 0x10000) {
      this.#shift(start, 2);
      target[header] = 0xda;
      target[start] = length >>> 8;
      target[start + 1] = length & 0xff;
    } else return false;
    return true;
  }

  /** A sequence of several bytes, as Unicode 15, table 3-7 wants it. */
  #sequence(lead: number): boolean {
    const source = this.#source;
    const at = this.#at;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + length > this.#end) return false;
    const second = source[at + 1]!;
    const secondMin = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const secondMax = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < secondMin || second > secondMax) return false;
    for (let i = 2; i < length; i++) if ((source[at + i]! & 0xc0) !== 0x80) return false;
    for (let i = 0; i < length; i++) this.#target[this.#to++] = source[at + i]!;
    this.#at = at + length;
    return true;
  }

  /** At the backslash. */
  #escape(): boolean {
    const letter = this.#at + 1 < this.#end ? this.#source[this.#at + 1]! : 0;
    if (letter !== 0x75) {
      const plain = escapes[letter] ?? 0;
      this.#at += 2;
      this.#target[this.#to++] = plain;
      return plain !== 0;
    }
    const unit = this.#hex4(this.#at + 2);
    this.#at += 6;
    if (unit < 0) return false;
    if (unit < 0xd800 || unit > 0xdfff) return this.#codePoint(unit);
    const source = this.#source;
    const isPaired = unit <= 0xdbff && source[this.#at] === 0x5c && source[this.#at + 1] === 0x75;
    const low = isPaired ? this.#hex4(this.#at + 2) : -1;
    this.#at += 6;
    if (low < 0xdc00 || low > 0xdfff) return false;
    return this.#codePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  }

  #hex4(at: number): number {
    if (at + 4 > this.#end) return -1;
    let out = 0;
    for (let i = at; i < at + 4; i++) {
      const code = this.#source[i]!;
      const lower = code | 0x20;
      if (code >= 0x30 && code <= 0x39) out = out * 16 + code - 0x30;
      else if (lower >= 0x61 && lower <= 0x66) out = out * 16 + lower - 0x57;
      else return -1;
    }
    return out;
  }

  #codePoint(code: number): boolean {
    const target = this.#target;
    let to = this.#to;
    if (code < 0x80) target[to++] = code;
    else {
      if (code < 0x800) target[to++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) target[to++] = 0xe0 | (code >> 12);
        else {
          target[to++] = 0xf0 | (code >> 18);
          target[to++] = 0x80 | ((code >> 12) & 0x3f);
        }
        target[to++] = 0x80 | ((code >> 6) & 0x3f);
      }
      target[to++] = 0x80 | (code & 0x3f);
    }
    this.#to = to;
    return true;
  }

  /**
   * Integers of up to 15 digits, and fractions. Fractions of up to 15 digits are the quotient of two
   * numbers that doubles hold exactly, which is the nearest double (Clinger 1990).
   */
  #number(first: number): boolean {
    const source = this.#source;
    const end = this.#end;
    const start = this.#at;
    let at = start;
    let code = first;
    const isNegative = code === 0x2d;
    if (isNegative) code = ++at < end ? source[at]! : 0;
    const digitsAt = at;
    let whole = 0;
    while (code >= 0x30 && code <= 0x39) {
      whole = whole * 10 + (code - 0x30);
      code = ++at < end ? source[at]! : 0;
    }
    let digits = at - digitsAt;
    if (digits === 0 || (digits > 1 && source[digitsAt] === 0x30)) return false;
    let scale = 0;
    if (code === 0x2e) {
      const pointAt = at;
      code = ++at < end ? source[at]! : 0;
      while (code >= 0x30 && code <= 0x39) {
        whole = whole * 10 + (code - 0x30);
        code = ++at < end ? source[at]! : 0;
      }
      scale = at - pointAt - 1;
      if (scale === 0) return false;
      digits += scale;
    }
    if (code === 0x65 || code === 0x45) return false;
    this.#at = at;
    if (digits > exactDigits) return scale > 0 && this.#longFraction(start, at);
    const value = scale === 0 ? whole : whole / powers[scale]!;
    if (value < 0x80 && scale === 0 && !isNegative) this.#target[this.#to++] = value;
    else this.#putNumber(isNegative ? -value : value);
    return true;
  }

  #longFraction(start: number, end: number): boolean {
    if (end - start > 40) return false;
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(this.#source[i]!);
    const value = Number(text);
    if (!Number.isFinite(value) || value === 0) return false;
    this.#putNumber(value);
    return true;
  }

  #putNumber(value: number): void {
    const out = this.#out;
    out.length = this.#to;
    encodeNumber(out, value);
    this.#to = out.length;
    out.length = this.#start;
  }
}

const keyBytesMax = 254;
const keyName: Uint8Array = Uint8Array.of(0xa4, 0x5f, 0x6b, 0x65, 0x79);
const trueWord: Uint8Array = Uint8Array.from('true', (each) => each.charCodeAt(0));
const falseWord: Uint8Array = Uint8Array.from('false', (each) => each.charCodeAt(0));
const nullWord: Uint8Array = Uint8Array.from('null', (each) => each.charCodeAt(0));
