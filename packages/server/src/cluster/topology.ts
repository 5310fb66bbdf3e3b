import { emptyBytes, isThemisError, utf8Decode } from '@themisdb/base';
import type { Replica } from '@themisdb/replication';
import { formatTimestamp, tryTimestamp, type Store } from '@themisdb/storage';
import { version } from '../version.ts';
import type { Cluster } from './cluster.ts';

/** How a node stands, as it says itself. Travels between nodes: names are only ever added. */
export interface NodeStatus {
  readonly id: number;
  readonly version: string;
  readonly role: string;
  readonly term: number;
  readonly leader: number | null;
  readonly commit_index: number;
  readonly applied_index: number;
  readonly last_index: number;
  readonly first_index: number;
  /** Timestamp of the last commit that is visible there. */
  readonly token: string;
  readonly members: readonly MemberBody[];
  readonly failure?: string;
}

export interface MemberBody {
  readonly id: number;
  readonly is_voter: boolean;
  readonly match_index?: number;
  readonly state?: string;
  readonly is_active?: boolean;
}

export interface NodeBody extends Partial<NodeStatus> {
  readonly id: number;
  readonly url?: string;
  readonly is_reachable: boolean;
  /** Committed entries it has not applied yet. */
  readonly lag_entries?: number;
  /** How much older the last commit it shows is than the newest one. */
  readonly lag_ms?: number;
}

export function nodeStatus(replica: Replica, store: Store): NodeStatus {
  const status = replica.status();
  return {
    id: status.nodeId,
    version,
    role: status.role,
    term: status.term,
    leader: status.leader ?? null,
    commit_index: status.commitIndex,
    applied_index: status.appliedIndex,
    last_index: status.lastIndex,
    first_index: status.firstIndex,
    token: formatTimestamp(store.lastCommit),
    members: status.members.map((member) => ({
      id: member.id,
      is_voter: member.isVoter,
      ...(member.matchIndex === undefined ? {} : { match_index: member.matchIndex }),
      ...(member.state === undefined ? {} : { state: member.state }),
      ...(member.isActive === undefined ? {} : { is_active: member.isActive }),
    })),
    ...(status.failure === undefined ? {} : { failure: status.failure }),
  };
}

/** A node that does not answer by then counts as not reachable. */
const patienceMs = 300;

/** This node and all others it knows, each asked for itself. */
export async function allNodes(cluster: Cluster, own: NodeStatus): Promise<readonly NodeBody[]> {
  const answers = await Promise.all(
    cluster.nodeIds.map(async (id) => (id === own.id ? own : ask(cluster, id))),
  );
  const known = answers.filter((answer) => answer !== undefined);
  const commit = Math.max(...known.map((answer) => answer.commit_index));
  const newestMs = Math.max(...known.map(({ token }) => millisOf(token)));
  return cluster.nodeIds.map((id, i) => {
    const url = cluster.urlOf(id);
    const place = { id, ...(url === undefined ? {} : { url }) };
    const answer = answers[i];
    if (answer === undefined) return { ...place, is_reachable: false };
    const lag_entries = Math.max(0, commit - answer.applied_index);
    const lag_ms = lag_entries === 0 ? 0 : newestMs - millisOf(answer.token);
    return { ...place, is_reachable: true, ...answer, lag_entries, lag_ms };
  });
}

async function ask(cluster: Cluster, id: number): Promise<NodeStatus | undefined> {
  try {
    const body = await cluster.peerOf(id)!.call('status', emptyBytes, { deadlineMs: patienceMs });
    return (JSON.parse(utf8Decode(body)) as NodeStatus | null) ?? undefined;
  } catch (error) {
    // Not there, too late, or of a version that does not serve it.
    if (!isThemisError(error)) throw error;
    return undefined;
  }
}

function millisOf(token: string): number {
  return Number(tryTimestamp(token)! >> 16n);
}
