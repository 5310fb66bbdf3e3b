import { assert } from '@themisdb/base';
import { encodeConfChange } from './confchange/codec.ts';
import { asConfChangeV2 } from './confchange/kind.ts';
import { applyConfChange } from './membership.ts';
import {
  isEmptyHardState,
  isLocalMessage,
  isLocalTarget,
  isResponseMessage,
  isSameHardState,
  makeMessage,
} from './message.ts';
import { Raft } from './raft.ts';
import { entriesSize } from './size.ts';
import { basicStatusOf, type BasicStatus, type Status, statusOf } from './status.ts';
import {
  appendResponse,
  applyResponse,
  storageAppend,
  storageApply,
  type StorageWork,
} from './storage-messages.ts';
import { becomeFollower } from './transitions.ts';
import {
  type AnyConfChange,
  ConfChangeType,
  type ConfState,
  type Entry,
  type HardState,
  type Message,
  MessageType,
  NONE,
  type RaftConfig,
  type Ready,
  type SoftState,
  type StepOutcome,
} from './types.ts';

/** A first member of a group, and what its membership entry carries for the application. */
export interface Peer {
  readonly id: number;
  readonly context?: Uint8Array | undefined;
}

/**
 * One node of a group, driven from outside: the host calls in time (`tick`), messages (`step`) and
 * requests, and takes the work that follows from `ready`. Nothing happens between calls; no call
 * waits, and none may be made from within another.
 *
 * The loop of a host without asynchronous storage writes:
 *
 *     while (node.hasReady()) {
 *       const ready = node.ready();
 *       store(ready.entries, ready.hardState, ready.snapshot);   // durably if ready.mustSync
 *       send(ready.messages);
 *       apply(ready.snapshot, ready.committedEntries);           // applyConfChange for changes
 *       node.advance();
 *     }
 *
 * With them, `ready.messages` holds the storage work too, several `Ready`s may be under way, and the
 * responses of a storage message are stepped (or sent, where they are for others) once its work is
 * done; storage messages of one kind are worked off in order.
 *
 * Expected outcomes are values (`StepOutcome`). An `InvariantError` means that the state of this node
 * cannot be trusted any more: stop it.
 */
export class RawNode {
  readonly #raft: Raft;
  #softState: SoftState;
  #hardState: HardState;
  /** What `advance` will step: acknowledgements by and to this node. */
  #stepsOnAdvance: Message[] = [];
  #isAdvanceDue = false;

  constructor(config: RaftConfig) {
    this.#raft = new Raft(config);
    this.#softState = this.#raft.softState;
    this.#hardState = this.#raft.hardState;
  }

  /**
   * Gives a fresh group its first members, as committed entries that every first member starts from.
   * Every one of them must be given the same list. A storage that starts from a snapshot of the first
   * membership serves as well and needs no call.
   */
  bootstrap(peers: readonly Peer[]): void {
    const raft = this.#raft;
    assert(peers.length > 0, 'bootstrap: a group needs a first member');
    assert(raft.log.lastIndex === 0, 'bootstrap: the storage is not empty');
    becomeFollower(raft, 1, NONE);
    raft.log.append(peers.map(membershipEntry));
    // The entries are committed by decree: all first members start with them.
    raft.log.committed = peers.length;
    for (const { id } of peers) {
      this.applyConfChange({ type: ConfChangeType.AddNode, nodeId: id });
    }
  }

  /** One unit of time: see `electionTicks` and `heartbeatTicks`. */
  tick(): void {
    this.#raft.tick();
  }

  /** Starts an election now, if this node may become leader at all. */
  campaign(): StepOutcome {
    return this.#raft.step(makeMessage(MessageType.Hup, {}));
  }

  /** Proposes one entry. `ok` promises nothing: it may still be lost with its leader. */
  propose(data: Uint8Array | undefined): StepOutcome {
    return this.proposeAll([data]);
  }

  /** Proposes several entries at once: all of them are taken, or none. */
  proposeAll(payloads: readonly (Uint8Array | undefined)[]): StepOutcome {
    const entries = payloads.map((data) => ({ term: 0, index: 0, type: undefined, data }));
    return this.#raft.step(makeMessage(MessageType.Prop, { from: this.#raft.id, entries }));
  }

  /**
   * Proposes a change of membership. The leader replaces it by an empty entry while an earlier change
   * is unapplied, or where it would enter a joint configuration from within one or leave none. It
   * checks no more than that, and a committed change that is impossible (it removes the last voter,
   * say) is fatal on every replica: the host must not propose one.
   */
  proposeConfChange(change: AnyConfChange): StepOutcome {
    const entries = [{ term: 0, index: 0, ...encodeConfChange(change) }];
    return this.#raft.step(makeMessage(MessageType.Prop, { entries }));
  }

  /**
   * To be called for every committed membership entry, when it is applied. To cancel the change, the
   * application passes it with node id 0, on every replica alike. Returns the membership to store in
   * snapshots.
   */
  applyConfChange(change: AnyConfChange): ConfState {
    return applyConfChange(this.#raft, asConfChangeV2(change));
  }

  /** Takes a message from another node, or a response of a storage message. */
  step(message: Message): StepOutcome {
    assertInRange(message);
    const { type, from } = message;
    if (!isLocalTarget(from)) {
      if (isLocalMessage(type)) return 'local-message';
      const isMember = this.#raft.tracker.progress.has(from);
      if (isResponseMessage(type) && !isMember) return 'peer-not-found';
    }
    return this.#raft.step(message);
  }

  /** Is there work? Cheap enough to ask after every call. */
  hasReady(): boolean {
    const raft = this.#raft;
    const { log } = raft;
    return (
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      log.unstable.hasNextEntries ||
      log.hasNextCommitted(this.#appliesUnstable) ||
      this.#isSoftStateNew() ||
      this.#isHardStateNew() ||
      log.unstable.nextSnapshot() !== undefined ||
      raft.readStates.length > 0
    );
  }

  /** Takes the work out. The host has to do all of it, and then to call `advance`. */
  ready(): Ready {
    const ready = this.#collect();
    this.#accept(ready);
    return ready;
  }

  /** The work of the last `Ready` is done. Not with asynchronous storage writes. */
  advance(): void {
    const { asyncStorageWrites } = this.#raft.settings;
    assert(!asyncStorageWrites, 'raft: advance is not for asynchronous storage writes');
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    this.#isAdvanceDue = false;
    for (const message of steps) this.#raft.step(message);
  }

  /**
   * Asks at which index a read is linearizable; the answer comes as a `ReadState` with this context,
   * or not at all: the host repeats, with a context of its own for each attempt.
   */
  readIndex(context: Uint8Array): void {
    const entries = [{ term: 0, index: 0, type: undefined, data: context }];
    this.#raft.step(makeMessage(MessageType.ReadIndex, { entries }));
  }

  /** Asks the leader (also from a follower) to hand over to `transferee`. */
  transferLeader(transferee: number): void {
    this.#raft.step(makeMessage(MessageType.TransferLeader, { from: transferee }));
  }

  /** Makes a follower forget its leader, so that it can help to elect another one at once. */
  forgetLeader(): StepOutcome {
    return this.#raft.step(makeMessage(MessageType.ForgetLeader, {}));
  }

  /** The last message to `id` could not be sent. */
  reportUnreachable(id: number): void {
    this.#raft.step(makeMessage(MessageType.Unreachable, { from: id }));
  }

  /** What became of a snapshot for `id`; to be called for every `Snap` message, also on time-out. */
  reportSnapshot(id: number, status: 'finished' | 'failed'): void {
    const reject = status === 'failed';
    this.#raft.step(makeMessage(MessageType.SnapStatus, { from: id, reject }));
  }

  basicStatus(): BasicStatus {
    return basicStatusOf(this.#raft);
  }

  status(): Status {
    return statusOf(this.#raft);
  }

  /** For tests: until the next change of role the election timeout is this. */
  setRandomizedElectionTimeout(ticks: number): void {
    this.#raft.randomizedElectionTicks = ticks;
  }

  /** Without asynchronous writes an entry may be applied in the Ready that stores it. */
  get #appliesUnstable(): boolean {
    return !this.#raft.settings.asyncStorageWrites;
  }

  #isSoftStateNew(): boolean {
    const { lead, raftState } = this.#softState;
    return this.#raft.lead !== lead || this.#raft.state !== raftState;
  }

  #isHardStateNew(): boolean {
    const hardState = this.#raft.hardState;
    return !isEmptyHardState(hardState) && !isSameHardState(hardState, this.#hardState);
  }

  #collect(): Ready {
    const raft = this.#raft;
    const { unstable } = raft.log;
    const { hardState } = raft;
    const work: StorageWork = {
      entries: unstable.nextEntries(),
      hardState: isSameHardState(hardState, this.#hardState) ? undefined : hardState,
      snapshot: unstable.nextSnapshot(),
      committedEntries: raft.log.nextCommitted(this.#appliesUnstable),
    };
    const { term, vote } = this.#hardState;
    return {
      softState: this.#isSoftStateNew() ? raft.softState : undefined,
      ...work,
      readStates: raft.readStates,
      messages: [...raft.messages, ...this.#messagesAfter(work)],
      // What a vote or an acknowledgement has promised must survive a crash (paper, figure 2); a new
      // commit index alone need not.
      mustSync: work.entries.length > 0 || hardState.vote !== vote || hardState.term !== term,
    };
  }

  /**
   * Messages that wait for this Ready's writes: without asynchronous writes they follow the rest, as
   * all messages are sent after the writes; with them they travel inside the storage messages.
   */
  #messagesAfter(work: StorageWork): Message[] {
    const raft = this.#raft;
    if (!raft.settings.asyncStorageWrites) {
      return raft.messagesAfterAppend.filter(({ to }) => to !== raft.id);
    }
    return [...storageAppend(raft, work), ...storageApply(raft, work)];
  }

  #accept(ready: Ready): void {
    const raft = this.#raft;
    if (ready.softState !== undefined) this.#softState = ready.softState;
    if (ready.hardState !== undefined) this.#hardState = ready.hardState;
    if (!raft.settings.asyncStorageWrites) this.#planAdvance(ready);
    raft.readStates = [];
    raft.messages = [];
    raft.messagesAfterAppend = [];
    raft.log.unstable.acceptInProgress();
    const last = ready.committedEntries.at(-1);
    if (last === undefined) return;
    const bytes = entriesSize(ready.committedEntries);
    raft.log.acceptApplying(last.index, bytes, this.#appliesUnstable);
  }

  /** Our own acknowledgements first: entries are looked up faster while they are unstable. */
  #planAdvance(ready: Ready): void {
    const raft = this.#raft;
    assert(!this.#isAdvanceDue, 'raft: two Readys without an advance between them');
    this.#isAdvanceDue = true;
    this.#stepsOnAdvance = [
      ...raft.messagesAfterAppend.filter(({ to }) => to === raft.id),
      ...appendResponse(raft, ready),
      ...applyResponse(raft, ready.committedEntries),
    ];
  }
}

function membershipEntry({ id, context }: Peer, at: number): Entry {
  const change = { type: ConfChangeType.AddNode, nodeId: id, context };
  return { term: 1, index: at + 1, ...encodeConfChange(change) };
}

function assertInRange(message: Message): void {
  const { type, term, index, logTerm, commit } = message;
  const isSafe =
    Number.isSafeInteger(term) &&
    Number.isSafeInteger(index) &&
    Number.isSafeInteger(logTerm) &&
    Number.isSafeInteger(commit);
  assert(
    isSafe,
    () => `raft: a message of type ${type} holds a number that is no integer below 2^53`,
  );
}
