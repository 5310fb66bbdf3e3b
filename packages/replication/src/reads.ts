import { probe, type Env, type TimerHandle } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { RawNode, ReadState } from '@themisdb/raft';
import { ByteWriter } from './bytes.ts';
import type { ReadMode, ReadOptions } from './contract.ts';

export interface ReadParts {
  readonly env: Env;
  readonly node: RawNode;
  /** Makes the contexts of this replica's rounds unlike those of any other life of it. */
  readonly incarnation: number;
  readonly electionMs: number;
  /** Below `electionMs`; 0 switches lease reads off. */
  readonly leaseMs: number;
  readonly appliedIndex: () => number;
  readonly appliedTimestamp: () => bigint;
  /** Of a leader that is free to read by its lease: the commit index; else undefined. */
  readonly leaseIndex: () => number | undefined;
  /** Takes the core's work out after a call into it. */
  readonly pump: () => void;
}

/** Somebody who waits; `isOver` once he does not any more. */
interface Waiter {
  readonly resolve: () => void;
  isOver: boolean;
}

interface Round {
  readonly startMs: number;
  readonly waiters: readonly Waiter[];
  readonly timer: TimerHandle;
}

/** At a time; more gather for the next. */
const roundsMax = 4;

/**
 * Finds out when a read may begin. Requests of one turn share one round of ReadIndex; while some are
 * under way others gather for the next. A round has a context of its own, and one that is not answered
 * within an election timeout is begun anew with another, for those who still wait. A round that succeeds tells three things: the
 * index to wait for, since when this replica is known to be current (`bounded` reads), and, on a leader,
 * how long nobody else can lead (the lease, thesis section 6.4.1).
 */
export class Reads {
  readonly #parts: ReadParts;
  readonly #rounds = new Map<string, Round>();
  #gathering: Waiter[] = [];
  #isStarting = false;
  #counter = 0;
  #freshMs = Number.NEGATIVE_INFINITY;
  #leaseEndMs = Number.NEGATIVE_INFINITY;
  /** Those who wait for an index or timestamp to be applied. */
  readonly #appliedWaiters = new Set<{
    readonly isReached: () => boolean;
    readonly resolve: () => void;
  }>();
  #isClosed = false;

  constructor(parts: ReadParts) {
    this.#parts = parts;
  }

  async await(mode: ReadMode, options: ReadOptions): Promise<void> {
    switch (mode.type) {
      case 'eventual':
        return;
      case 'atLeast':
        return this.#within(
          options,
          (waiter) => this.#whenApplied(() => this.#has(mode.timestamp), waiter),
          mode,
        );
      case 'bounded':
        if (this.#now() - this.#freshMs <= mode.maxLagMs) return;
        return this.#within(options, (waiter) => this.#round(waiter), mode);
      case 'strong':
        if (this.#readsByLease()) return probe('read by lease');
        return this.#within(options, (waiter) => this.#round(waiter), mode);
    }
  }

  /** Answers of the core. */
  take(states: readonly ReadState[]): void {
    for (const { index, context } of states) this.#answered(index, keyOf(context));
  }

  applied(): void {
    for (const waiter of this.#appliedWaiters) {
      if (!waiter.isReached()) continue;
      this.#appliedWaiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Leadership is given away, or was: nothing about the time to come is known. */
  endLease(): void {
    this.#leaseEndMs = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#isClosed = true;
    this.endLease();
    for (const { timer } of this.#rounds.values()) timer.cancel();
    this.#rounds.clear();
  }

  #now(): number {
    return this.#parts.env.clock.monotonicMs();
  }

  #has(timestamp: bigint): boolean {
    return this.#parts.appliedTimestamp() >= timestamp;
  }

  /** Looked at in the same turn as the read: a clock that jumped ahead ends the lease. */
  #readsByLease(): boolean {
    const index = this.#parts.leaseIndex();
    return (
      index !== undefined && this.#now() < this.#leaseEndMs && this.#parts.appliedIndex() >= index
    );
  }

  #round(waiter: Waiter): void {
    this.#gathering.push(waiter);
    if (this.#isStarting) return;
    this.#isStarting = true;
    // Others of this turn join.
    void Promise.resolve().then(() => {
      this.#isStarting = false;
      this.#start();
    });
  }

  #start(): void {
    if (this.#isClosed || this.#rounds.size >= roundsMax) return;
    const waiters = this.#gathering.filter(({ isOver }) => !isOver);
    this.#gathering = [];
    if (waiters.length === 0) return;
    const { env, node, electionMs, pump, incarnation } = this.#parts;
    const out = new ByteWriter(24);
    out.varint(incarnation);
    out.varint(++this.#counter);
    const context = out.finish();
    const key = keyOf(context);
    const timer = env.timers.after(electionMs, () => {
      probe('read round begun anew');
      this.#rounds.delete(key);
      this.#gathering.push(...waiters);
      this.#start();
    });
    this.#rounds.set(key, { startMs: this.#now(), waiters, timer });
    node.readIndex(context);
    pump();
  }

  #answered(index: number, key: string): void {
    const round = this.#rounds.get(key);
    if (round === undefined) return;
    this.#rounds.delete(key);
    round.timer.cancel();
    const { leaseMs, leaseIndex } = this.#parts;
    if (leaseMs > 0 && leaseIndex() !== undefined)
      this.#leaseEndMs = Math.max(this.#leaseEndMs, round.startMs + leaseMs);
    const resolve = (): void => {
      this.#freshMs = Math.max(this.#freshMs, round.startMs);
      for (const waiter of round.waiters) waiter.resolve();
    };
    const isReached = (): boolean => this.#parts.appliedIndex() >= index;
    if (isReached()) resolve();
    else this.#appliedWaiters.add({ isReached, resolve });
    this.#start();
  }

  #whenApplied(isReached: () => boolean, waiter: Waiter): void {
    if (isReached()) return waiter.resolve();
    this.#appliedWaiters.add({
      isReached: () => waiter.isOver || isReached(),
      resolve: waiter.resolve,
    });
  }

  /** Resolves when `begin` lets the waiter go; rejects when the time is over. */
  async #within(
    options: ReadOptions,
    begin: (waiter: Waiter) => void,
    mode: ReadMode,
  ): Promise<void> {
    const { timers } = this.#parts.env;
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    let stop = (): void => {};
    const waiting = new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { resolve, isOver: false };
      const timer = timers.after(timeoutMs, () => reject(notReadable(mode, timeoutMs)));
      const aborted = (): void => reject(signal?.reason as Error);
      signal?.addEventListener('abort', aborted, { once: true });
      stop = () => {
        waiter.isOver = true;
        timer.cancel();
        signal?.removeEventListener('abort', aborted);
      };
      begin(waiter);
    });
    try {
      await waiting;
    } finally {
      stop();
    }
  }
}

function keyOf(context: Uint8Array | undefined): string {
  return context === undefined ? '' : context.join('.');
}

function notReadable(mode: ReadMode, timeoutMs: number): Error {
  const what =
    mode.type === 'atLeast'
      ? 'the commit named did not arrive here'
      : 'no leader confirmed what is current';
  return themisError('NO_LEADER', { message: `${what} within ${Math.round(timeoutMs)} ms` });
}
