import { assert } from '@themisdb/base';
import type { Raft } from './raft.ts';
import { type HardState, NONE, StateType } from './types.ts';

/**
 * What must hold after every step, whatever it was; `before` is the state that was to be stored before
 * it. Costly, so it runs only while `invariants.enabled` (tests, simulation).
 */
export function checkStep(raft: Raft, before: HardState): void {
  const { log, term, vote } = raft;
  assert(term >= before.term, () => `raft: term went back from ${before.term} to ${term}`);
  assert(
    term > before.term || before.vote === NONE || before.vote === vote,
    () => `raft: the vote of term ${term} changed from ${before.vote} to ${vote}`,
  );
  assert(
    log.committed >= before.commit,
    () => `raft: commit went back from ${before.commit} to ${log.committed}`,
  );
  assert(
    log.applied <= log.applying && log.applying <= log.committed && log.committed <= log.lastIndex,
    () => `raft: log positions are out of order: ${log}, last index ${log.lastIndex}`,
  );
  const { offset, offsetInProgress, length } = log.unstable;
  assert(
    offset <= offsetInProgress && offsetInProgress <= offset + length,
    () => `raft: unstable positions are out of order: ${log}`,
  );
  checkRole(raft);
}

function checkRole(raft: Raft): void {
  const isLeader = raft.state === StateType.Leader;
  assert(isLeader === (raft.lead === raft.id), 'raft: who leads knows it, and nobody else does');
  assert(isLeader || raft.leadTransferee === NONE, 'raft: only a leader can hand over');
  for (const [id, { match, next }] of raft.tracker.progress) {
    assert(match < next, () => `raft: progress of ${id} has match ${match}, next ${next}`);
    assert(
      !isLeader || match <= raft.log.lastIndex,
      () => `raft: ${id} holds more than its leader`,
    );
  }
}
