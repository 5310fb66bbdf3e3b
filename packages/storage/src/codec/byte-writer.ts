import { themisError } from '@themisdb/protocol';

const lone = /\p{Cs}/u;
const encoder = new TextEncoder();

/**
 * A buffer that grows as it is written. `bytes` is replaced on growth, so keep offsets, not views,
 * while writing. `subarray` shares the buffer; `slice` copies.
 */
export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value);
    this.length += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value);
    this.length += 4;
  }

  u64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, value);
    this.length += 8;
  }

  /** Two's complement of an integer within ±2^53; cheaper than by way of a bigint. */
  i64(value: number): void {
    this.reserve(8);
    this.view.setInt32(this.length, Math.floor(value / 0x1_0000_0000));
    this.view.setUint32(this.length + 4, value >>> 0);
    this.length += 8;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  /** LEB128 of an integer in [0, 2^32). */
  varint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /**
   * Appends UTF-8 of `text` and returns its length in bytes. Room for `3 * text.length` bytes is
   * made. BAD_UTF8 when the text holds a lone surrogate.
   */
  utf8(text: string): number {
    const start = this.length;
    this.reserve(text.length * 3);
    const target = this.bytes;
    const count = text.length;
    if (count <= 48) {
      let i = 0;
      for (; i < count; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        target[start + i] = code;
      }
      if (i === count) {
        this.length = start + count;
        return count;
      }
    }
    const { written } = encoder.encodeInto(text, target.subarray(start));
    if (written !== count) refuseLoneSurrogate(text);
    this.length = start + written;
    return written;
  }

  subarray(start = 0): Uint8Array {
    return this.bytes.subarray(start, this.length);
  }

  slice(start = 0): Uint8Array {
    return this.bytes.slice(start, this.length);
  }
}

function refuseLoneSurrogate(text: string): void {
  if (!lone.test(text)) return;
  throw themisError('BAD_UTF8', {
    message: 'a string holds a lone surrogate; strings must be well-formed Unicode',
  });
}
