import type { TimerHandle, Timers } from '@themisdb/base';

const intervalsPerDeath = 4;

/**
 * Notices a silent other side by counting intervals in which nothing came, not by comparing times: a
 * loop that stood still for long counts one interval, not many, and does not blame the other side.
 */
export class KeepAlive {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: TimerHandle | undefined;
  #silent = 0;

  constructor(timers: Timers, deadAfterMs: number, ping: () => void, dead: () => void) {
    this.#timers = timers;
    this.#intervalMs = deadAfterMs / intervalsPerDeath;
    this.#ping = ping;
    this.#dead = dead;
    this.#arm();
  }

  heard(): void {
    this.#silent = 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#timers.after(this.#intervalMs, () => {
      this.#silent++;
      // Heard of at most an interval before the first silent one ended.
      if (this.#silent >= intervalsPerDeath) return this.#dead();
      if (this.#silent > 1) this.#ping();
      this.#arm();
    });
  }
}
