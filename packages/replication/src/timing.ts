/** In milliseconds of the monotonic clock. */
export interface Timing {
  readonly tickMs: number;
  /** Between heartbeats of a leader. */
  readonly heartbeatMs: number;
  /** Without a leader for so long, and up to twice that, a replica campaigns. */
  readonly electionMs: number;
  /** How long one confirmed round lets a leader read alone; 0 switches lease reads off. */
  readonly leaseMs: number;
}

export const defaultTiming: Timing = {
  tickMs: 100,
  heartbeatMs: 200,
  electionMs: 1000,
  leaseMs: 0,
};
