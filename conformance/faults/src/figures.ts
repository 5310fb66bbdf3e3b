/** Nearest-rank percentile; NaN of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN;
}

/** `p50 12 ms, p99 40 ms, max 41 ms (8 values)` */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return 'nothing measured';
  const at = (p: number): string => `${percentile(values, p).toFixed(0)} ms`;
  return `p50 ${at(50)}, p99 ${at(99)}, max ${at(100)} (${values.length} values)`;
}
