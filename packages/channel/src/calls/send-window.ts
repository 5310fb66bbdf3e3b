/** What a chunk costs of the window: its bytes, and something for itself, or empty ones cost nothing. */
export function costOf(chunk: Uint8Array): number {
  return chunk.length + 32;
}

/**
 * What may still be sent of one stream. A chunk may go while anything is left, so that one larger than the
 * window gets through too; the debt is paid by later credit.
 */
export class SendWindow {
  #left: number;
  #error: unknown;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why it was closed. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when a chunk may go or the window is closed. */
  async open(): Promise<void> {
    while (this.#left <= 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  take(chunk: Uint8Array): void {
    this.#left -= costOf(chunk);
  }

  grant(bytes: number): void {
    this.#left += bytes;
    this.#wake?.();
  }

  /** Nobody wants any more. */
  close(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    this.#wake?.();
  }
}
