import type { Message } from '@themisdb/raft';
import type { Store } from '@themisdb/storage';

/**
 * Carries messages between the replicas of a group. Loss, delay, duplication and reordering are
 * allowed; alteration is not: who carries them sees to checksums and to who sent what. A replica makes
 * one transport its own by setting `receive` and `serveSnapshot`.
 */
export interface RaftTransport {
  send(to: number, batch: RaftBatch): void;
  /** Set by the replica; never throws. `from` is who sent it, as the carrier knows. */
  receive: (from: number, batch: RaftBatch) => void;
  /**
   * Set by the replica: the connection to that peer broke, or could not be made. A hint, for a quicker
   * election; it may be wrong, or never come.
   */
  peerDown?: (id: number) => void;
  /**
   * Reads a snapshot that replica `from` holds, as chunks of its own making, from behind the chunk that
   * ended with key `after`. Rejects when it is not there (any more) or the connection ends.
   */
  fetchSnapshot(
    from: number,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Set by the replica: answers `fetchSnapshot` of replica `to`. */
  serveSnapshot: (
    to: number,
    request: SnapshotRequest,
    signal: AbortSignal,
  ) => AsyncIterable<Uint8Array>;
}

/** What travels together: messages from one replica to another. */
export interface RaftBatch {
  readonly shard: number;
  /** Of the sending replica. One that is not the known one of that id has lost its disk: ignored. */
  readonly incarnation: number;
  /** Of the receiving one, as the sender knows it; 0 when it does not. */
  readonly toIncarnation: number;
  readonly messages: readonly Message[];
}

export interface SnapshotRequest {
  /** Of a snapshot that was announced; without it one of the present state is made. */
  readonly id?: string | undefined;
  /** Everything up to this key is there already. */
  readonly after?: Uint8Array | undefined;
}

/** One replica of one shard: the store, and what keeps it equal to its peers. */
export interface Replica {
  readonly nodeId: number;
  /** Reads at any time, of this replica's state; writes while it leads (`NOT_LEADER` otherwise). */
  readonly store: Store;
  /** Whether the group is this replica alone: then every read is strong. */
  readonly isAlone: boolean;
  status(): ReplicaStatus;
  /**
   * Resolves when a transaction begun from now on sees what the mode promises. `NO_LEADER` when that
   * could not be found out within the time; the signal's reason when it aborts.
   */
  awaitReadable(mode: ReadMode, options: ReadOptions): Promise<void>;
  /** On the leader (`NOT_LEADER` elsewhere); resolves when the change is in force. */
  changeMembers(change: MemberChange, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Hands leadership to `to`, or to the voter that is furthest; resolves when this one does not lead. */
  transferLeadership(to?: number): Promise<void>;
  /** Called after each change of role, term or leader. Returns how to stop it. */
  onRoleChange(listener: (status: ReplicaStatus) => void): () => void;
  /**
   * Stops at once, as after an error of its own: what it holds was found to be damaged. It does not
   * vote, lead or answer any more; peers go on without it.
   */
  quarantine(cause: unknown): void;
  /** Hands leadership over, finishes what is under way, closes the store; not engine and log. */
  close(): Promise<void>;
}

/**
 * - `strong`: linearizable. Sees every write acknowledged anywhere before the call (thesis section 6.4).
 * - `bounded`: sees every write acknowledged more than `maxLagMs` ago.
 * - `atLeast`: sees the commit with this timestamp (`X-Themis-Token`), and all before it.
 * - `eventual`: whatever this replica has.
 */
export type ReadMode =
  | { readonly type: 'strong' }
  | { readonly type: 'bounded'; readonly maxLagMs: number }
  | { readonly type: 'atLeast'; readonly timestamp: bigint }
  | { readonly type: 'eventual' };

export interface ReadOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One change at a time. `add` makes a learner, waits until it has caught up and makes it a voter;
 * `replace` does that and removes the other one in the same (joint) step. A replica id is never used
 * again: a replica that lost its disk comes back under a new one.
 */
export type MemberChange =
  | { readonly type: 'add'; readonly id: number }
  | { readonly type: 'add-learner'; readonly id: number }
  | { readonly type: 'remove'; readonly id: number }
  | { readonly type: 'replace'; readonly id: number; readonly by: number };

/** A replica counts as leader from when it takes writes: all that was committed before is applied. */
export type Role = 'leader' | 'follower' | 'candidate' | 'learner' | 'failed';

export interface ReplicaStatus {
  readonly shard: number;
  readonly nodeId: number;
  readonly role: Role;
  readonly term: number;
  /** Id of the replica that leads, where it is known. */
  readonly leader: number | undefined;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  /** Oldest entry that can still be sent to others. */
  readonly firstIndex: number;
  readonly members: readonly MemberStatus[];
  /** Why this replica has stopped, when it has. */
  readonly failure: string | undefined;
  /** Its code, where it has one. */
  readonly failureCode: string | undefined;
}

export interface MemberStatus {
  readonly id: number;
  readonly isVoter: boolean;
  /** Known to the leader only: */
  readonly matchIndex?: number | undefined;
  readonly state?: 'probe' | 'replicate' | 'snapshot' | undefined;
  readonly isActive?: boolean | undefined;
}
