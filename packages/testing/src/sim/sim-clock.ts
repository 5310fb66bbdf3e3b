import type { Clock } from '@themisdb/base';
import type { SimScheduler } from './scheduler.ts';

/** Virtual clock of one node. Its wall clock can be jumped, both can be made to drift. */
export class SimClock implements Clock {
  readonly #scheduler: SimScheduler;
  #wallMs: number;
  #rate = 1;
  #sinceMs: number;
  #monotonicMs: number;

  constructor(scheduler: SimScheduler, epochMs: number) {
    this.#scheduler = scheduler;
    this.#sinceMs = scheduler.nowMs;
    this.#wallMs = epochMs;
    this.#monotonicMs = 0;
  }

  nowMs(): number {
    return Math.floor(this.#wallMs + this.#elapsedMs());
  }

  monotonicMs(): number {
    return this.#monotonicMs + this.#elapsedMs();
  }

  /** Moves the wall clock, in either direction; the monotonic one does not notice. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** How fast this node's clocks go against virtual time; 1 is true. */
  drift(rate: number): void {
    const elapsedMs = this.#elapsedMs();
    this.#wallMs += elapsedMs;
    this.#monotonicMs += elapsedMs;
    this.#sinceMs = this.#scheduler.nowMs;
    this.#rate = rate;
  }

  #elapsedMs(): number {
    return (this.#scheduler.nowMs - this.#sinceMs) * this.#rate;
  }
}
