import { assert } from '@themisdb/base';

/**
 * The append messages sent to one follower and not yet acknowledged, oldest first: a window limited
 * by count and by bytes. A message is known by its last index; acknowledging an index frees every
 * message up to it.
 *
 * Invariant: indexes ascend, `#bytes` is the sum over the window (a leaked byte would in the end
 * stop replication for good).
 */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  /** Ring buffers of equal power-of-two length, grown on demand: most followers need a few slots. */
  #indexes: number[] = [0];
  #sizes: number[] = [0];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * No room for one more message. The byte limit is soft: the message that reaches it is still
   * accepted, or an entry larger than the limit could never be sent.
   */
  get full(): boolean {
    return this.#count === this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** Notes a message ending at `lastIndex`. The caller has checked `full`. */
  add(lastIndex: number, bytes: number): void {
    assert(!this.full, 'inflights: added to a full window');
    const slots = this.#indexes.length;
    if (this.#count === slots) this.#grow();
    const at = (this.#start + this.#count) & (this.#indexes.length - 1);
    this.#indexes[at] = lastIndex;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees the messages whose last index is at most `index`. */
  freeUpTo(index: number): void {
    const mask = this.#indexes.length - 1;
    while (this.#count > 0 && this.#indexes[this.#start]! <= index) {
      this.#bytes -= this.#sizes[this.#start]!;
      this.#start = (this.#start + 1) & mask;
      this.#count--;
    }
    assert(this.#count > 0 || this.#bytes === 0, 'inflights: an empty window holds bytes');
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const at = (offset: number): number => (this.#start + offset) % this.#count;
    const length = this.#count * 2;
    this.#indexes = Array.from({ length }, (_, i) => (i < length / 2 ? this.#indexes[at(i)]! : 0));
    this.#sizes = Array.from({ length }, (_, i) => (i < length / 2 ? this.#sizes[at(i)]! : 0));
    this.#start = 0;
  }
}
