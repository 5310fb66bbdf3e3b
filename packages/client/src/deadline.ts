import { themisError } from '@themisdb/protocol';

/** One deadline for a whole call, retries and waiting included; joins the caller's own signal. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #endsMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuter = (): void => this.#controller.abort(this.#outer?.reason);

  constructor(timeoutMs: number, outer?: AbortSignal) {
    this.#endsMs = performance.now() + timeoutMs;
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        themisError('REQUEST_TIMEOUT', {
          message: `no answer within the deadline of ${timeoutMs} ms`,
          details: { timeoutMs },
        }),
      );
    }, timeoutMs);
    if (outer?.aborted) this.#onOuter();
    else outer?.addEventListener('abort', this.#onOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsMs - performance.now());
  }

  /** Waits, or rejects when the deadline or the caller's signal comes first. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = this.signal;
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuter);
  }
}
