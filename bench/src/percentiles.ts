/** Latencies of one run, in milliseconds. */
export class Latencies {
  readonly #values: number[] = [];

  add(ms: number): void {
    this.#values.push(ms);
  }

  get count(): number {
    return this.#values.length;
  }

  /** Nearest-rank percentile; NaN when nothing was measured. */
  percentile(p: number): number {
    return percentile(this.#values, p);
  }
}

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN;
}

/** `workers` loops calling `once` until `seconds` are over; the first tenth is not counted. */
export async function load(
  workers: number,
  seconds: number,
  once: (worker: number, n: number) => Promise<void>,
): Promise<{ readonly perSecond: number; readonly latencies: Latencies }> {
  const latencies = new Latencies();
  const begin = performance.now();
  const warm = begin + seconds * 100;
  const end = begin + seconds * 1100;
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let n = 0; performance.now() < end; n++) {
        const started = performance.now();
        await once(worker, n);
        if (started >= warm) latencies.add(performance.now() - started);
      }
    }),
  );
  return { perSecond: latencies.count / ((performance.now() - warm) / 1000), latencies };
}
