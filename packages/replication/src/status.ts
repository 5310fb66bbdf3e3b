import { isThemisError } from '@themisdb/base';
import { confStateOf, StateType, type Status } from '@themisdb/raft';
import type { MemberStatus, ReplicaStatus, Role } from './contract.ts';

export function describeStatus(
  status: Status,
  own: Pick<ReplicaStatus, 'shard' | 'appliedIndex' | 'lastIndex' | 'firstIndex'> & {
    readonly failure: unknown;
    readonly isHeard: (id: number) => boolean;
    /** Everything of earlier terms is applied: writes are taken. */
    readonly isToldToLead: boolean;
  },
): ReplicaStatus {
  const { id, hardState } = status;
  return {
    shard: own.shard,
    nodeId: id,
    role: roleOf(status, own),
    term: hardState.term,
    leader: leaderOf(status, own.isToldToLead),
    commitIndex: hardState.commit,
    appliedIndex: own.appliedIndex,
    lastIndex: own.lastIndex,
    firstIndex: own.firstIndex,
    members: membersOf(status, own.isHeard),
    failure: own.failure === undefined ? undefined : String(own.failure),
    failureCode: isThemisError(own.failure) ? own.failure.code : undefined,
  };
}

/** One that is elected and has not applied what was committed before does not lead anybody yet. */
function leaderOf({ id, softState: { lead } }: Status, isToldToLead: boolean): number | undefined {
  return lead === 0 || (lead === id && !isToldToLead) ? undefined : lead;
}

function roleOf(
  { id, softState, config }: Status,
  own: { readonly failure: unknown; readonly isToldToLead: boolean },
): Role {
  if (own.failure !== undefined) return 'failed';
  if (softState.raftState === StateType.Leader) return own.isToldToLead ? 'leader' : 'candidate';
  if (confStateOf(config).learners.includes(id)) return 'learner';
  return softState.raftState === StateType.Follower ? 'follower' : 'candidate';
}

function membersOf({ config, progress }: Status, isHeard: (id: number) => boolean): MemberStatus[] {
  const { voters, learners, votersOutgoing, learnersNext } = confStateOf(config);
  const voting = new Set([...voters, ...votersOutgoing]);
  const all = new Set([...voting, ...learners, ...learnersNext]);
  return [...all]
    .sort((a, b) => a - b)
    .map((member) => {
      const known = progress.get(member);
      const isVoter = voting.has(member);
      if (known === undefined) return { id: member, isVoter };
      const isActive = isHeard(member);
      return { id: member, isVoter, matchIndex: known.match, state: known.state, isActive };
    });
}
