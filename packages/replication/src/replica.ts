import {
  InvariantError,
  assert,
  hasCode,
  utf8Decode,
  type Env,
  type TimerHandle,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  ConfChangeTransition,
  confStateOf,
  holdsSnapshot,
  isForcedVote,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  MessageType,
  StateType,
  type ConfState,
  type Entry,
  type Message,
  type RawNode,
  type Ready,
  type Snapshot,
  type SoftState,
} from '@themisdb/raft';
import type { CommandLog, Proposed, StateMachine, Store } from '@themisdb/storage';
import type { Wal } from '@themisdb/wal';
import type {
  MemberChange,
  RaftBatch,
  RaftTransport,
  ReadMode,
  ReadOptions,
  Replica,
  ReplicaStatus,
} from './contract.ts';
import { Applier } from './applier.ts';
import { Heard } from './heard.ts';
import { finishInstall } from './install.ts';
import { snapshotFile } from './incoming-snapshot.ts';
import { Members } from './members.ts';
import type { OutgoingSnapshots } from './outgoing-snapshots.ts';
import { Peers } from './peers.ts';
import { PendingBytes } from './pending-bytes.ts';
import { Reads } from './reads.ts';
import type { ReplicaLog } from './replica-log.ts';
import { SentSnapshots } from './sent-snapshots.ts';
import { SnapshotFetch } from './snapshot-fetch.ts';
import { describeStatus } from './status.ts';
import type { Timing } from './timing.ts';
import { isVoteRequest, withVotesBehind } from './vote-requests.ts';
import { WorkLoop } from './work-loop.ts';

export interface ReplicaParts {
  readonly env: Env;
  readonly wal: Wal;
  readonly shard: number;
  readonly nodeId: number;
  readonly store: Store;
  readonly machine: StateMachine;
  readonly log: ReplicaLog;
  readonly node: RawNode;
  readonly outgoing: OutgoingSnapshots;
  readonly transport: RaftTransport | undefined;
  readonly timing: Timing;
  readonly logCacheBytes: number;
  readonly pendingBytesMax: number;
  /** Members until a change of membership was applied. */
  readonly firstMembers: ConfState;
}

interface Stored {
  readonly index: number;
  readonly resolve: () => void;
}

const memberChangeTimeoutMs = 120_000;
/** How much more is kept in memory while a peer fetches and installs a snapshot. */
const snapshotCacheFactor = 4;

/**
 * One loop around the core. Whatever comes in (ticks, messages, proposals, completions) steps the core
 * and then takes its work out (`#pump`):
 *
 * - entries and hard state go to the log: one append for all that waits, one sync for all replicas of the
 *   node; votes, asked for or given, and answers that promise something leave when it is done, a leader's
 *   appends at once;
 * - committed entries go to the store, in order, while the log writes the next;
 * - messages go to the transport, one batch a peer and pump.
 *
 * Numbered promises, cited by the tests:
 * 1. Nothing is acknowledged or voted that is not durable.
 * 2. The store applies what is committed and stored here, each entry once, in order.
 * 3. The store is told to lead only when everything before the term's first entry is applied.
 * 4. A snapshot takes the place of the state only when all of it is here and checked; a crash in between
 *    is taken up where it was.
 * 5. After an error that cannot be judged the replica stops, and says why; it never goes on.
 */
export class RaftReplica implements Replica, CommandLog {
  readonly #parts: ReplicaParts;
  readonly #reads: Reads;
  readonly #members: Members;
  readonly #peers: Peers;
  readonly #listeners = new Set<(status: ReplicaStatus) => void>();
  readonly #applier: Applier;
  readonly #appending: WorkLoop<Message>;
  readonly #applying: WorkLoop<Message>;
  #outbox = new Map<number, Message[]>();
  #stored: Stored[] = [];
  readonly #fetching: SnapshotFetch;
  #tickTimer: TimerHandle | undefined;
  #lastTickMs: number;
  #isAlone = false;
  #others: readonly number[] = [];
  /** Since when the members are joint, or were last asked to be so no more. */
  #jointMs: number | undefined;
  /** A life before may have answered a leader, which since reads by its lease. */
  readonly #votesFromMs: number;
  #noLeaseTerm = 0;
  #isPumping = false;
  #isClosing = false;
  #isClosed = false;
  #failure: unknown;
  #lastIndex: number;
  #restoredTo = 0;
  #leader = 0;
  #term: number;
  #commitIndex: number;
  /** While leading: the first entry of the term, and whether the store knows. */
  #leading: { readonly term: number; readonly index: number; isTold: boolean } | undefined;
  /** When each peer was last heard, in monotonic milliseconds. */
  readonly #heard: Heard;
  readonly #sentSnapshots: SentSnapshots;
  readonly #pending: PendingBytes;
  readonly nodeId: number;
  readonly store: Store;

  constructor(parts: ReplicaParts) {
    const { env, node, machine, log, timing, transport } = parts;
    this.#parts = parts;
    this.nodeId = parts.nodeId;
    this.store = parts.store;
    this.#pending = new PendingBytes(parts.pendingBytesMax);
    this.#heard = new Heard(env.clock, timing.electionMs);
    this.#setMembers(log.initialState().confState);
    this.#lastIndex = log.lastIndex();
    this.#lastTickMs = env.clock.monotonicMs();
    this.#votesFromMs = this.#lastTickMs + (timing.leaseMs > 0 ? timing.electionMs : 0);
    const { hardState } = node.basicStatus();
    this.#term = hardState.term;
    this.#commitIndex = hardState.commit;
    this.#peers = new Peers(log, env.log, (error) => this.#fail(error));
    this.#fetching = new SnapshotFetch({
      env,
      shard: parts.shard,
      transport,
      fetched: (message) => {
        this.#guard(() => void node.step(message));
        this.#pump();
      },
    });
    this.#reads = new Reads({
      env,
      node,
      incarnation: log.state.incarnation,
      electionMs: timing.electionMs,
      leaseMs: timing.leaseMs,
      appliedIndex: () => machine.applied.index,
      appliedTimestamp: () => machine.applied.timestamp,
      leaseIndex: () =>
        this.#isToldToLead && this.#term !== this.#noLeaseTerm ? this.#commitIndex : undefined,
      pump: () => this.#pump(),
    });
    this.#sentSnapshots = new SentSnapshots({
      env,
      outgoing: parts.outgoing,
      patienceMs: 2 * timing.electionMs,
      progressOf: (id) =>
        this.#leading === undefined ? undefined : node.status().progress.get(id),
      failed: (id) => {
        this.#guard(() => node.reportSnapshot(id, 'failed'));
        this.#pump();
      },
    });
    this.#applier = new Applier({
      ...parts,
      restoredTo: () => this.#restoredTo,
      membersChanged: (members) => {
        this.#setMembers(members);
        // A quorum of other members could elect.
        this.#reads.endLease();
      },
    });
    const isStopped = (): boolean => this.#failure !== undefined || this.#isClosed;
    const failed = (error: unknown): void => this.#fail(error);
    this.#appending = new WorkLoop({
      isStopped,
      run: (batch) => this.#persist(batch),
      done: (batch) => this.#persisted(batch),
      failed,
    });
    this.#applying = new WorkLoop({
      isStopped,
      run: (batch) => this.#applier.apply(batch.flatMap(({ entries }) => entries)),
      done: (batch) => this.#applied(batch),
      failed,
    });
    this.#members = new Members({
      env,
      nodeId: parts.nodeId,
      status: () => node.status(),
      propose: (change) => {
        if (node.proposeConfChange(change) !== 'ok') throw this.#notLeader();
        this.#pump();
      },
      forceSnapshot: () => this.#applier.cutFirstEntries(),
      transferLeadership: () => this.transferLeadership(),
      isHeard: (id) => this.#isHeard(id),
      mustLead: () => {
        this.#mustRun();
        if (!this.#isToldToLead) throw this.#notLeader();
      },
    });
    if (transport === undefined) return;
    transport.receive = (from, batch) => this.#receive(from, batch);
    transport.peerDown = (id) => this.#peerDown(id);
    transport.serveSnapshot = (_to, request, signal) => {
      if (this.#hasFailed || this.#isClosed)
        throw themisError('SNAPSHOT_GONE', { message: 'this replica has stopped' });
      return parts.outgoing.serve(request, signal);
    };
  }

  /** A group of one leads at once. */
  async start(): Promise<void> {
    this.#parts.machine.attach(this);
    this.#scheduleTick();
    if (!this.isAlone) return;
    this.#parts.node.campaign();
    this.#pump();
    await this.#untilLeading();
  }

  get isAlone(): boolean {
    return this.#isAlone;
  }

  status(): ReplicaStatus {
    const { node, log, machine, shard } = this.#parts;
    return describeStatus(node.status(), {
      shard,
      isHeard: (id) => this.#isHeard(id),
      isToldToLead: this.#isToldToLead,
      appliedIndex: machine.applied.index,
      lastIndex: this.#lastIndex,
      firstIndex: log.firstIndex(),
      failure: this.#failure,
    });
  }

  async awaitReadable(mode: ReadMode, options: ReadOptions): Promise<void> {
    this.#mustRun();
    // Nobody else can have committed anything.
    if (mode.type === 'strong' && this.#isToldToLead && this.isAlone) return;
    await this.#reads.await(mode, options);
    this.#mustRun();
  }

  changeMembers(change: MemberChange, options: { timeoutMs?: number } = {}): Promise<void> {
    return this.#members.change(change, options.timeoutMs ?? memberChangeTimeoutMs);
  }

  async transferLeadership(to?: number): Promise<void> {
    this.#mustRun();
    if (this.#leading === undefined) return;
    const target = to ?? this.#bestSuccessor();
    if (target === undefined) throw this.#refuseTransfer('no other voter is there');
    if (target === this.nodeId) return;
    const { node, env, timing } = this.#parts;
    this.#giveLeaseUp();
    node.transferLeader(target);
    this.#pump();
    const endMs = env.clock.monotonicMs() + 2 * timing.electionMs;
    while (this.#leading !== undefined) {
      if (env.clock.monotonicMs() > endMs) throw this.#refuseTransfer(`${target} did not take it`);
      await env.timers.sleep(timing.tickMs / 4);
      this.#mustRun();
    }
  }

  onRoleChange(listener: (status: ReplicaStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  quarantine(cause: unknown): void {
    this.#fail(cause);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (!this.isAlone && this.#failure === undefined) {
      await this.transferLeadership().catch((error: unknown) => {
        if (!hasCode(error, 'MEMBER_CHANGE_REFUSED', 'STORE_FAILED')) throw error;
      });
      this.#parts.machine.follow({ leader: this.#leader, committedIndex: this.#commitIndex });
    }
    this.#isClosing = true;
    this.#parts.log.giveUp();
    await this.#parts.store.close();
    this.#isClosed = true;
    this.#tickTimer?.cancel();
    this.#fetching.close();
    this.#reads.close();
    this.#parts.outgoing.close();
    await this.#appending.idle();
    await this.#applying.idle();
  }

  // The log, as the store sees it.

  get nextIndex(): number {
    return this.#lastIndex + 1;
  }

  propose(datas: readonly Uint8Array[]): Proposed {
    if (!this.#isToldToLead || this.#failure !== undefined)
      return { type: 'dropped', error: this.#notLeader() };
    if (this.#parts.node.proposeAll(datas) !== 'ok')
      return { type: 'dropped', error: this.#notLeader() };
    const term = this.#term;
    this.#pump();
    if (this.#hasFailed) return { type: 'dropped', error: this.#unknown() };
    this.#pending.add(this.#lastIndex, datas);
    return { type: 'taken', term, stored: this.#whenStored(this.#lastIndex) };
  }

  failed(cause: unknown): void {
    this.#fail(cause);
  }

  /** Waits, too, while far more was proposed than is applied. */
  reserve(bytes: number): Promise<void> | undefined {
    const { wal } = this.#parts;
    const room = this.#pending.room();
    return room === undefined ? wal.reserve(bytes) : room.then(() => wal.reserve(bytes));
  }

  async release(index: number): Promise<void> {
    const { log } = this.#parts;
    this.#shrinkCache();
    // The last one that may go stays: it tells the term of the place before the rest.
    await log.truncateBefore(Math.min(index, log.cache.before.index));
  }

  // The loop.

  #scheduleTick(): void {
    const { env, timing } = this.#parts;
    this.#tickTimer = env.timers.after(timing.tickMs, () => this.#tick());
  }

  /** One tick, however late it is: a loop that stood still must not take its peers for dead. */
  #tick(): void {
    if (this.#isClosed || this.#failure !== undefined) return;
    const { env, node, timing } = this.#parts;
    const now = env.clock.monotonicMs();
    const lastMs = this.#lastTickMs;
    this.#lastTickMs = now;
    if (now - lastMs > timing.electionMs) this.#stalled(lastMs);
    for (const id of this.#peers.toGreet(this.#others)) this.#send(id, []);
    this.#guard(() => node.tick());
    this.#leaveJointMembers(now);
    this.#pump();
    this.#scheduleTick();
  }

  /**
   * The core proposes that by itself, but only once, with what is applied next: not while leadership is
   * being handed over, and not again where nothing is written.
   */
  #leaveJointMembers(now: number): void {
    if (this.#jointMs === undefined || !this.#isToldToLead) return;
    if (now - this.#jointMs < this.#parts.timing.electionMs) return;
    this.#jointMs = now;
    const leave = { changes: [], transition: ConfChangeTransition.Auto };
    this.#guard(() => void this.#parts.node.proposeConfChange(leave));
  }

  /**
   * The loop stood still for so long that another leader may be there. What peers said meanwhile is read
   * behind this tick: who was heard from before is taken to be there.
   */
  #stalled(sinceMs: number): void {
    this.#reads.endLease();
    const successor = this.#leading === undefined ? undefined : this.#bestSuccessor(sinceMs);
    if (successor === undefined) return;
    this.#parts.env.log.write('warn', 'the loop stalled; leadership is handed over', {
      to: successor,
    });
    this.#giveLeaseUp();
    this.#guard(() => this.#parts.node.transferLeader(successor));
  }

  #receive(from: number, batch: RaftBatch): void {
    if (this.#isClosed || this.#failure !== undefined || batch.shard !== this.#parts.shard) return;
    if (!this.#mayStay(from, batch) || !this.#peers.accepts(from, batch)) return;
    const nowMs = this.#parts.env.clock.monotonicMs();
    this.#heard.heard(from);
    for (const message of batch.messages) {
      if (message.from !== from || message.to !== this.nodeId) continue;
      if (isVoteRequest(message) && nowMs < this.#votesFromMs && !isForcedVote(message)) continue;
      if (holdsSnapshot(message.snapshot)) this.#fetching.take(from, message, message.snapshot);
      else this.#guard(() => void this.#parts.node.step(message));
    }
    this.#pump();
  }

  /** A peer knows another life of this replica: what that promised is lost, so it must not come back. */
  #mayStay(from: number, { toIncarnation }: RaftBatch): boolean {
    if (toIncarnation === 0 || toIncarnation === this.#parts.log.state.incarnation) return true;
    this.#fail(
      themisError('REPLICA_FORGOTTEN', {
        message: `replica ${from} knows replica ${this.nodeId} with other data than it has: the disk was lost or exchanged; remove the replica from the group and add it under a new id`,
        details: { replica: this.nodeId },
      }),
    );
    return false;
  }

  #pump(): void {
    if (this.#isPumping || this.#failure !== undefined || this.#isClosed) return;
    this.#isPumping = true;
    const { node } = this.#parts;
    this.#guard(() => {
      while (node.hasReady()) this.#take(node.ready());
    });
    this.#isPumping = false;
    this.#sendAll();
    this.#appending.start();
    this.#applying.start();
  }

  #take(ready: Ready): void {
    const last = ready.entries.at(-1);
    if (last !== undefined) this.#lastIndex = last.index;
    if (holdsSnapshot(ready.snapshot))
      this.#lastIndex = this.#restoredTo = ready.snapshot.metadata.index;
    // Before the commit index moves on: what our own term had not committed may be another's now.
    const term = ready.hardState?.term ?? this.#term;
    if (ready.softState !== undefined) this.#roleChanged(ready.softState, term);
    const ledTerm = this.#leading?.term ?? term;
    assert(ledTerm === term, 'a term of leadership ends with a change of role');
    if (ready.hardState !== undefined) {
      this.#term = ready.hardState.term;
      this.#commitIndex = ready.hardState.commit;
    }
    for (const message of withVotesBehind(ready.messages)) this.#route(message);
    if (ready.readStates.length > 0) this.#reads.take(ready.readStates);
  }

  #route(message: Message): void {
    if (message.to === LOCAL_APPEND_THREAD) this.#appending.push(message);
    else if (message.to === LOCAL_APPLY_THREAD) this.#applying.push(message);
    else this.#post(message);
  }

  #post(message: Message): void {
    const queued = this.#outbox.get(message.to);
    if (queued === undefined) this.#outbox.set(message.to, [message]);
    else queued.push(message);
  }

  #sendAll(): void {
    if (this.#outbox.size === 0) return;
    const outbox = this.#outbox;
    this.#outbox = new Map();
    for (const [to, messages] of outbox) {
      this.#send(to, messages);
      for (const message of messages)
        if (message.type === MessageType.Snap)
          this.#sentSnapshots.sent(to, message.snapshot!.metadata);
    }
  }

  #send(to: number, messages: readonly Message[]): void {
    const { transport, shard, log } = this.#parts;
    const { incarnation, peers } = log.state;
    const toIncarnation = peers.get(to) ?? 0;
    transport?.send(to, { shard, incarnation, toIncarnation, messages });
  }

  // Storage writes.

  async #persist(batch: readonly Message[]): Promise<void> {
    const { log } = this.#parts;
    let runs: (readonly Entry[])[] = [];
    let hardState: { readonly term: number; readonly vote: number } | undefined;
    for (const { term, vote, entries, snapshot } of batch) {
      // Term 0: the hard state is as it was.
      if (term !== 0) hardState = { term, vote };
      if (holdsSnapshot(snapshot)) {
        await log.append(runs, hardState);
        runs = [];
        await this.#install(snapshot);
      }
      if (entries.length > 0) runs.push(entries);
    }
    await log.append(runs, hardState);
  }

  #persisted(batch: readonly Message[]): void {
    this.#answer(batch);
    this.#wakeStored();
    this.#pump();
  }

  /** Answers to ourselves are stepped, those to others sent. */
  #answer(batch: readonly Message[]): void {
    for (const { responses } of batch)
      for (const response of responses) {
        if (response.to === this.nodeId) this.#guard(() => void this.#parts.node.step(response));
        else this.#post(response);
      }
  }

  #whenStored(index: number): Promise<void> {
    return new Promise((resolve) => this.#stored.push({ index, resolve }));
  }

  #wakeStored(all = false): void {
    if (this.#stored.length === 0) return;
    const last = this.#parts.log.lastIndex();
    const waiting = this.#stored;
    this.#stored = all ? [] : waiting.filter(({ index }) => index > last);
    for (const { index, resolve } of waiting) if (all || index <= last) resolve();
  }

  #applied(batch: readonly Message[]): void {
    this.#answer(batch);
    this.#shrinkCache();
    this.#pending.applied(this.#parts.machine.applied.index);
    this.#reads.applied();
    this.#pump();
    this.#tellStore();
  }

  #setMembers({ voters, learners, votersOutgoing }: ConfState): void {
    const all = new Set([...voters, ...learners, ...votersOutgoing]);
    this.#isAlone = all.delete(this.nodeId) && all.size === 0;
    this.#others = [...all];
    this.#jointMs = votersOutgoing.length > 0 ? this.#parts.env.clock.monotonicMs() : undefined;
  }

  #shrinkCache(): void {
    const { log, machine, logCacheBytes } = this.#parts;
    const { cache } = log;
    // Never below what is stored here, nor what the store has not got yet.
    const to = Math.min(machine.applied.index, cache.lastIndex);
    if (this.isAlone) return cache.compact(to);
    if (cache.bytes <= logCacheBytes) return;
    // Who gets a snapshot needs what comes behind it.
    const keepFrom = Math.min(to, this.#sentSnapshots.lowestIndex);
    cache.shrink(keepFrom, logCacheBytes);
    cache.shrink(to, snapshotCacheFactor * logCacheBytes);
  }

  // Roles.

  #roleChanged({ lead, raftState }: SoftState, term: number): void {
    const wasLeading = this.#leading !== undefined;
    this.#leader = lead;
    if (raftState === StateType.Leader)
      this.#leading ??= { term, index: this.#lastIndex, isTold: false };
    else {
      this.#leading = undefined;
      this.#reads.endLease();
      this.#wakeStored(true);
      this.#pending.clear();
      const leader = lead === 0 ? undefined : lead;
      this.#parts.machine.follow({ leader, committedIndex: this.#commitIndex });
    }
    if (!this.#isAlone && wasLeading !== (this.#leading !== undefined))
      this.#parts.env.log.write('info', wasLeading ? 'leads no more' : 'leads', {
        shard: this.#parts.shard,
        leader: lead,
      });
    this.#tellStore();
    this.#tellListeners();
  }

  #tellListeners(): void {
    void Promise.resolve().then(() => {
      if (this.#listeners.size === 0) return;
      const status = this.status();
      for (const listener of this.#listeners) listener(status);
    });
  }

  get #isToldToLead(): boolean {
    return this.#leading?.isTold === true;
  }

  /** Whoever was asked to take over may do so at any time in this term, lease or not. */
  #giveLeaseUp(): void {
    this.#noLeaseTerm = this.#term;
    this.#reads.endLease();
  }

  /** Promise 3. */
  #tellStore(): void {
    const leading = this.#leading;
    const { machine } = this.#parts;
    if (leading === undefined || leading.isTold || machine.applied.index < leading.index) return;
    leading.isTold = true;
    this.#tellListeners();
    machine.lead(this.#term).catch((error: unknown) => this.#fail(error));
  }

  async #untilLeading(): Promise<void> {
    const { env } = this.#parts;
    while (!this.#isToldToLead) {
      this.#mustRun();
      await env.timers.yield();
    }
  }

  #isHeard(id: number, asOfMs?: number): boolean {
    return id === this.nodeId || this.#heard.isHeard(id, asOfMs);
  }

  /**
   * The connection to the leader broke: it is likely to be gone. Campaigning is safe at any time, and a
   * peer that still hears the leader refuses; so one of those who do not need not wait for its timeout.
   * Not with a lease: what broke may be the connection alone, and all have promised to wait.
   */
  #peerDown(id: number): void {
    const { env, timing, node } = this.#parts;
    this.#heard.forget(id);
    if (timing.leaseMs > 0 || id !== this.#leader || this.#leading !== undefined) return;
    const sinceMs = env.clock.monotonicMs();
    env.timers.after(timing.heartbeatMs * (0.25 + env.random.float()), () => {
      const isHeardAgain = this.#heard.isHeardSince(id, sinceMs);
      if (isHeardAgain || this.#leader !== id || this.#isClosed || this.#failure !== undefined)
        return;
      this.#guard(() => {
        node.forgetLeader();
        node.campaign();
      });
      this.#pump();
    });
  }

  #bestSuccessor(asOfMs?: number): number | undefined {
    const { progress, config } = this.#parts.node.status();
    const { voters } = confStateOf(config);
    const others = voters.filter((id) => id !== this.nodeId && this.#isHeard(id, asOfMs));
    return others.sort((a, b) => progress.get(b)!.match - progress.get(a)!.match)[0];
  }

  // Snapshots.

  async #install(snapshot: Snapshot): Promise<void> {
    const { env, shard, log, machine } = this.#parts;
    const id = utf8Decode(snapshot.data!);
    const { index, term, confState } = snapshot.metadata;
    await this.#fetching.installing(id, async (keep) => {
      await this.#applying.idle();
      const file = snapshotFile(shard, id);
      await log.saveState({ installing: { index, term, confState, file } });
      await finishInstall({ env, log, machine, shard, keep });
    });
    this.#setMembers(confState);
    this.#reads.applied();
  }

  // Failures.

  /** The core's invariants are what its state stands on: broken, nothing it says can be trusted. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#leading = undefined;
    this.#tickTimer?.cancel();
    this.#tellFailure(error);
    this.#parts.machine.fail(error);
    this.#pending.clear();
    this.#reads.close();
    this.#wakeStored(true);
    this.#tellListeners();
  }

  #tellFailure(error: unknown): void {
    const { env, shard } = this.#parts;
    const isDefect = error instanceof InvariantError;
    if (this.#isClosing && !isDefect)
      return env.log.write(
        'warn',
        'closing without what waits for the disk; it is done at the next start',
        {
          shard,
          reason: String(error),
        },
      );
    env.log.write('error', 'the replica stopped', {
      shard,
      isDefect,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  get #hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  #unknown(): Error {
    return themisError('UNKNOWN_OUTCOME', {
      message: `the replica stopped while it took the write: ${String(this.#failure)}`,
    });
  }

  #mustRun(): void {
    if (this.#failure !== undefined)
      throw themisError('STORE_FAILED', {
        message: `the replica stopped: ${String(this.#failure)}`,
        cause: this.#failure,
      });
    if (this.#isClosed) throw themisError('SHUTTING_DOWN', { message: 'the replica is closed' });
  }

  #notLeader(): Error {
    const leader = this.#leader === 0 || this.#leader === this.nodeId ? undefined : this.#leader;
    return themisError('NOT_LEADER', {
      message:
        leader === undefined
          ? 'this replica does not lead the shard: an election is under way'
          : `this replica does not lead the shard: replica ${leader} leads`,
      details: { leader: leader ?? null },
    });
  }

  #refuseTransfer(why: string): Error {
    return themisError('MEMBER_CHANGE_REFUSED', { message: `leadership stays: ${why}` });
  }
}
