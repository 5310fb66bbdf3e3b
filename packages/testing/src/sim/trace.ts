import { crc32c, utf8Encode } from '@themisdb/base';

/** A running hash over everything that happened, and the last of it in words. */
export class Trace {
  #a = 0;
  #b = 0x9e3779b9;
  #count = 0;
  readonly #last: string[] = [];
  readonly #kept: number;

  constructor(kept = 200) {
    this.#kept = kept;
  }

  add(line: string): void {
    const bytes = utf8Encode(line);
    this.#a = crc32c(bytes, 0, bytes.length, this.#a);
    this.#b = (Math.imul(this.#b ^ this.#a, 0x85ebca6b) + this.#count) | 0;
    this.#count++;
    this.#last.push(line);
    if (this.#last.length > 2 * this.#kept) this.#last.splice(0, this.#kept);
  }

  /** 16 hexadecimal digits and the number of entries: equal for equal histories. */
  hash(): string {
    const part = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return `${part(this.#a)}${part(this.#b)}-${this.#count}`;
  }

  /** The latest entries, oldest first. */
  tail(): readonly string[] {
    return this.#last.slice(-this.#kept);
  }
}
