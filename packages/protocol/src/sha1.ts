// SHA-1 (RFC 3174), for UUIDv5 and checksums. Written out because browsers offer it only asynchronously.
// Bulk imports compute one per key: scratch memory is made once, and there are no views of small
// arrays, which cost more than the hash.
const words = new Int32Array(80);
const state = new Int32Array(5);
const shortPadded = new Uint8Array(192);

export function sha1(message: Uint8Array): Uint8Array {
  digest(pad(message), message.length);
  const out = new Uint8Array(20);
  for (let i = 0; i < 5; i++) putInt32(out, 4 * i, state[i]!);
  return out;
}

/**
 * For messages made in place: pads the first `length` bytes of `message` where they stand, which takes
 * up to 72 bytes more, and writes the first 16 bytes of the hash to `target`.
 */
export function sha1InPlace(
  message: Uint8Array,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  padFrom(message, length);
  digest(message, length);
  for (let i = 0; i < 4; i++) putInt32(target, at + 4 * i, state[i]!);
}

function digest(padded: Uint8Array, length: number): void {
  const blocks = ((length + 8) >> 6) + 1;
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  for (let block = 0; block < blocks; block++) compress(padded, block * 64);
}

/** The message, a one bit, zeros, and the length in bits. */
function pad(message: Uint8Array): Uint8Array {
  const { length } = message;
  const bytes = (((length + 8) >> 6) + 1) * 64;
  const padded = bytes <= shortPadded.length ? shortPadded : new Uint8Array(bytes);
  padded.set(message);
  padFrom(padded, length);
  return padded;
}

function padFrom(padded: Uint8Array, length: number): void {
  const bytes = (((length + 8) >> 6) + 1) * 64;
  for (let i = length; i < bytes; i++) padded[i] = 0;
  padded[length] = 0x80;
  putInt32(padded, bytes - 8, Math.floor(length / 0x20000000));
  putInt32(padded, bytes - 4, length << 3);
}

function putInt32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function compress(bytes: Uint8Array, at: number): void {
  const w = words;
  for (let i = 0, p = at; i < 16; i++, p += 4) {
    w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
  }
  for (let i = 16; i < 80; i++) w[i] = rotate(w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!, 1);
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let i = 0; i < 80; i++) {
    const f =
      i < 20
        ? (((b & c) | (~b & d)) + 0x5a827999) | 0
        : i < 40
          ? ((b ^ c ^ d) + 0x6ed9eba1) | 0
          : i < 60
            ? (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0
            : ((b ^ c ^ d) + 0xca62c1d6) | 0;
    const next = (((((rotate(a, 5) + f) | 0) + e) | 0) + w[i]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
