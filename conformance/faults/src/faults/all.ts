import { damageFaults } from './damage.ts';
import { diskFaults } from './disks.ts';
import type { FaultKind } from './kind.ts';
import { partitionFaults } from './partitions.ts';
import { processFaults } from './processes.ts';

export const allFaults: readonly FaultKind[] = [
  ...processFaults,
  ...partitionFaults,
  ...diskFaults,
  ...damageFaults,
];
