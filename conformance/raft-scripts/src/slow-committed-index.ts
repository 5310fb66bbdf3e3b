import type { AckedIndex, MajorityConfig } from '@themisdb/raft';

/**
 * The committed index by its definition, as slowly as can be: the largest acknowledged index that more
 * than half of the voters have reached; 0 if there is none, everything if there are no voters.
 */
export function slowCommittedIndex(config: MajorityConfig, acked: AckedIndex): number {
  if (config.ids.length === 0) return Number.POSITIVE_INFINITY;
  const indexes = config.ids.map((id) => acked(id) ?? 0);
  const reached = indexes.filter(
    (index) => indexes.filter((other) => other >= index).length * 2 > indexes.length,
  );
  return Math.max(0, ...reached);
}
