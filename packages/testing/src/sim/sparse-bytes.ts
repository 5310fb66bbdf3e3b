const pageBytes = 4096;

/** The bytes of a file; what was never written reads as zero and costs no memory. */
export class SparseBytes {
  readonly #pages: Map<number, Uint8Array> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Fewer bytes than asked for only at the end of the file. */
  read(position: number, length: number): Uint8Array {
    const out = new Uint8Array(Math.max(Math.min(length, this.#size - position), 0));
    forPages(position, out.length, (page, from, count, at) => {
      const bytes = this.#pages.get(page);
      if (bytes !== undefined) out.set(bytes.subarray(from, from + count), at);
    });
    return out;
  }

  write(position: number, bytes: Uint8Array): void {
    forPages(position, bytes.length, (page, from, count, at) => {
      let target = this.#pages.get(page);
      if (target === undefined) this.#pages.set(page, (target = new Uint8Array(pageBytes)));
      target.set(bytes.subarray(at, at + count), from);
    });
    if (bytes.length > 0) this.grow(position + bytes.length);
  }

  /** Makes the file at least this long. */
  grow(length: number): void {
    this.#size = Math.max(this.#size, length);
  }

  truncate(length: number): void {
    for (const page of this.#pages.keys()) {
      if (page * pageBytes >= length) this.#pages.delete(page);
    }
    this.#pages.get(Math.floor(length / pageBytes))?.fill(0, length % pageBytes);
    this.#size = length;
  }

  clone(): SparseBytes {
    const copy = new SparseBytes();
    for (const [page, bytes] of this.#pages) copy.#pages.set(page, bytes.slice());
    copy.#size = this.#size;
    return copy;
  }
}

function forPages(
  position: number,
  length: number,
  visit: (page: number, from: number, count: number, at: number) => void,
): void {
  for (let at = 0; at < length;) {
    const from = (position + at) % pageBytes;
    const count = Math.min(pageBytes - from, length - at);
    visit((position + at - from) / pageBytes, from, count, at);
    at += count;
  }
}
