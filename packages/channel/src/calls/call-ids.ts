const idMax = 0xffff_ffff;

/** Ids of calls: 1 to 2^32 - 1, round and round. One whose call is not over is left out. */
export class CallIds {
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  next(taken: { has(id: number): boolean }): number {
    do this.#last = this.#last === idMax ? 1 : this.#last + 1;
    while (taken.has(this.#last));
    return this.#last;
  }
}
