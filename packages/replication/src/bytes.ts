import { assert } from '@themisdb/base';

/** Grows as it is written to. Integers are unsigned varints below 2^53 unless said otherwise. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    const at = this.#length;
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    this.#length = at + 4;
  }

  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is no varint`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** With its length in front. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Undefined and empty are told apart. */
  optional(bytes: Uint8Array | undefined): void {
    this.varint(bytes === undefined ? 0 : bytes.length + 1);
    if (bytes !== undefined) this.raw(bytes);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Bytes that end before what they announce. */
export class ShortBytes extends Error {}

/** Throws `ShortBytes`; what it gives out are views. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    if (this.#at >= this.#bytes.length) throw new ShortBytes();
    return this.#bytes[this.#at++]!;
  }

  u32(): number {
    return this.u8() * 0x100_0000 + ((this.u8() << 16) | (this.u8() << 8) | this.u8());
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value) || scale > 2 ** 49) throw new ShortBytes();
      if (byte < 0x80) return value;
    }
  }

  raw(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ShortBytes();
    const out = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return out;
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  optional(): Uint8Array | undefined {
    const length = this.varint();
    return length === 0 ? undefined : this.raw(length - 1);
  }
}
