import type { Clock } from '@themisdb/base';

/** Which peers this replica has heard from of late: only they are asked to take over, and shown as there. */
export class Heard {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #withinMs: number;
  readonly #atMs = new Map<number, number>();

  /** Who said nothing for `withinMs` counts as gone. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, withinMs: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  heard(id: number): void {
    this.#atMs.set(id, this.#clock.monotonicMs());
  }

  /** Its connection broke. */
  forget(id: number): void {
    this.#atMs.delete(id);
  }

  isHeard(id: number, asOfMs: number = this.#clock.monotonicMs()): boolean {
    return asOfMs - this.#lastMs(id) < this.#withinMs;
  }

  isHeardSince(id: number, sinceMs: number): boolean {
    return this.#lastMs(id) > sinceMs;
  }

  #lastMs(id: number): number {
    return this.#atMs.get(id) ?? Number.NEGATIVE_INFINITY;
  }
}
