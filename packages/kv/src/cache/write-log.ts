import { compareBytes } from '@themisdb/base';
import type { KvBatch, KvPuts } from '../engine.ts';
import { putCount, putKey } from '../puts.ts';

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
      if (operation.type === 'puts') this.#addPuts(number, operation);
      else if (operation.type === 'deleteRange') this.#addOne(number, operation.gte, operation.lt);
      else this.#addOne(number, operation.key, undefined);
    }
  }

  /** Of more than fit, the last ones are kept: the rest would be forgotten at once. */
  #addPuts(number: number, puts: KvPuts): void {
    const count = putCount(puts);
    const first = Math.max(0, count - length);
    for (let i = first; i < count; i++) this.#addOne(number, putKey(puts, i), undefined);
    if (first > 0) this.#horizon = number;
  }

  #addOne(number: number, gte: Uint8Array, lt: Uint8Array | undefined): void {
    const at = this.#next++ % length;
    this.#horizon = this.#numbers[at] ?? this.#horizon;
    this.#numbers[at] = number;
    this.#gte[at] = gte;
    this.#lt[at] = lt;
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
