import type { Prng } from '@themisdb/base';
import {
  decodeBatch,
  encodeBatch,
  type RaftBatch,
  type RaftTransport,
  type SnapshotRequest,
} from '@themisdb/replication';
import type { SimScheduler, Trace } from '@themisdb/testing';
import type { Settings } from '../run/settings.ts';
import type { NodeScheduler } from './node-scheduler.ts';
import type { Watch } from './watch.ts';

/** One life of a node, as the network sees it. */
export interface Endpoint {
  readonly id: number;
  readonly scheduler: NodeScheduler;
  readonly transport: RaftTransport;
  isAlive: boolean;
}

export interface Cut {
  heal(): void;
}

/** How soon an end of a connection notices that it is broken. */
const noticeMs = 200;

interface Rule {
  readonly from: ReadonlySet<number>;
  readonly to: ReadonlySet<number>;
  /** Infinite: nothing gets through. */
  readonly delayMs: number;
}

/**
 * Carries messages between the replicas of a group, as bytes: loses, delays, repeats and reorders them
 * as the settings say, and keeps back what runs into a cut. Streams of snapshots break at cuts and
 * deaths, and now and then for no reason.
 */
export class Wires {
  readonly #scheduler: SimScheduler;
  readonly #prng: Prng;
  readonly #settings: Settings;
  readonly #trace: Trace;
  readonly #watch: Watch;
  readonly #ends = new Map<number, Endpoint>();
  readonly #rules = new Set<Rule>();
  #isCalm = false;
  readonly #streams = new Set<{ readonly end: Endpoint; readonly source: Endpoint }>();
  /** A state begins to travel; `isAlone`: no other is on its way. */
  onStream: (isAlone: boolean) => void = () => {};

  constructor(parts: {
    readonly scheduler: SimScheduler;
    readonly prng: Prng;
    readonly settings: Settings;
    readonly trace: Trace;
    readonly watch: Watch;
  }) {
    this.#scheduler = parts.scheduler;
    this.#prng = parts.prng;
    this.#settings = parts.settings;
    this.#trace = parts.trace;
    this.#watch = parts.watch;
  }

  connect(id: number, scheduler: NodeScheduler): Endpoint {
    const transport: RaftTransport = {
      receive: () => {},
      serveSnapshot: () => nothing(),
      send: (to, batch) => this.#send(end, to, batch),
      fetchSnapshot: (from, request, signal) => this.#stream(end, from, request, signal),
    };
    const end: Endpoint = { id, scheduler, transport, isAlive: true };
    this.#ends.set(id, end);
    return end;
  }

  disconnect(end: Endpoint): void {
    end.isAlive = false;
    if (this.#ends.get(end.id) === end) this.#ends.delete(end.id);
    this.#tellDown(end.id, [...this.#ends.keys()]);
  }

  /** From all of `from` to all of `to`, that direction only. */
  cut(from: readonly number[], to: readonly number[], delayMs: number = Infinity): Cut {
    const rule: Rule = { from: new Set(from), to: new Set(to), delayMs };
    this.#rules.add(rule);
    if (delayMs === Infinity) for (const id of from) this.#tellDown(id, to);
    return { heal: () => void this.#rules.delete(rule) };
  }

  /** Sooner or later, or not at all, those at the other ends learn that a connection broke. */
  #tellDown(id: number, others: readonly number[]): void {
    for (const other of others) {
      if (other === id || this.#prng.chance(0.3)) continue;
      const end = this.#ends.get(other);
      this.#scheduler.at(noticeMs * this.#prng.float(), () => {
        if (end?.isAlive === true)
          end.scheduler.at(0, () => end.isAlive && end.transport.peerDown?.(id));
      });
    }
  }

  /** No faults any more. */
  calm(): void {
    this.#isCalm = true;
    this.#rules.clear();
  }

  #send(end: Endpoint, to: number, batch: RaftBatch): void {
    if (!end.isAlive) return;
    this.#watch.sent(end.id, batch);
    const bytes = encodeBatch(batch);
    const { lossPercent, duplicatePercent } = this.#settings;
    if (this.#strikes(lossPercent)) return;
    this.#carry(end.id, to, bytes);
    if (this.#strikes(duplicatePercent)) this.#carry(end.id, to, bytes);
  }

  #carry(from: number, to: number, bytes: Uint8Array): void {
    this.#scheduler.at(this.#delayMs(from, to), () => {
      const target = this.#ends.get(to);
      if (target === undefined || this.isCut(from, to)) return;
      this.#trace.add(`${this.#scheduler.nowMs} ${from} to ${to} ${bytes.length}`);
      target.scheduler.at(0, () => {
        if (target.isAlive) target.transport.receive(from, decodeBatch(bytes.slice()));
      });
    });
  }

  isCut(from: number, to: number): boolean {
    return this.#extraMs(from, to) === Infinity;
  }

  #extraMs(from: number, to: number): number {
    let ms = 0;
    for (const rule of this.#rules) if (rule.from.has(from) && rule.to.has(to)) ms += rule.delayMs;
    return ms;
  }

  #delayMs(from: number, to: number): number {
    const { delayMs, reorderPercent } = this.#settings;
    const extraMs = this.#extraMs(from, to);
    const late = this.#strikes(reorderPercent) ? 10 * delayMs * this.#prng.float() : 0;
    const usual = delayMs * (0.5 + this.#prng.float());
    return usual + late + (extraMs === Infinity ? 0 : extraMs * this.#prng.float());
  }

  #strikes(percent: number): boolean {
    return !this.#isCalm && percent > 0 && this.#prng.chance(percent / 100);
  }

  async *#stream(
    end: Endpoint,
    from: number,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const source = this.#ends.get(from);
    if (source === undefined) throw new Error('no connection');
    const stop = new AbortController();
    signal.addEventListener('abort', () => stop.abort(), { once: true });
    const chunks = source.transport.serveSnapshot(end.id, request, stop.signal);
    const iterator = chunks[Symbol.asyncIterator]();
    const close = (): void => {
      stop.abort();
      if (source.isAlive) void Promise.resolve(iterator.return?.()).catch(() => undefined);
    };
    this.#closeWhenBroken(end, source, stop.signal, close);
    const stream = this.#streamBegins(end, source);
    try {
      for (;;) {
        const result = await this.#orBreak(end, source, iterator.next());
        if (result.done === true) return;
        const isBroken = this.#strikes(this.#settings.streamBreakPercent);
        await this.#pass(end, this.#delayMs(from, end.id));
        if (isBroken || !source.isAlive || this.isCut(from, end.id))
          throw new Error('the connection broke');
        yield result.value.slice();
      }
    } finally {
      this.#streams.delete(stream);
      close();
    }
  }

  #streamBegins(end: Endpoint, source: Endpoint): { end: Endpoint; source: Endpoint } {
    for (const other of this.#streams)
      if (!other.end.isAlive || !other.source.isAlive) this.#streams.delete(other);
    const stream = { end, source };
    this.onStream(this.#streams.size === 0);
    this.#streams.add(stream);
    return stream;
  }

  /** The source notices too, when the other end has died. */
  #closeWhenBroken(end: Endpoint, source: Endpoint, signal: AbortSignal, close: () => void): void {
    const look = (): void => {
      if (signal.aborted || !source.isAlive) return;
      if (end.isAlive && !this.isCut(source.id, end.id)) source.scheduler.at(noticeMs, look);
      else close();
    };
    source.scheduler.at(noticeMs, look);
  }

  /** A source that died never answers; the connection notices after a while. */
  #orBreak<T>(end: Endpoint, source: Endpoint, next: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const look = (): void => {
        if (isSettled || !end.isAlive) return;
        if (source.isAlive && !this.isCut(source.id, end.id)) end.scheduler.at(noticeMs, look);
        else reject(new Error('the connection broke'));
      };
      end.scheduler.at(noticeMs, look);
      // Nothing reaches a process that has died.
      const ifAlive =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          isSettled = true;
          if (end.isAlive) settle(value);
        };
      next.then(ifAlive(resolve), ifAlive(reject));
    });
  }

  #pass(end: Endpoint, ms: number): Promise<void> {
    return new Promise((resolve) => {
      end.scheduler.at(ms, () => {
        if (end.isAlive) resolve();
      });
    });
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}
