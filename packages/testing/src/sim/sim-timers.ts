import type { TimerHandle, Timers } from '@themisdb/base';
import type { SimScheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

// A turn of the event loop takes a little time, or a loop that yields until a timer fires would
// never end.
const turnMs = 0.001;

/** Timers on virtual time. */
export class SimTimers implements Timers {
  readonly #scheduler: SimScheduler;
  readonly #trace: Trace;
  #life = 0;

  constructor(scheduler: SimScheduler, trace: Trace) {
    this.#scheduler = scheduler;
    this.#trace = trace;
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const life = this.#life;
    return this.#scheduler.at(Math.max(delayMs, 0), () => {
      if (life !== this.#life) return;
      this.#trace.add(`${this.#scheduler.nowMs} timer ${delayMs}`);
      run();
    });
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal!.reason);
      };
      const timer = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  yield(): Promise<void> {
    return this.sleep(turnMs);
  }

  /** The process died: no timer set before this call fires. */
  crash(): void {
    this.#life++;
  }
}
