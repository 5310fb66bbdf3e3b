/**
 * The vocabulary of the core. Every value here is plain data: whoever receives a message, an entry
 * or a `Ready` may keep it for ever and must never change it, because the log, the messages and the
 * application share the same objects.
 *
 * Numbers. Terms, log indexes and node ids are integers below 2^53 (`NUMBER_MAX`); `RawNode` asserts
 * it at its border. At a million entries a second 2^53 lasts 285 years.
 */
export const NUMBER_MAX: number = Number.MAX_SAFE_INTEGER;

/** Switches a byte limit off. */
export const NO_LIMIT: number = Number.POSITIVE_INFINITY;

/** "No node": no leader known, no vote cast, a message of local origin. */
export const NONE = 0;

/**
 * Recipients of the storage messages of asynchronous storage writes. They are no nodes: the host
 * routes these messages to the part of itself that appends to the log or applies entries.
 */
export const LOCAL_APPEND_THREAD: number = NUMBER_MAX;
export const LOCAL_APPLY_THREAD: number = NUMBER_MAX - 1;

/** The numbers are those of the library's wire format. */
export const EntryType = { Normal: 0, ConfChange: 1, ConfChangeV2: 2 } as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/**
 * One position of the log.
 *
 * An absent `type` means `Normal`, an absent `data` means no bytes. Absence is kept apart from the
 * default because it steers behaviour: limits count encoded bytes (`size.ts`), and a field that is
 * present costs bytes even when it holds the default. The core writes `Normal` explicitly in one
 * place only, where it replaces a refused configuration change.
 */
export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly type: EntryType | undefined;
  readonly data: Uint8Array | undefined;
}

/** What must survive a crash besides the log (Raft paper, figure 2, "persistent state"). */
export interface HardState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
}

/** A membership. Outside a joint state `votersOutgoing` and `learnersNext` are empty. */
export interface ConfState {
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** Voters of the old half of a joint configuration (thesis section 4.3). */
  readonly votersOutgoing: readonly number[];
  /** Outgoing voters that turn into learners once the joint state is left. */
  readonly learnersNext: readonly number[];
  /** The leader leaves the joint state by itself as soon as it is applied. */
  readonly autoLeave: boolean;
}

export interface SnapshotMetadata {
  readonly confState: ConfState;
  readonly index: number;
  readonly term: number;
}

/** A state machine's state after `metadata.index`. Index 0 is the empty snapshot. */
export interface Snapshot {
  readonly data: Uint8Array | undefined;
  readonly metadata: SnapshotMetadata;
}

export const ConfChangeType = {
  AddNode: 0,
  RemoveNode: 1,
  UpdateNode: 2,
  AddLearnerNode: 3,
} as const;
export type ConfChangeType = (typeof ConfChangeType)[keyof typeof ConfChangeType];

export const ConfChangeTransition = { Auto: 0, JointImplicit: 1, JointExplicit: 2 } as const;
export type ConfChangeTransition = (typeof ConfChangeTransition)[keyof typeof ConfChangeTransition];

/** One step of a change. Node id 0 cancels it: it is skipped when applied. */
export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: number;
}

/** The old form: one step, never joint. Encoded as an entry of type `ConfChange`. */
export interface ConfChange {
  readonly type: ConfChangeType;
  readonly nodeId: number;
  readonly context?: Uint8Array | undefined;
  readonly id?: number | undefined;
}

/**
 * Any number of steps at once. More than one step, or a transition other than `Auto`, goes through a
 * joint configuration; no steps at all leave one. `context` is the application's own.
 */
export interface ConfChangeV2 {
  readonly transition?: ConfChangeTransition | undefined;
  readonly changes: readonly ConfChangeSingle[];
  readonly context?: Uint8Array | undefined;
}

export type AnyConfChange = ConfChange | ConfChangeV2;

/** The numbers are those of the library's wire format. */
export const MessageType = {
  Hup: 0,
  Beat: 1,
  Prop: 2,
  App: 3,
  AppResp: 4,
  Vote: 5,
  VoteResp: 6,
  Snap: 7,
  Heartbeat: 8,
  HeartbeatResp: 9,
  Unreachable: 10,
  SnapStatus: 11,
  CheckQuorum: 12,
  TransferLeader: 13,
  TimeoutNow: 14,
  ReadIndex: 15,
  ReadIndexResp: 16,
  PreVote: 17,
  PreVoteResp: 18,
  StorageAppend: 19,
  StorageAppendResp: 20,
  StorageApply: 21,
  StorageApplyResp: 22,
  ForgetLeader: 23,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/**
 * One shape for every message, so that the step path stays monomorphic; a field that a type does not
 * use is zero, empty or undefined.
 *
 * - `index`, `logTerm`: for `App` the entry before `entries`; for a rejecting `AppResp` the rejected
 *   index and the term of the hint; for `Vote` the candidate's last entry; for `StorageAppendResp`
 *   the last entry known stable.
 * - `rejectHint`: the last index at which the follower's log may agree with the leader's.
 * - `context`: the read request carried by a heartbeat, or the reason of a vote.
 * - `responses`: messages to deliver once the work of a storage message is done.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: number;
  readonly from: number;
  readonly term: number;
  readonly logTerm: number;
  readonly index: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly vote: number;
  readonly snapshot: Snapshot | undefined;
  readonly reject: boolean;
  readonly rejectHint: number;
  readonly context: Uint8Array | undefined;
  readonly responses: readonly Message[];
}

export const StateType = { Follower: 0, Candidate: 1, Leader: 2, PreCandidate: 3 } as const;
export type StateType = (typeof StateType)[keyof typeof StateType];

/** Volatile state, for display and for routing clients; never stored. */
export interface SoftState {
  readonly lead: number;
  readonly raftState: StateType;
}

/**
 * The answer to one read request: once the application has applied `index`, a read of its state is
 * linearizable for the request that carried `context` (thesis section 6.4).
 */
export interface ReadState {
  readonly index: number;
  readonly context: Uint8Array | undefined;
}

/**
 * One batch of work for the host. Order of duty, unless storage writes are asynchronous:
 *
 * 1. Store `entries` (dropping stored entries from the first new index on), `hardState` and
 *    `snapshot`; durably where `mustSync` says so.
 * 2. Then send `messages`.
 * 3. Apply `snapshot`, then `committedEntries` in order; for each configuration change among them
 *    call `RawNode.applyConfChange`.
 * 4. Call `RawNode.advance`.
 *
 * With asynchronous storage writes `messages` holds everything (`StorageAppend` for
 * `LOCAL_APPEND_THREAD`, `StorageApply` for `LOCAL_APPLY_THREAD`; the rest may leave at once, but for
 * `Vote`, which must not leave before the hard state of its batch is durable). The other fields are for
 * information, and `advance` is not called.
 */
export interface Ready {
  readonly softState: SoftState | undefined;
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly mustSync: boolean;
}

/**
 * What became of a step. None of these is a fault:
 *
 * - `ok`: taken (which promises nothing about a proposal's fate).
 * - `proposal-dropped`: no leader, a transfer under way, a limit reached, or forwarding disabled.
 *   The proposer may try again.
 * - `local-message`: a message that only the node itself may produce came from outside; ignored.
 * - `peer-not-found`: an answer from a node that is not a member; ignored.
 */
export type StepOutcome = 'ok' | 'proposal-dropped' | 'local-message' | 'peer-not-found';

/** The index was compacted away; a snapshot covers it. */
export type Compacted = 'compacted';
/** The index lies past the end of what is stored. */
export type Unavailable = 'unavailable';

/**
 * The stable log, as far as the host has written it. All reads are synchronous: the host keeps in
 * memory what the core may ask for, or reads it synchronously. The core never changes what it gets
 * and never changes it through this interface.
 *
 * A storage that cannot answer for another reason (damage, I/O failure) must throw; the exception
 * passes through the core, which must not be used afterwards.
 */
export interface Storage {
  /**
   * State saved before a restart; an empty hard state (all zero) on a fresh node. The membership is the
   * one after entry `RaftConfig.applied` (without it, after the snapshot): changes up to there are not
   * handed out again, and one that was lost could let two majorities decide.
   */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries of [lo, hi), cut so that their encoded size stays within `bytesMax`, but at least one.
   * `hi` is at most `lastIndex() + 1`.
   */
  entries(lo: number, hi: number, bytesMax: number): readonly Entry[] | Compacted | Unavailable;
  /** Term of entry `index`; known for [firstIndex() - 1, lastIndex()]. */
  term(index: number): number | Compacted | Unavailable;
  lastIndex(): number;
  firstIndex(): number;
  /** The latest snapshot, or `undefined` while it is being prepared: the core asks again. */
  snapshot(): Snapshot | undefined;
}

/**
 * How reads are confirmed. `safe` asks a quorum (thesis section 6.4); `lease-based` trusts the
 * leader's lease and therefore the clocks (section 6.4.1), and demands `checkQuorum`.
 */
export type ReadOnlyOption = 'safe' | 'lease-based';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Receives one line per noteworthy event. Without a logger no text is built. */
export interface RaftLogger {
  log(level: LogLevel, text: string): void;
}

/** Limits are in bytes of encoded entries unless said otherwise; `NO_LIMIT` switches one off. */
export interface RaftConfig {
  /** Non-zero, never reused: a node that lost its disk is a new node with a new id. */
  readonly id: number;
  /** Ticks without a leader before an election; the real timeout is random in [n, 2n - 1]. */
  readonly electionTicks: number;
  /** Ticks between heartbeats; below `electionTicks`. */
  readonly heartbeatTicks: number;
  readonly storage: Storage;
  /** Uniform integer in [0, bound). Sole source of randomness: the election timeout. */
  readonly random: (bound: number) => number;
  /** Last index the application has applied; set on restart only. */
  readonly applied?: number | undefined;
  readonly asyncStorageWrites?: boolean | undefined;
  /** Bytes of entries in one append message; 0 means one entry a message. */
  readonly messageBytesMax: number;
  /**
   * Bytes of committed entries handed out and not yet applied. Absent or 0: `messageBytesMax`.
   */
  readonly applyingBytesMax?: number | undefined;
  /** Payload bytes in the leader's uncommitted tail; past it proposals are dropped. 0: no limit. */
  readonly uncommittedBytesMax?: number | undefined;
  /** Append messages in flight to one follower. */
  readonly inflightMessagesMax: number;
  /** Payload bytes in flight to one follower; at least `messageBytesMax`. 0: no limit. */
  readonly inflightBytesMax?: number | undefined;
  /** A leader that hears no quorum for an election timeout steps down (thesis section 6.2). */
  readonly checkQuorum?: boolean | undefined;
  /** Ask before raising the term (thesis section 9.6). */
  readonly preVote?: boolean | undefined;
  readonly readOnlyOption?: ReadOnlyOption | undefined;
  readonly logger?: RaftLogger | undefined;
  /** Followers drop proposals instead of passing them to the leader. */
  readonly disableProposalForwarding?: boolean | undefined;
  /**
   * Skips the leader's check of a proposed configuration change against the active one. Only for
   * hosts that order and verify changes themselves: an invalid change that is applied is fatal.
   */
  readonly disableConfChangeValidation?: boolean | undefined;
  /** A leader that is removed or demoted steps down when it applies the change. */
  readonly stepDownOnRemoval?: boolean | undefined;
}
