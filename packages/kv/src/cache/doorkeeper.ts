const slots = 1 << 16;

/**
 * Remembers hashes of keys asked for lately. Single keys enter the cache at their second miss, so
 * that random reads over data larger than the cache do not pay for filling it.
 */
export class Doorkeeper {
  readonly #seen = new Uint32Array(slots);

  /** Whether `key` was here not long ago; notes that it is here now. May rarely err. */
  isKnown(key: Uint8Array): boolean {
    let hash = 0x811c9dc5; // FNV-1a
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193);
    hash >>>= 0;
    const slot = (hash ^ (hash >>> 16)) & (slots - 1);
    const isKnown = this.#seen[slot] === hash;
    this.#seen[slot] = hash;
    return isKnown;
  }
}
