import type { Raft } from './raft.ts';
import type { TrackerConfig } from './tracker/config.ts';
import type { ProgressView } from './tracker/progress.ts';
import type { HardState, SoftState } from './types.ts';

export interface BasicStatus {
  readonly id: number;
  readonly hardState: HardState;
  readonly softState: SoftState;
  readonly applied: number;
  /** Target of a transfer of leadership under way; `NONE` without one. */
  readonly leadTransferee: number;
}

export interface Status extends BasicStatus {
  readonly config: TrackerConfig;
  /** Members by ascending id; empty unless this node leads. */
  readonly progress: ReadonlyMap<number, ProgressView>;
}

export function basicStatusOf(raft: Raft): BasicStatus {
  return {
    id: raft.id,
    hardState: raft.hardState,
    softState: raft.softState,
    applied: raft.log.applied,
    leadTransferee: raft.leadTransferee,
  };
}

/** A copy: later steps do not show in it. */
export function statusOf(raft: Raft): Status {
  const progress = new Map<number, ProgressView>();
  if (raft.isLeader) {
    for (const [id, member] of raft.tracker.progress) progress.set(id, member.snapshot());
  }
  return { ...basicStatusOf(raft), config: raft.tracker.config, progress };
}
