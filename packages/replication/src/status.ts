import { isThemisError } from '@themisdb/base';
import { confStateOf, StateType, type Status } from '@themisdb/raft';
import type { MemberStatus, ReplicaStatus, Role } from './contract.ts';

export function describeStatus(
  status: Status,
  own: Pick<ReplicaStatus, 'shard' | 'appliedIndex' | 'lastIndex' | 'firstIndex'> & {
    readonly failure: unknown;
    readonly isHeard: (id: number) => boolean;
  },
): ReplicaStatus {
  const { id, hardState, softState } = status;
  return {
    shard: own.shard,
    nodeId: id,
    role: roleOf(status, own.failure),
    term: hardState.term,
    leader: softState.lead === 0 ? undefined : softState.lead,
    commitIndex: hardState.commit,
    appliedIndex: own.appliedIndex,
    lastIndex: own.lastIndex,
    firstIndex: own.firstIndex,
    members: membersOf(status, own.isHeard),
    failure: own.failure === undefined ? undefined : String(own.failure),
    failureCode: isThemisError(own.failure) ? own.failure.code : undefined,
  };
}

function roleOf({ id, softState, config }: Status, failure: unknown): Role {
  if (failure !== undefined) return 'failed';
  if (softState.raftState === StateType.Leader) return 'leader';
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
