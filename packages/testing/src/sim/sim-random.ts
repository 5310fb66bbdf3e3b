import type { Prng, Random } from '@themisdb/base';

/** The seeded generator in the shape of `Env.random`. */
export class SimRandom implements Random {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  u32(): number {
    return this.#prng.u32();
  }

  float(): number {
    return this.#prng.float();
  }

  bytes(length: number): Uint8Array {
    return this.#prng.bytes(length);
  }
}
