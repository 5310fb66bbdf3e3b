import { assert, invariants, unreachable } from '@themisdb/base';
import { stepCandidate } from './candidate.ts';
import { resolveConfig, type Settings } from './config.ts';
import { handleHup, handleVoteRequest } from './election.ts';
import { stepFollower } from './follower.ts';
import { checkStep } from './invariants.ts';
import { stepLeader } from './leader.ts';
import { RaftLog } from './log.ts';
import { loadMembership } from './membership.ts';
import {
  isEmptyHardState,
  isPromise,
  isVoteMessage,
  makeMessage,
  type MessageDraft,
} from './message.ts';
import { ReadOnly } from './read-only.ts';
import { appliedTo, handleStorageAppendResp, handleStorageApplyResp } from './storage-progress.ts';
import { admitsTerm } from './term.ts';
import { ProgressTracker } from './tracker/tracker.ts';
import { becomeFollower } from './transitions.ts';
import {
  type HardState,
  type Message,
  MessageType,
  NONE,
  type RaftConfig,
  type RaftLogger,
  type ReadState,
  type SoftState,
  StateType,
} from './types.ts';

/** What the core itself answers; `RawNode` adds the outcomes of its own checks. */
export type RaftOutcome = 'ok' | 'proposal-dropped';

/**
 * The state of one node (Raft paper, figure 2) and the door every event comes in by: `step`. What an
 * event does is told in the modules named after the roles and duties; they are functions over this
 * state.
 *
 * Invariants, checked where they could break:
 * 1. The term never decreases; in one term at most one vote is cast.
 * 2. `log.committed` never decreases, and no committed entry is replaced.
 * 3. A leader's log only grows at its end during its term.
 */
export class Raft {
  readonly settings: Settings;
  readonly id: number;
  /** The id as log lines show it. */
  readonly name: string;
  readonly logger: RaftLogger | undefined;
  readonly log: RaftLog;
  readonly readOnly: ReadOnly = new ReadOnly();
  tracker: ProgressTracker;

  term = 0;
  vote: number = NONE;
  state: StateType = StateType.Follower;
  lead: number = NONE;
  /** The follower leadership is being handed to (thesis section 3.10). */
  leadTransferee: number = NONE;

  /** To be sent at once. */
  messages: Message[] = [];
  /** To be sent, or stepped where they are for this node, once all entries so far are stable. */
  messagesAfterAppend: Message[] = [];
  readStates: ReadState[] = [];
  /** Read requests that came before the leader committed an entry of its term. */
  pendingReads: Message[] = [];

  /**
   * On a leader: no configuration change may be proposed while `log.applied` is below this, the index
   * of the last change in the log or a safe bound of it.
   */
  pendingConfIndex = 0;
  /** Payload bytes of this leader's proposals that are not applied yet. */
  uncommittedBytes = 0;

  /** Ticks since a leader was heard of; on a leader, since the last quorum check. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** In [electionTicks, 2 * electionTicks), drawn anew at every change of role (paper section 5.2). */
  randomizedElectionTicks = 0;

  constructor(config: RaftConfig) {
    this.settings = resolveConfig(config);
    const { id, logger, applyingBytesMax, applied } = this.settings;
    this.id = id;
    this.name = id.toString(16);
    this.logger = logger;
    this.log = new RaftLog(config.storage, applyingBytesMax, logger);
    this.tracker = new ProgressTracker(this.settings);
    const { hardState, confState } = config.storage.initialState();
    loadMembership(this, confState);
    if (!isEmptyHardState(hardState)) this.#loadHardState(hardState);
    appliedTo(this, applied, 0);
    becomeFollower(this, this.term, NONE);
    logger?.log('info', `newRaft ${this.#describeStart()}`);
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  get softState(): SoftState {
    return { lead: this.lead, raftState: this.state };
  }

  get isLeader(): boolean {
    return this.state === StateType.Leader;
  }

  /** May this node become leader: is it a voter, with a log of its own to stand on? */
  get isPromotable(): boolean {
    const own = this.tracker.progress.get(this.id);
    return own !== undefined && !own.isLearner && this.log.unstable.snapshot === undefined;
  }

  /** Takes one event. Order is: terms first (paper section 5.1), then the role's own answer. */
  step(message: Message): RaftOutcome {
    const before = invariants.enabled ? this.hardState : undefined;
    const outcome = this.#dispatch(message);
    if (before !== undefined) checkStep(this, before);
    return outcome;
  }

  /** Time passes; elections and heartbeats are due by counted ticks only. */
  tick(): void {
    if (this.isLeader) this.#tickLeader();
    else this.#tickElection();
  }

  /**
   * Queues a message. The term is filled in, except in votes, which name the term they are about; the
   * sender too, unless we pass on what another node asked for.
   */
  send(message: MessageDraft): void {
    const { type } = message;
    if (message.from === NONE) message.from = this.id;
    if (isVoteMessage(type)) {
      assert(message.term !== 0, () => `raft: message type ${type} needs a term`);
    } else {
      assert(message.term === 0, () => `raft: message type ${type} must not set its term`);
      // A request may wait for a leader of any term.
      const isRequest = type === MessageType.Prop || type === MessageType.ReadIndex;
      message.term = isRequest ? 0 : this.term;
    }
    if (isPromise(type)) {
      this.messagesAfterAppend.push(message);
    } else {
      assert(message.to !== this.id, () => `raft: message type ${type} is addressed to its sender`);
      this.messages.push(message);
    }
  }

  #dispatch(message: Message): RaftOutcome {
    if (!admitsTerm(this, message)) return 'ok';
    switch (message.type) {
      case MessageType.Hup:
        handleHup(this);
        return 'ok';
      case MessageType.StorageAppendResp:
        handleStorageAppendResp(this, message);
        return 'ok';
      case MessageType.StorageApplyResp:
        handleStorageApplyResp(this, message);
        return 'ok';
      case MessageType.Vote:
      case MessageType.PreVote:
        handleVoteRequest(this, message);
        return 'ok';
      default:
        return this.#stepRole(message);
    }
  }

  #stepRole(message: Message): RaftOutcome {
    switch (this.state) {
      case StateType.Follower:
        return stepFollower(this, message);
      case StateType.Candidate:
      case StateType.PreCandidate:
        return stepCandidate(this, message);
      case StateType.Leader:
        return stepLeader(this, message);
      default:
        return unreachable(this.state, 'raft state');
    }
  }

  #tickElection(): void {
    this.electionElapsed++;
    if (!this.isPromotable || this.electionElapsed < this.randomizedElectionTicks) return;
    this.electionElapsed = 0;
    this.step(makeMessage(MessageType.Hup, { from: this.id }));
  }

  #tickLeader(): void {
    this.heartbeatElapsed++;
    this.electionElapsed++;
    if (this.electionElapsed >= this.settings.electionTicks) {
      this.electionElapsed = 0;
      if (this.settings.checkQuorum) {
        this.step(makeMessage(MessageType.CheckQuorum, { from: this.id }));
      }
      // A transfer that took this long has failed; serve again (thesis section 3.10).
      if (this.isLeader) this.leadTransferee = NONE;
    }
    if (!this.isLeader || this.heartbeatElapsed < this.settings.heartbeatTicks) return;
    this.heartbeatElapsed = 0;
    this.step(makeMessage(MessageType.Beat, { from: this.id }));
  }

  #loadHardState({ term, vote, commit }: HardState): void {
    const { committed, lastIndex } = this.log;
    assert(
      committed <= commit && commit <= lastIndex,
      () => `raft: stored commit ${commit} is out of range [${committed}, ${lastIndex}]`,
    );
    this.log.committed = commit;
    this.term = term;
    this.vote = vote;
  }

  #describeStart(): string {
    const { committed, applied, lastEntryId } = this.log;
    const peers = this.tracker.config.voters.ids.map((id) => id.toString(16)).join(',');
    return (
      `${this.name} [peers: [${peers}], term: ${this.term}, commit: ${committed}, ` +
      `applied: ${applied}, lastindex: ${lastEntryId.index}, lastterm: ${lastEntryId.term}]`
    );
  }
}
