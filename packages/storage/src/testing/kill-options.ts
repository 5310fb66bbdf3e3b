/** What the killed process and the one that looks afterwards must agree on. */
export const killOptions = {
  groups: 12,
  wal: { directory: 'log', segmentBytes: 262_144, firstSegmentBytes: 65_536 },
  // Checkpoints often, so that some are under way at the kill.
  store: { checkpointBytes: 50_000 },
} as const;
