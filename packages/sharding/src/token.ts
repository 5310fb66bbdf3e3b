import xxhash from 'xxhash-wasm';

/** Hashes a uuid's 36-character lower-case text to its 64-bit token: xxh64, seed 0. */
export type TokenHash = (uuid: string) => bigint;

let loaded: Promise<TokenHash> | undefined;

/** Compiles the hash once per process (WebAssembly, no code from strings). */
export function loadTokenHash(): Promise<TokenHash> {
  loaded ??= xxhash().then(
    ({ h64 }) =>
      (uuid: string) =>
        h64(uuid),
  );
  return loaded;
}
