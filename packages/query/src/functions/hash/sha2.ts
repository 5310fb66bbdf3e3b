// SHA-256 and SHA-512 (FIPS 180-4). The constants are the fractional parts of the square roots (for
// the state) and cube roots (for the rounds) of the first primes, taken with integer arithmetic.

const primes = firstPrimes(80);
const round64 = primes.map((prime) => fractionOfRoot(BigInt(prime), 3n));
const state64 = primes.slice(0, 8).map((prime) => fractionOfRoot(BigInt(prime), 2n));
const round32 = Int32Array.from(round64.slice(0, 64), (value) => Number(value >> 32n));
const state32 = Int32Array.from(state64, (value) => Number(value >> 32n));

function firstPrimes(count: number): number[] {
  const out: number[] = [];
  for (let n = 2; out.length < count; n++) if (out.every((prime) => n % prime !== 0)) out.push(n);
  return out;
}

/** The first 64 bits after the point of the square (2) or cube (3) root. */
function fractionOfRoot(value: bigint, degree: bigint): bigint {
  const scaled = value << (64n * degree);
  let low = 0n;
  let high = 1n << 72n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return low & 0xffff_ffff_ffff_ffffn;
}

function pad(message: Uint8Array, blockBytes: number, lengthBytes: number): DataView {
  const blocks = Math.ceil((message.length + 1 + lengthBytes) / blockBytes);
  const padded = new Uint8Array(blocks * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return view;
}

export function sha256(message: Uint8Array): Uint8Array {
  const view = pad(message, 64, 8);
  const state = state32.slice();
  const words = new Int32Array(64);
  for (let at = 0; at < view.byteLength; at += 64) compress256(state, words, view, at);
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) outView.setInt32(4 * i, state[i]!);
  return out;
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

function compress256(state: Int32Array, w: Int32Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + round32[i]! + w[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] = (state[i]! + value) | 0));
}

export function sha512(message: Uint8Array): Uint8Array {
  const view = pad(message, 128, 16);
  const state = BigUint64Array.from(state64);
  const words = new BigUint64Array(80);
  for (let at = 0; at < view.byteLength; at += 128) compress512(state, words, view, at);
  const out = new Uint8Array(64);
  const outView = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) outView.setBigUint64(8 * i, state[i]!);
  return out;
}

function rotate64(value: bigint, bits: bigint): bigint {
  return (value >> bits) | BigInt.asUintN(64, value << (64n - bits));
}

function compress512(state: BigUint64Array, w: BigUint64Array, view: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getBigUint64(at + 8 * i);
  for (let i = 16; i < 80; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = rotate64(x, 1n) ^ rotate64(x, 8n) ^ (x >> 7n);
    const s1 = rotate64(y, 19n) ^ rotate64(y, 61n) ^ (y >> 6n);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  const v = state.slice();
  for (let i = 0; i < 80; i++) {
    const [a, b, c, , e, f, g, h] = v as unknown as bigint[] as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const s1 = rotate64(e, 14n) ^ rotate64(e, 18n) ^ rotate64(e, 41n);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + round64[i]! + w[i]!;
    const s0 = rotate64(a, 28n) ^ rotate64(a, 34n) ^ rotate64(a, 39n);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    v.copyWithin(1, 0, 7);
    v[4] = v[4]! + t1;
    v[0] = t1 + t2;
  }
  for (let i = 0; i < 8; i++) state[i] = state[i]! + v[i]!;
}
