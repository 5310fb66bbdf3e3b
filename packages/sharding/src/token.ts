import xxhash from 'xxhash-wasm';

/** Hashes a uuid's 36-character lower-case text to its 64-bit token: xxh64, seed 0. */
export type TokenHash = (uuid: string) => bigint;

let loaded: Promise<TokenHash> | undefined;
let hashBytes: ((text: Uint8Array) => bigint) | undefined;

/** Compiles the hash once per process (WebAssembly, no code from strings). */
export function loadTokenHash(): Promise<TokenHash> {
  loaded ??= xxhash().then(({ h64, h64Raw }) => {
    hashBytes = (text) => h64Raw(text);
    return (uuid: string) => h64(uuid);
  });
  return loaded;
}

/** The token of a uuid whose text is at hand as bytes; `loadTokenHash` must have resolved before. */
export function tokenOfBytes(text: Uint8Array): bigint {
  if (hashBytes === undefined) throw new Error('loadTokenHash() comes first');
  return hashBytes(text);
}
