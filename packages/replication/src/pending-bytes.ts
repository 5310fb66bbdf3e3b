/** Bytes that were proposed and are not applied yet: what keeps a leader from running ahead of its engine. */
export class PendingBytes {
  readonly #bytesMax: number;
  #queue: { readonly index: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #waiters: (() => void)[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `index` is that of the last entry. */
  add(index: number, datas: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const data of datas) bytes += data.length;
    this.#queue.push({ index, bytes });
    this.#bytes += bytes;
  }

  applied(index: number): void {
    let count = 0;
    for (; count < this.#queue.length && this.#queue[count]!.index <= index; count++)
      this.#bytes -= this.#queue[count]!.bytes;
    this.#queue.splice(0, count);
    this.#wake();
  }

  /** Nothing of it is ours any more. */
  clear(): void {
    this.#queue = [];
    this.#bytes = 0;
    this.#wake();
  }

  /** Undefined when more may be proposed; else resolves when it may. */
  room(): Promise<void> | undefined {
    if (this.#bytes <= this.#bytesMax) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    if (this.#bytes > this.#bytesMax) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
