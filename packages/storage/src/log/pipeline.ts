import { hasCode, type Env, type Log } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CatalogView } from '../catalog/catalog.ts';
import type { AppliedPlace, CommandLog, LogEntry } from '../contract/command-log.ts';
import type { ChangeToken } from '../contract/store.ts';
import type { Timestamp } from '../contract/transaction.ts';
import type { StoreContext } from '../context.ts';
import type { TextRange, Written } from '../transaction/recent-writes.ts';
import { View } from '../transaction/views.ts';
import { ApplyStep } from './apply-step.ts';
import type { Command } from './command.ts';
import { entriesNeeded, entriesOf, partBytesDefault, PartCollector } from './entries.ts';
import { closingError, notLeading, unknownOutcome } from './errors.ts';
import { Proposals, type Proposed } from './proposals.ts';

/** A commit that waits for its place in the log. */
export interface Proposal {
  /**
   * Called once, when the commit's turn has come. Checks everything against what was committed before
   * it and builds the command. Throwing refuses the commit; nothing has happened then.
   */
  form(timestamp: Timestamp): Formed;
  /** Bytes the command will have, roughly. */
  readonly sizeHint: number;
}

export interface Formed {
  readonly command: Command;
  /** What the command writes: later commits are validated against it. */
  readonly written: readonly Written[];
  readonly ranges?: readonly TextRange[];
  /** Takes back what `form` changed in memory: the command did not reach the log. */
  undo?(): void;
  /** The catalog from this command on. */
  readonly catalog?: CatalogView | undefined;
  /** Called when the effect is visible, before the commit resolves. */
  applied?(place: CommitPlace): void;
}

export interface CommitPlace {
  readonly index: number;
  readonly timestamp: Timestamp;
}

export interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (place: CommitPlace) => void;
  readonly reject: (reason: unknown) => void;
}

/** Commands formed at once; more wait for the next sync. */
const batchCommandsMax = 4096;
const batchBytesMax: number = 48 * 1024 * 1024;
/** What the log adds to an entry, generously. */
const entryOverheadBytes = 80;
const applyRetryMs = 200;

/**
 * Brings commits into the log, and from there into the engine, in one order.
 *
 * While this replica leads, the waiting commits are validated and formed one after the other and
 * proposed together; the next batch is formed when this node's copy of the last one is durable, so that
 * commits gather meanwhile. What the log gives back is applied with one engine batch, and published as a
 * new view. Commits of other leaders come the same way and are read from their bytes.
 *
 * Numbered promises, cited by the tests:
 * 1. A commit resolves only after its command is committed in the log and visible in the engine.
 * 2. What a proposal that was dropped, or a leader that was deposed, left in memory (counters, recent
 *    writes) is taken back before anything else is formed.
 * 3. A commit that was refused (conflict, DISK_FULL, NOT_LEADER) has had no effect and never will have;
 *    one that ends with UNKNOWN_OUTCOME may.
 * 4. After a fatal error nothing is accepted any more; every call rejects with STORE_FAILED. Commits
 *    that are in the log by then end with UNKNOWN_OUTCOME: they may come back with it.
 */
export class CommitPipeline {
  readonly #context: StoreContext;
  readonly #env: Env;
  readonly #log: Log;
  readonly #proposals = new Proposals();
  readonly #parts = new PartCollector();
  #commandLog: CommandLog | undefined;
  #waiting: Waiting[] = [];
  #idlers: (() => void)[] = [];
  #appendUnderWay: Promise<void> | undefined;
  #applyStalled: unknown;
  #failure: unknown;
  #closing = false;
  #hasGivenUp = false;
  /** Own commits that are being applied. */
  #ownUnderWay = 0;
  #isLeading = false;
  #leader: number | undefined;
  #applied: AppliedPlace;
  readonly #partBytesMax: number;
  membership: Uint8Array | undefined;
  bytesLogged = 0;
  commits = 0;
  /** Called after each applied batch, with the place of the last change in it, if there is one. */
  onApplied: (lastChange: ChangeToken | undefined) => void = () => {};

  constructor(
    context: StoreContext,
    at: { applied: AppliedPlace; membership?: Uint8Array | undefined },
    partBytesMax: number = partBytesDefault,
  ) {
    this.#context = context;
    this.#env = context.env;
    this.#log = context.env.log;
    this.#applied = at.applied;
    this.membership = at.membership;
    this.#partBytesMax = partBytesMax;
  }

  attach(log: CommandLog): void {
    this.#commandLog = log;
  }

  /** The catalog after the last command applied; schema changes come one at a time. */
  get catalog(): CatalogView {
    return this.#context.views.current.catalog;
  }

  get applied(): AppliedPlace {
    return this.#applied;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** The engine is durable up to here. */
  async release(index: number): Promise<void> {
    await this.#commandLog?.release(index);
  }

  submit(proposal: Proposal): Promise<CommitPlace> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      this.#waiting.push({ proposal, resolve, reject });
      this.#appendUnderWay ??= this.#appendLoop();
    });
  }

  mustBeAlive(): void {
    if (this.#failure !== undefined) throw this.#failedError();
  }

  /** For what begins: what is under way may still end. */
  mustTakeMore(): void {
    this.mustBeAlive();
    if (this.#closing) throw closingError();
  }

  lead(): void {
    this.#isLeading = true;
  }

  /**
   * The engine holds another state than before, and shows it. Own commits up to there that are left are
   * those `follow` was told are committed: a state of a later place has them in it, so they have
   * succeeded. What they changed in memory was replaced with everything else.
   */
  restart(applied: AppliedPlace, membership: Uint8Array | undefined): void {
    this.#applied = applied;
    this.membership = membership;
    this.#parts.clear();
    for (const { index, timestamp, resolve } of this.#proposals.cutUpTo(applied.index))
      resolve({ index, timestamp });
    this.#wakeIdlers();
  }

  follow(leader: number | undefined, committedIndex: number): void {
    this.#isLeading = false;
    this.#leader = leader;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each.reject(notLeading(leader));
    const lost = this.#proposals.cutAfter(committedIndex);
    this.#takeBack(lost);
    for (const each of lost) each.reject(unknownOutcome());
    this.#wakeIdlers();
  }

  /** After an error that leaves memory and disk of uncertain agreement. */
  fail(cause: unknown): void {
    // Or all has ended already.
    if (this.#failure !== undefined || this.#hasGivenUp) return;
    this.#failure = cause;
    this.#log.write('error', 'the store stopped after a fatal error', { error: String(cause) });
    for (const each of this.#waiting.splice(0)) each.reject(this.#failedError());
    // Others may commit them, or the next start may.
    for (const each of this.#proposals.cutAfter(0)) each.reject(stoppedBefore());
    this.#wakeIdlers();
    this.#commandLog?.failed(cause);
  }

  /** Resolves when all that was submitted is applied or refused. */
  async idle(): Promise<void> {
    while (
      this.#appendUnderWay !== undefined ||
      this.#ownUnderWay > 0 ||
      !this.#proposals.isEmpty
    ) {
      if (this.#failure !== undefined) return;
      await new Promise<void>((resolve) => this.#idlers.push(resolve));
    }
  }

  /** A full disk is not waited for any more. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.idle();
  }

  async apply(entries: readonly LogEntry[]): Promise<void> {
    this.mustBeAlive();
    if (this.#hasGivenUp) throw closingError();
    const step = new ApplyStep(this.#context, this.#applied);
    try {
      await this.#apply(step, entries);
    } catch (error) {
      this.fail(error);
      const reason = this.#hasGivenUp ? closedBefore() : stoppedBefore();
      for (const each of step.own) each.reject(reason);
      throw this.#hasGivenUp ? error : this.#failedError();
    } finally {
      this.#ownUnderWay = 0;
      this.#wakeIdlers();
    }
  }

  #wakeIdlers(): void {
    for (const wake of this.#idlers.splice(0)) wake();
  }

  #refusal(): unknown {
    if (this.#failure !== undefined) return this.#failedError();
    if (this.#closing) return closingError();
    if (!this.#isLeading) return notLeading(this.#leader);
    return this.#applyStalled;
  }

  #failedError(): Error {
    return themisError('STORE_FAILED', {
      message: `the store stopped after a fatal error: ${String(this.#failure)}`,
      cause: this.#failure,
    });
  }

  async #appendLoop(): Promise<void> {
    // Commits of the same turn belong into the same batch.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#failure === undefined) await this.#appendBatch();
    this.#appendUnderWay = undefined;
    this.#wakeIdlers();
  }

  async #appendBatch(): Promise<void> {
    const log = this.#commandLog!;
    try {
      await log.reserve(this.#bytesWaiting());
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) this.fail(error);
      for (const each of this.#waiting.splice(0)) each.reject(error);
      return;
    }
    const firstIndex = log.nextIndex;
    const { batch, entries } = this.#formBatch(firstIndex);
    if (batch.length === 0) return;
    const outcome = log.propose(entries);
    if (outcome.type === 'dropped') {
      this.#takeBack(batch);
      for (const each of batch) each.reject(outcome.error);
      return;
    }
    const { term } = outcome;
    this.#proposals.add(batch.map((each) => ({ ...each, term })));
    await outcome.stored;
  }

  #bytesWaiting(): number {
    let bytes = 0;
    for (let i = 0; i < this.#waiting.length && i < batchCommandsMax && bytes < batchBytesMax; i++)
      bytes += this.#bytesInLog(this.#waiting[i]!.proposal.sizeHint);
    return bytes;
  }

  #bytesInLog(commandBytes: number): number {
    return commandBytes + entriesNeeded(commandBytes, this.#partBytesMax) * entryOverheadBytes;
  }

  #formBatch(firstIndex: number): { batch: Proposed[]; entries: Uint8Array[] } {
    const batch: Proposed[] = [];
    const entries: Uint8Array[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.#waiting.length && taken < batchCommandsMax; taken++) {
      const waiting = this.#waiting[taken]!;
      if (batch.length > 0 && bytes + waiting.proposal.sizeHint > batchBytesMax) break;
      try {
        const formed = this.#form(waiting, firstIndex + entries.length);
        const { payload } = formed.formed.command;
        for (const entry of entriesOf(payload, this.#partBytesMax)) entries.push(entry);
        bytes += payload.length;
        batch.push(formed);
      } catch (error) {
        waiting.reject(error);
      }
    }
    this.#waiting.splice(0, taken);
    this.bytesLogged += bytes;
    return { batch, entries };
  }

  #form(waiting: Waiting, firstIndex: number): Proposed {
    const { clock, recent } = this.#context;
    const timestamp = clock.next();
    const formed = waiting.proposal.form(timestamp);
    const { payload } = formed.command;
    const index = firstIndex + entriesNeeded(payload.length, this.#partBytesMax) - 1;
    recent.record(index, formed.written, formed.ranges ?? []);
    return { ...waiting, formed, firstIndex, index, timestamp, term: 0 };
  }

  #takeBack(batch: readonly Proposed[]): void {
    const first = batch[0];
    if (first === undefined) return;
    for (const { formed } of [...batch].reverse()) formed.undo?.();
    this.#context.recent.undo(first.firstIndex);
  }

  async #apply(step: ApplyStep, entries: readonly LogEntry[]): Promise<void> {
    const { views, engine, recent } = this.#context;
    for (const entry of entries) step.add(entry, this.#proposals, this.#parts);
    step.finish();
    this.#ownUnderWay = step.own.length;
    views.freeze();
    await this.#write(step);
    const { index, timestamp } = step.applied;
    views.publish(new View(engine, { index, timestamp, catalog: step.catalog }));
    this.#applied = step.applied;
    if (step.membership !== undefined) this.membership = step.membership;
    this.commits += step.commands;
    this.bytesLogged += step.bytes;
    step.publish();
    for (const each of step.own) each.resolve({ index: each.index, timestamp: each.timestamp });
    recent.forget(views.oldestIndex());
    this.onApplied(step.lastChange);
  }

  /**
   * What is in the log must be applied. A full disk may pass: new commits are refused meanwhile, those
   * in the log wait, unless the store closes. Anything else is fatal. Opening the store again replays the
   * log, in either case.
   */
  async #write({ operations }: ApplyStep): Promise<void> {
    for (;;) {
      try {
        await this.#context.engine.write(operations);
        this.#applyStalled = undefined;
        return;
      } catch (error) {
        if (!hasCode(error, 'DISK_FULL')) throw error;
        if (this.#closing) {
          this.#giveUp();
          throw closingError();
        }
        this.#applyStalled = error;
        this.#log.write('warn', 'the engine has no space left; trying again', {});
        await this.#env.timers.sleep(applyRetryMs);
        if (this.#failure !== undefined) throw error;
      }
    }
  }

  /** Nothing is applied any more. */
  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#log.write(
      'warn',
      'closing with no space for what is in the log; it is applied at the next start',
      {},
    );
    for (const each of this.#waiting.splice(0)) each.reject(closingError());
    for (const each of this.#proposals.cutAfter(0)) each.reject(closedBefore());
    this.#wakeIdlers();
  }
}

function closedBefore(): Error {
  return unknownOutcome('the store closed, with no space for what is in its log,');
}

function stoppedBefore(): Error {
  return unknownOutcome('the store stopped after a fatal error');
}
