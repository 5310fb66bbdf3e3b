import { assert } from '@themisdb/base';

/**
 * As much of the protobuf wire format as configuration changes need: varints below 2^53 and byte
 * strings. Fields of other kinds are refused, unknown field numbers are skipped.
 */

const VARINT = 0;
const BYTES = 2;

export class WireWriter {
  readonly #bytes: number[] = [];

  varintField(field: number, value: number): void {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
  }

  bytesField(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + BYTES);
    this.#varint(value.length);
    for (const byte of value) this.#bytes.push(byte);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, () => `varint: ${value} is out of range`);
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }
}

interface WireField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/** The fields of one message; of a field given twice the last counts. */
export class WireFields {
  readonly #fields: readonly WireField[];

  constructor(fields: readonly WireField[]) {
    this.#fields = fields;
  }

  number(field: number): number | undefined {
    const value = this.#fields.findLast((item) => item.field === field)?.value;
    return typeof value === 'number' ? value : undefined;
  }

  bytes(field: number): Uint8Array | undefined {
    return this.allBytes(field).at(-1);
  }

  allBytes(field: number): Uint8Array[] {
    const values = this.#fields.filter((item) => item.field === field).map((item) => item.value);
    return values.filter((value) => value instanceof Uint8Array);
  }
}

export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Undefined where the bytes are no message. */
  fields(): WireFields | undefined {
    const fields: WireField[] = [];
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      if (tag === undefined || tag < 8) return undefined;
      const value = this.#value(tag % 8);
      if (value === undefined) return undefined;
      fields.push({ field: Math.floor(tag / 8), value });
    }
    return new WireFields(fields);
  }

  #value(kind: number): number | Uint8Array | undefined {
    const number = this.#varint();
    if (kind === VARINT || number === undefined) return number;
    if (kind !== BYTES || this.#at + number > this.#bytes.length) return undefined;
    this.#at += number;
    return this.#bytes.subarray(this.#at - number, this.#at);
  }

  #varint(): number | undefined {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return undefined;
      value += (byte % 128) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : undefined;
    }
    return undefined;
  }
}
