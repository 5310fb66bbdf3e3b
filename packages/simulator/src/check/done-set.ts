/**
 * Which operations a partial linearization holds, by their number in order of call. Operations are
 * taken nearly in that order, so the set is "all below `base`, and a few beyond": its key holds only
 * the words from `base` on, however long the history.
 */
export class DoneSet {
  readonly #words: Uint16Array;
  /** The lowest number not in the set. */
  #base = 0;
  /** One past the highest number in the set. */
  #end = 0;

  constructor(size: number) {
    this.#words = new Uint16Array((size >> 4) + 2);
  }

  add(index: number): void {
    this.#words[index >> 4]! |= 1 << (index & 15);
    while ((this.#words[this.#base >> 4]! & (1 << (this.#base & 15))) !== 0) this.#base++;
    if (index >= this.#end) this.#end = index + 1;
  }

  delete(index: number): void {
    this.#words[index >> 4]! &= ~(1 << (index & 15));
    if (index < this.#base) this.#base = index;
    while (this.#end > this.#base && !this.#has(this.#end - 1)) this.#end--;
  }

  /** Equal for equal sets, and for no others. */
  key(): string {
    let out = `${this.#base}`;
    if (this.#end <= this.#base) return out;
    out += ':';
    for (let at = this.#base >> 4; at <= (this.#end - 1) >> 4; at++) {
      out += String.fromCharCode(this.#words[at]!);
    }
    return out;
  }

  #has(index: number): boolean {
    return (this.#words[index >> 4]! & (1 << (index & 15))) !== 0;
  }
}
