import type { Prng } from '@themisdb/base';
import type { LatencyMs } from './sim-disk.ts';

/** A fault of the network that lasts until it is healed. */
export interface NetworkFault {
  heal(): void;
}

interface Rule {
  readonly from: ReadonlySet<string>;
  readonly to: ReadonlySet<string>;
  /** Infinite: nothing gets through. */
  readonly delayMs: number;
}

/** How long it takes from host to host, and whether it gets there at all. */
export class SimPaths {
  readonly #prng: Prng;
  readonly #latencyMs: LatencyMs;
  readonly #rules = new Set<Rule>();
  readonly #onHeal: () => void;

  constructor(prng: Prng, latencyMs: LatencyMs, onHeal: () => void) {
    this.#prng = prng;
    this.#latencyMs = latencyMs;
    this.#onHeal = onHeal;
  }

  add(from: readonly string[], to: readonly string[], delayMs: number): NetworkFault {
    const rule: Rule = { from: new Set(from), to: new Set(to), delayMs };
    this.#rules.add(rule);
    return { heal: () => void (this.#rules.delete(rule) && this.#onHeal()) };
  }

  clear(): void {
    this.#rules.clear();
    this.#onHeal();
  }

  isBlocked(from: string, to: string): boolean {
    return this.#extraMs(from, to) === Infinity;
  }

  /** Drawn anew each time. What lies in a blocked path is asked for again when it heals. */
  delayMs(from: string, to: string): number {
    const [min, max] = this.#latencyMs;
    const latencyMs = min + (max - min) * this.#prng.float();
    const extraMs = this.#extraMs(from, to);
    return latencyMs + (extraMs === Infinity ? 0 : extraMs);
  }

  #extraMs(from: string, to: string): number {
    if (from === to) return 0;
    let extraMs = 0;
    for (const rule of this.#rules) {
      if (rule.from.has(from) && rule.to.has(to)) extraMs += rule.delayMs;
    }
    return extraMs;
  }
}
