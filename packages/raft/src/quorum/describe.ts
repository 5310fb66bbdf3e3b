import type { JointConfig } from './joint.ts';
import type { AckedIndex, MajorityConfig } from './majority.ts';

/**
 * A picture of what voters have acknowledged, one row per voter in order of id: the bar grows with
 * the number of voters that are behind, `?` marks a voter of whom nothing is known.
 */
export function describeAcked(config: MajorityConfig | JointConfig, acked: AckedIndex): string {
  const count = config.ids.length;
  if (count === 0) return '<empty majority quorum>';
  const behind = (index: number): number =>
    config.ids.filter((id) => (acked(id) ?? 0) < index).length;
  const rows = config.ids.map((id) => {
    const index = acked(id);
    const bar = index === undefined ? '?' : 'x'.repeat(behind(index)) + '>';
    return `${bar.padEnd(count + 1)} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
  });
  return `${' '.repeat(count)}    idx\n${rows.join('')}`;
}
