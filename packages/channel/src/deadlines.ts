import type { Env, TimerHandle } from '@themisdb/base';

// Deadlines may fire this much late, so that many share a timer.
const stepMs = 8;

export interface Expiring {
  expire(): void;
}

/** Many deadlines on one timer. One fires at its time or up to 8 ms later, never earlier. */
export class Deadlines {
  readonly #env: Pick<Env, 'clock' | 'timers'>;
  readonly #sets = new Map<number, Set<Expiring>>();
  /** The keys of `#sets`, ascending. */
  readonly #steps: number[] = [];
  #timer: TimerHandle | undefined;
  #timerStep = Infinity;

  constructor(env: Pick<Env, 'clock' | 'timers'>) {
    this.#env = env;
  }

  /** Answers with what `remove` wants. */
  add(delayMs: number, item: Expiring): number {
    const step = Math.ceil((this.#env.clock.monotonicMs() + delayMs) / stepMs);
    let set = this.#sets.get(step);
    if (set === undefined) {
      set = new Set();
      this.#sets.set(step, set);
      this.#insert(step);
    }
    set.add(item);
    if (step < this.#timerStep) this.#arm(step);
    return step;
  }

  remove(step: number, item: Expiring): void {
    this.#sets.get(step)?.delete(item);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#sets.clear();
    this.#steps.length = 0;
    this.#timerStep = Infinity;
  }

  #insert(step: number): void {
    let at = this.#steps.length;
    while (at > 0 && this.#steps[at - 1]! > step) at--;
    this.#steps.splice(at, 0, step);
  }

  #arm(step: number): void {
    this.#timer?.cancel();
    this.#timerStep = step;
    const delayMs = step * stepMs - this.#env.clock.monotonicMs();
    this.#timer = this.#env.timers.after(Math.max(delayMs, 0), () => this.#fire());
  }

  #fire(): void {
    const nowMs = this.#env.clock.monotonicMs();
    this.#timerStep = Infinity;
    const due: Expiring[] = [];
    while (this.#steps.length > 0) {
      const step = this.#steps[0]!;
      const set = this.#sets.get(step)!;
      if (set.size > 0 && step * stepMs > nowMs) break;
      due.push(...set);
      this.#sets.delete(step);
      this.#steps.shift();
    }
    if (this.#steps.length > 0) this.#arm(this.#steps[0]!);
    for (const item of due) item.expire();
  }
}
