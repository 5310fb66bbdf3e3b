import { SimScheduler, type SimEvent } from '@themisdb/testing';

/**
 * The events of one node on the world's time. A stopped node (SIGSTOP) gets them when it goes on, in
 * their order; `rate` is how fast its timers run against true time.
 */
export class NodeScheduler extends SimScheduler {
  readonly #world: SimScheduler;
  readonly #rate: () => number;
  #isPaused = false;
  #held: (() => void)[] = [];

  constructor(world: SimScheduler, rate: () => number = () => 1) {
    super();
    this.#world = world;
    this.#rate = rate;
  }

  override get nowMs(): number {
    return this.#world.nowMs;
  }

  override get events(): number {
    return this.#world.events;
  }

  override at(delayMs: number, run: () => void): SimEvent {
    return this.#world.at(delayMs / this.#rate(), () => {
      if (this.#isPaused) this.#held.push(run);
      else run();
    });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.at(0, run);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }
}
