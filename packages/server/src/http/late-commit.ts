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
  readonly #underWay: Set<LateCommit>;
  #timer: TimerHandle | undefined;
  #reject: ((error: Error) => void) | undefined;
  #givenUp: Error | undefined;
  #tell: Tell = (error) => error;

  /** Those that were begun are in `underWay`, so that they can be given up when the server stops. */
  constructor(timers: Timers, underWay: Set<LateCommit>) {
    this.#timers = timers;
    this.#underWay = underWay;
  }

  /**
   * From here on something may be done. UNKNOWN_OUTCOME when nobody waits for it any more; the request ends
   * with what `tell` makes of what it is given up with.
   */
  begin(remainingMs: number, tell?: Tell): void {
    if (this.#givenUp !== undefined) throw this.#givenUp;
    if (tell !== undefined) this.#tell = tell;
    this.#timer?.cancel();
    this.#timer = this.#timers.after(remainingMs + graceMs, () => this.giveUp(tooLate()));
    this.#underWay.add(this);
  }

  /** No commit is waited for until the next begins: a stop can still give it up, time cannot. */
  rest(): void {
    this.#timer?.cancel();
  }

  giveUp(error: Error): void {
    this.#givenUp ??= this.#tell(error);
    this.#reject?.(this.#givenUp);
    this.#end();
  }

  /** What the work comes to, or UNKNOWN_OUTCOME; it goes on then, with nobody waiting. */
  within<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      void work.then(resolve, reject).finally(() => this.#end());
    });
  }

  #end(): void {
    this.#timer?.cancel();
    this.#underWay.delete(this);
  }
}

/** Adds what is known of what was done. */
export type Tell = (error: Error) => Error;

/** The server cannot wait for it. */
export function stoppedMeanwhile(): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message: 'the commit was begun and did not end before the server stopped',
  });
}

export function tooLate(): Error {
  return themisError('UNKNOWN_OUTCOME', {
    message:
      'the commit was begun and did not end within the time of the request (X-Request-Timeout or the server limit)',
  });
}
