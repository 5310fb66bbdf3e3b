import type { ReadOptions } from '@themisdb/replication';
import { themisError } from '@themisdb/protocol';
import type { Exchange } from '../http/exchange.ts';

/**
 * Whether somebody still waits for the answer of a request: its signal aborts when the client leaves or
 * the server stops. Not when the time is over: who is asked then says whether something was done. Made
 * only when asked for; `end` gives the listeners back.
 */
export class Wanted {
  readonly #exchange: Exchange;
  #signal: AbortSignal | undefined;
  #onEnd: (() => void)[] = [];

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.#watch());
  }

  /** For a wait of the replica, which asks for the signal only when there is something to wait for. */
  within(timeoutMs: number): ReadOptions {
    const signal = (): AbortSignal => this.signal;
    return {
      timeoutMs,
      get signal() {
        return signal();
      },
    };
  }

  end(): void {
    for (const run of this.#onEnd) run();
    this.#onEnd = [];
  }

  #watch(): AbortSignal {
    const { carrier, services } = this.#exchange;
    const { stopNow } = services;
    const controller = new AbortController();
    const left = (): void =>
      controller.abort(themisError('REQUEST_TIMEOUT', { message: 'the client left' }));
    const stopped = (): void => controller.abort(stopNow.reason);
    carrier.onClose(left);
    stopNow.addEventListener('abort', stopped);
    this.#onEnd.push(() => {
      carrier.offClose(left);
      stopNow.removeEventListener('abort', stopped);
    });
    if (carrier.isGone) left();
    if (stopNow.aborted) stopped();
    return controller.signal;
  }
}
