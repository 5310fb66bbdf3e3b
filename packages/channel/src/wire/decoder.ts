import { FrameFault } from './faults.ts';
import { headBytes, lengthBytes } from './frame.ts';

export type FrameReader = (type: number, flags: number, callId: number, body: Uint8Array) => void;

/**
 * Cuts a byte stream into frames, however it comes in pieces. Bodies are views of the piece that holds
 * the whole frame, or of a buffer of the frame's own when it came in several. Throws `FrameFault` on a
 * length outside the limits, before it allocates anything for it; afterwards it must not be fed again.
 */
export class FrameDecoder {
  readonly #read: FrameReader;
  #bodyBytesMax: number;
  /** The start of a frame that is not whole yet; empty when there is none. */
  #partial = new Uint8Array(0);
  #filled = 0;
  readonly #lengthBuffer = new Uint8Array(lengthBytes);
  #lengthFilled = 0;

  constructor(bodyBytesMax: number, read: FrameReader) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#read = read;
  }

  setBodyBytesMax(bodyBytesMax: number): void {
    this.#bodyBytesMax = bodyBytesMax;
  }

  push(bytes: Uint8Array): void {
    let at = this.#finishPartial(bytes);
    while (bytes.length - at >= lengthBytes) {
      const length = this.#lengthAt(bytes, at);
      if (bytes.length - at - lengthBytes < length) break;
      this.#emit(bytes, at + lengthBytes, length);
      at += lengthBytes + length;
    }
    if (at < bytes.length) this.#keep(bytes, at);
  }

  /** Answers with how many of `bytes` belonged to the frame begun before. */
  #finishPartial(bytes: Uint8Array): number {
    let at = 0;
    if (this.#lengthFilled === 0) return 0;
    while (this.#lengthFilled < lengthBytes && at < bytes.length) {
      this.#lengthBuffer[this.#lengthFilled++] = bytes[at++]!;
    }
    if (this.#lengthFilled < lengthBytes) return at;
    if (this.#partial.length === 0) {
      this.#partial = new Uint8Array(this.#lengthAt(this.#lengthBuffer, 0));
    }
    const take = Math.min(this.#partial.length - this.#filled, bytes.length - at);
    this.#partial.set(bytes.subarray(at, at + take), this.#filled);
    this.#filled += take;
    if (this.#filled === this.#partial.length) {
      const frame = this.#partial;
      this.#partial = new Uint8Array(0);
      this.#filled = 0;
      this.#lengthFilled = 0;
      this.#emit(frame, 0, frame.length);
    }
    return at + take;
  }

  #keep(bytes: Uint8Array, at: number): void {
    // All of it goes the way of a frame that came in pieces: the length first, then the rest.
    this.#lengthBuffer[0] = bytes[at]!;
    this.#lengthFilled = 1;
    if (at + 1 < bytes.length) this.#finishPartial(bytes.subarray(at + 1));
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = readU32(bytes, at);
    if (length < headBytes) throw new FrameFault('bad-frame', `a frame of ${length} bytes`);
    const limit = this.#bodyBytesMax + headBytes;
    if (length > limit) {
      throw new FrameFault('too-large', `a frame of ${length} bytes; ${limit} are allowed`);
    }
    return length;
  }

  #emit(bytes: Uint8Array, at: number, length: number): void {
    const body = new Uint8Array(
      bytes.buffer,
      bytes.byteOffset + at + headBytes,
      length - headBytes,
    );
    this.#read(bytes[at]!, bytes[at + 1]!, readU32(bytes, at + 2), body);
  }
}

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
