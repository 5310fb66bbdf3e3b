import type { TimerHandle, Timers } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';

/** What can still be stopped when the time is over is stopped, and says so. */
const graceMs = 100;

/**
 * Lets a request end in its time though the commit it began does not: a quorum that does not answer, or a
 * disk that does not take what is committed, can hold it back for any time.
 */
export class LateCommit {
  readonly #timers: Timers;
  #timer: TimerHandle | undefined;
  #giveUp: ((error: Error) => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** From here on something may be done. */
  begin(remainingMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#timers.after(remainingMs + graceMs, () => this.#giveUp?.(tooLate()));
  }

  /** What the work comes to, or UNKNOWN_OUTCOME; it goes on then, with nobody waiting. */
  within<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject).finally(() => this.#timer?.cancel());
    });
  }
}

function tooLate(): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message:
      'the commit was begun and did not end within the time of the request (X-Request-Timeout or the server limit)',
  });
}
