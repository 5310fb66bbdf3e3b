import type { ConfState } from '@themisdb/raft';

/** A membership of these voters alone, at rest. */
export function membersOf(voters: readonly number[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}
