import type { Random } from '@themisdb/base';
import { uuidFromBytes, type Uuid } from '@themisdb/protocol';

const poolBytes = 4096;

/** Makes random keys (UUID version 4, RFC 9562 §5.4), drawing random bytes for many at once. */
export class KeyMaker {
  readonly #random: Random;
  #pool: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): Uuid {
    if (this.#at === this.#pool.length) {
      // The source may hand out a buffer of its own; it is ours from here on.
      this.#pool = this.#random.bytes(poolBytes);
      this.#at = 0;
    }
    const pool = this.#pool;
    const at = this.#at;
    this.#at += 16;
    pool[at + 6] = (pool[at + 6]! & 0x0f) | 0x40;
    pool[at + 8] = (pool[at + 8]! & 0x3f) | 0x80;
    return uuidFromBytes(pool, at);
  }
}
