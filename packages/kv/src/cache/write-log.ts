import { compareBytes } from '@themisdb/base';
import type { KvBatch } from '../engine.ts';

const length = 1024;

/** The latest written keys and ranges, to tell whether what was read a while ago still holds. */
export class WriteLog {
  readonly #numbers: number[] = [];
  readonly #gte: Uint8Array[] = [];
  /** Undefined: a single key. */
  readonly #lt: (Uint8Array | undefined)[] = [];
  #next = 0;
  /** Writes up to this number are forgotten. */
  #horizon = 0;

  add(number: number, batch: KvBatch): void {
    for (const operation of batch) {
      const at = this.#next++ % length;
      this.#horizon = this.#numbers[at] ?? this.#horizon;
      this.#numbers[at] = number;
      const isRange = operation.type === 'deleteRange';
      this.#gte[at] = isRange ? operation.gte : operation.key;
      this.#lt[at] = isRange ? operation.lt : undefined;
    }
  }

  /** Whether a write after number `since` touched [from, to), or may have. */
  touchedSince(since: number, from: Uint8Array, to: Uint8Array | undefined): boolean {
    if (since < this.#horizon) return true;
    for (let i = this.#next - 1; i >= 0 && i >= this.#next - length; i--) {
      const at = i % length;
      if (this.#numbers[at]! <= since) return false;
      if (this.#touches(at, from, to)) return true;
    }
    return false;
  }

  keyTouchedSince(since: number, key: Uint8Array): boolean {
    if (since < this.#horizon) return true;
    for (let i = this.#next - 1; i >= 0 && i >= this.#next - length; i--) {
      const at = i % length;
      if (this.#numbers[at]! <= since) return false;
      const lt = this.#lt[at];
      const order = compareBytes(key, this.#gte[at]!);
      if (lt === undefined ? order === 0 : order >= 0 && compareBytes(key, lt) < 0) return true;
    }
    return false;
  }

  #touches(at: number, from: Uint8Array, to: Uint8Array | undefined): boolean {
    const gte = this.#gte[at]!;
    if (to !== undefined && compareBytes(gte, to) >= 0) return false;
    const lt = this.#lt[at];
    return compareBytes(lt ?? gte, from) >= (lt === undefined ? 0 : 1);
  }
}
