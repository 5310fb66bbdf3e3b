import { assert, hasCode, type Env, type Log } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { KvEngine, KvOperation } from '@themisdb/kv';
import type { Wal, WalRecord } from '@themisdb/wal';
import type { CatalogView } from '../catalog/catalog.ts';
import { changeCount } from '../changes/change-codec.ts';
import type { ChangeToken } from '../contract/store.ts';
import type { Timestamp } from '../contract/transaction.ts';
import { metaName, type KeySpace } from '../keys.ts';
import type { HybridClock } from '../timestamp.ts';
import type { RecentWrites, TextRange, Written } from '../transaction/recent-writes.ts';
import { View, type Views } from '../transaction/views.ts';
import { encodeApplied } from './applied.ts';
import { recordsNeeded, recordsOf, type Command } from './command.ts';

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

interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (place: CommitPlace) => void;
  readonly reject: (reason: unknown) => void;
}

interface Logged extends Waiting, CommitPlace {
  readonly formed: Formed;
}

export interface PipelineParts {
  readonly env: Env;
  readonly engine: KvEngine;
  readonly wal: Wal;
  readonly keys: KeySpace;
  readonly clock: HybridClock;
  readonly recent: RecentWrites;
  readonly views: Views;
  readonly group: number;
  readonly term: number;
}

/** Commands formed at once; more wait for the next sync. */
const batchCommandsMax = 4096;
const batchBytesMax: number = 48 * 1024 * 1024;
/** Log records handed over at once: of a very large command, not all. */
const appendRecordsBytes: number = 128 * 1024 * 1024;
const applyRetryMs = 200;

/**
 * Brings commits into the log and from there into the engine, in one order.
 *
 * Two loops, each with one thing under way: (1) take the waiting commits, validate and form them one
 * after the other, append their commands with one sync; (2) apply what is in the log with one engine
 * batch, then publish the new view and resolve. While (1) syncs, (2) applies the batch before, and new
 * commits gather.
 *
 * Numbered promises, cited by the tests:
 * 1. A commit resolves only after its command is durable in the log and visible in the engine.
 * 2. Log indexes have no holes: indexes, counters and recent writes of a batch that could not be
 *    appended are taken back before anything else is formed.
 * 3. A commit that was refused (conflict, DISK_FULL) has had no effect and never will have.
 * 4. After a fatal error nothing is accepted any more; every call rejects with STORE_FAILED.
 */
export class CommitPipeline {
  readonly #parts: PipelineParts;
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #logged: Logged[] = [];
  #nextIndex: number;
  #appendUnderWay: Promise<void> | undefined;
  #applyUnderWay: Promise<void> | undefined;
  #applyStalled: unknown;
  #failure: unknown;
  #closing = false;
  bytesLogged = 0;
  commits = 0;
  /** Called after each applied batch, with the place of the last change in it, if there is one. */
  onApplied: (lastChange: ChangeToken | undefined) => void = () => {};

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#log = parts.env.log;
    this.#nextIndex = parts.views.current.index + 1;
  }

  /** The catalog after the last command applied; schema changes come one at a time. */
  get catalog(): CatalogView {
    return this.#parts.views.current.catalog;
  }

  get failure(): unknown {
    return this.#failure;
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

  /** After an error that leaves memory and disk of uncertain agreement. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = cause;
    this.#log.write('error', 'the store stopped after a fatal error', { error: String(cause) });
    for (const each of [...this.#waiting, ...this.#logged]) each.reject(this.#failedError());
    this.#waiting = [];
    this.#logged = [];
  }

  /** Resolves when all that was submitted is applied or refused. */
  async idle(): Promise<void> {
    while (this.#appendUnderWay !== undefined || this.#applyUnderWay !== undefined) {
      await this.#appendUnderWay;
      await this.#applyUnderWay;
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.idle();
  }

  #refusal(): unknown {
    if (this.#failure !== undefined) return this.#failedError();
    if (this.#closing) return closingError();
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
  }

  async #appendBatch(): Promise<void> {
    const firstIndex = this.#nextIndex;
    const { batch, records } = this.#formBatch();
    if (batch.length === 0) return;
    try {
      for (const part of portions(records)) await this.#parts.wal.append(part);
    } catch (error) {
      this.#takeBack(batch, firstIndex);
      if (!hasCode(error, 'DISK_FULL')) this.fail(error);
      for (const each of batch)
        each.reject(this.#failure === undefined ? error : this.#failedError());
      return;
    }
    for (const each of batch) this.#logged.push(each);
    this.#applyUnderWay ??= this.#applyLoop();
  }

  #formBatch(): { batch: Logged[]; records: WalRecord[] } {
    const batch: Logged[] = [];
    const records: WalRecord[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.#waiting.length && taken < batchCommandsMax; taken++) {
      const waiting = this.#waiting[taken]!;
      if (batch.length > 0 && bytes + waiting.proposal.sizeHint > batchBytesMax) break;
      try {
        const logged = this.#form(waiting);
        const { payload } = logged.formed.command;
        const firstIndex = logged.index - recordsNeeded(payload.length) + 1;
        const { group, term } = this.#parts;
        for (const record of recordsOf(payload, { group, firstIndex, term })) records.push(record);
        bytes += payload.length;
        batch.push(logged);
      } catch (error) {
        waiting.reject(error);
      }
    }
    this.#waiting.splice(0, taken);
    this.bytesLogged += bytes;
    return { batch, records };
  }

  #form(waiting: Waiting): Logged {
    const timestamp = this.#parts.clock.next();
    const formed = waiting.proposal.form(timestamp);
    const index = this.#nextIndex + recordsNeeded(formed.command.payload.length) - 1;
    this.#nextIndex = index + 1;
    this.#parts.recent.record(index, formed.written, formed.ranges ?? []);
    return { ...waiting, formed, index, timestamp };
  }

  #takeBack(batch: readonly Logged[], firstIndex: number): void {
    for (const { formed } of [...batch].reverse()) formed.undo?.();
    this.#parts.recent.undo(firstIndex);
    this.#nextIndex = firstIndex;
  }

  async #applyLoop(): Promise<void> {
    while (this.#logged.length > 0 && this.#failure === undefined) {
      const batch = this.#logged;
      this.#logged = [];
      try {
        await this.#apply(batch);
      } catch (error) {
        this.fail(error);
        for (const each of batch) each.reject(this.#failedError());
      }
    }
    this.#applyUnderWay = undefined;
  }

  async #apply(batch: readonly Logged[]): Promise<void> {
    const { views, engine, term } = this.#parts;
    const { index, timestamp } = batch[batch.length - 1]!;
    const operations = this.#operationsOf(batch, { index, timestamp, term });
    views.freeze();
    await this.#write(operations);
    const catalog = batch.reduce(
      (known, { formed }) => formed.catalog ?? known,
      views.current.catalog,
    );
    views.publish(new View(engine, { index, timestamp, catalog }));
    this.commits += batch.length;
    for (const each of batch) each.formed.applied?.(each);
    for (const each of batch) each.resolve({ index: each.index, timestamp: each.timestamp });
    this.#parts.recent.forget(views.oldestIndex());
    this.onApplied(lastChangeOf(batch));
  }

  #operationsOf(
    batch: readonly Logged[],
    applied: { readonly index: number; readonly timestamp: Timestamp; readonly term: number },
  ): KvOperation[] {
    const { keys } = this.#parts;
    const operations: KvOperation[] = [];
    for (const { formed, index } of batch) {
      const { command } = formed;
      for (const operation of command.operations) operations.push(operation);
      if (command.changes !== undefined)
        operations.push({ type: 'put', key: keys.change(index), value: command.changes });
    }
    const key = keys.meta(metaName.applied);
    operations.push({ type: 'put', key, value: encodeApplied(applied) });
    return operations;
  }

  /**
   * What is in the log must be applied. A full disk may pass: new commits are refused meanwhile, those
   * in the log wait. Anything else is fatal; opening the store again replays the log.
   */
  async #write(operations: readonly KvOperation[]): Promise<void> {
    for (;;) {
      try {
        await this.#parts.engine.write(operations);
        this.#applyStalled = undefined;
        return;
      } catch (error) {
        if (!hasCode(error, 'DISK_FULL')) throw error;
        assert(operations.length > 0);
        this.#applyStalled = error;
        this.#log.write('warn', 'the engine has no space left; trying again', {});
        await this.#parts.env.timers.sleep(applyRetryMs);
        if (this.#failure !== undefined) throw error;
      }
    }
  }
}

function closingError(): Error {
  return themisError('SHUTTING_DOWN', { message: 'the store is closing' });
}

function lastChangeOf(batch: readonly Logged[]): ChangeToken | undefined {
  const last = batch.findLast(({ formed }) => formed.command.changes !== undefined);
  return last && { index: last.index, n: changeCount(last.formed.command.changes!) - 1 };
}

/**
 * Only a command of several records, which then is alone in its batch, comes in several portions; its
 * last record is in the last one, so that a portion that fails leaves parts that mean nothing.
 */
function* portions(records: readonly WalRecord[]): Iterable<readonly WalRecord[]> {
  let start = 0;
  let bytes = 0;
  for (const [i, { payload }] of records.entries()) {
    if (i > start && bytes + payload.length > appendRecordsBytes) {
      yield records.slice(start, i);
      start = i;
      bytes = 0;
    }
    bytes += payload.length;
  }
  yield records.slice(start);
}
