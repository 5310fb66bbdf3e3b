import type { NetworkConnection } from '@themisdb/base';

const slabBytes = 65_536;
// Below this a copy costs less than a write of its own.
const copyBytesMax = 8_192;

/**
 * Gathers what one loop turn sends, so that it goes out in few large writes. Small pieces are copied into a
 * slab, of which no byte is used twice, because the network may still hold it.
 */
export class Outbox {
  #slab = new Uint8Array(slabBytes);
  #from = 0;
  #to = 0;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;

  get bytes(): number {
    return this.#partsBytes + this.#to - this.#from;
  }

  /** Space for `length` bytes, at most 64 KiB, to be filled by the caller at `reserved.at`. */
  reserve(length: number): Uint8Array {
    if (this.#to + length > slabBytes) {
      this.#closeRun();
      this.#slab = new Uint8Array(slabBytes);
      this.#from = this.#to = 0;
    }
    this.#to += length;
    return this.#slab;
  }

  /** Where the space last reserved ends. */
  get end(): number {
    return this.#to;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length > copyBytesMax) {
      this.#closeRun();
      this.#add(bytes);
      return;
    }
    const slab = this.reserve(bytes.length);
    slab.set(bytes, this.#to - bytes.length);
  }

  /** Writes all of it; the answer of the last write. */
  writeTo(connection: NetworkConnection): boolean {
    this.#closeRun();
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = 0;
    let goOn = true;
    for (const part of parts) goOn = connection.write(part);
    return goOn;
  }

  #closeRun(): void {
    if (this.#to > this.#from) this.#add(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partsBytes += part.length;
  }
}
