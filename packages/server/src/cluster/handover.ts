/** Pieces given one by one to one reader; who gives waits until the last one was taken. */
export class Handover implements AsyncIterableIterator<Uint8Array> {
  readonly #onLeave: () => void;
  #piece: Uint8Array | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #isLeft = false;
  #taken: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** The reader wants no more. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  /** Resolves when the piece was taken, or nobody will. */
  give(piece: Uint8Array): Promise<void> {
    if (this.#isLeft || this.#end !== undefined) return Promise.resolve();
    this.#piece = piece;
    this.#wake?.();
    return new Promise((resolve) => (this.#taken = resolve));
  }

  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake?.();
    if (error !== undefined) this.#taken?.();
  }

  leave(): void {
    this.#isLeft = true;
    this.#taken?.();
    this.#wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.#end?.error !== undefined) throw this.#end.error;
      const piece = this.#piece;
      if (piece !== undefined) {
        this.#piece = undefined;
        this.#taken?.();
        return { done: false, value: piece };
      }
      if (this.#isLeft || this.#end !== undefined) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isLeft && this.#end === undefined) {
      this.leave();
      this.#onLeave();
    }
    return Promise.resolve({ done: true, value: undefined });
  }
}
