import type { JointConfig } from './joint.ts';
import { type AckedIndex, MajorityConfig } from './majority.ts';

/**
 * A picture of what voters have acknowledged, one row per voter in order of id: the bar grows with
 * the number of voters that are behind, `?` marks a voter of whom nothing is known.
 */
export function describeAcked(config: MajorityConfig | JointConfig, acked: AckedIndex): string {
  const count = config.ids.length;
  if (count === 0) return '<empty majority quorum>';
  const bars = barLengths(config.ids, acked);
  const rows = config.ids.map((id) => {
    const index = acked(id);
    const bar = index === undefined ? '?' : 'x'.repeat(bars.get(id)!) + '>';
    return `${bar.padEnd(count + 1)} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
  });
  return `${' '.repeat(count)}    idx\n${rows.join('')}`;
}

/** Voters strictly behind each voter; of several voters at one index only the first gets a bar. */
function barLengths(ids: readonly number[], acked: AckedIndex): Map<number, number> {
  const byIndex = ids
    .map((id) => ({ id, index: acked(id) ?? 0 }))
    .sort((a, b) => a.index - b.index || a.id - b.id);
  const behind = byIndex.map(({ id, index }, at): [number, number] => {
    const isFirst = at > 0 && byIndex[at - 1]!.index < index;
    return [id, isFirst ? at : 0];
  });
  return new Map(behind);
}
