const prime = 0x100_0000_01b3n;
const offsetBasis = 0xcbf2_9ce4_8422_2325n;

/** FNV-1a of 64 bits (Fowler, Noll, Vo). */
export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = offsetBasis;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * prime);
  return hash;
}
