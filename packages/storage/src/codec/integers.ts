// Big-endian integers in byte arrays, without a DataView: making one for a small array moves the array
// out of V8's heap, which costs more than all the rest.

export function setU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** The low 64 bits, two's complement. */
export function setU64(target: Uint8Array, at: number, value: bigint): void {
  setU32(target, at, Number((value >> 32n) & 0xffffffffn));
  setU32(target, at + 4, Number(value & 0xffffffffn));
}

/** `value` is an integer in [0, 2^53]. */
export function setU53(target: Uint8Array, at: number, value: number): void {
  setU32(target, at, Math.floor(value / 0x1_0000_0000));
  setU32(target, at + 4, value >>> 0);
}

export function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function getU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function getU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(getU32(bytes, at)) << 32n) | BigInt(getU32(bytes, at + 4));
}

/** Of what `setU53` wrote. */
export function getU53(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at) * 0x1_0000_0000 + getU32(bytes, at + 4);
}
