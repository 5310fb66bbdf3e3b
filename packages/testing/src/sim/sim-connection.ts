import {
  assert,
  type ConnectionHandlers,
  type NetworkConnection,
  type Prng,
  type ThemisError,
} from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { SimScheduler } from './scheduler.ts';

// What the operating systems of both ends hold before the writer's own buffer fills.
const kernelBytes = 65_536;
const highWaterMark = 65_536;
const cutChance = 0.1;

type Segment = Uint8Array | 'end' | 'reset';

/** What an end needs of the network around it. */
export interface SimWire {
  readonly scheduler: SimScheduler;
  readonly prng: Prng;
  /** How long a silent path is borne before the writer gives the connection up. */
  readonly timeoutMs: number;
  delayMs(from: string, to: string): number;
  isBlocked(from: string, to: string): boolean;
  note(line: string): void;
}

/** One end of a simulated connection, and the way to the other. */
export class SimConnection implements NetworkConnection {
  readonly host: string;
  readonly remoteAddress: string;
  readonly #wire: SimWire;
  #other: SimConnection | undefined;
  #handlers: ConnectionHandlers | undefined;
  /** On the way to the other end, oldest first, and how many of them have reached a blocked path. */
  #way: Segment[] = [];
  #held = 0;
  #holdEpoch = 0;
  #lastArrivalMs = 0;
  /** Arrived here and not yet delivered. */
  #inbox: Segment[] = [];
  #isDelivering = false;
  #isPaused = false;
  /** Bytes written that the other end has not taken. */
  #unread = 0;
  #isSaturated = false;
  #hasEnded = false;
  #closeError: ThemisError | undefined;
  #state: 'open' | 'closing' | 'closed' | 'dead' = 'open';

  constructor(wire: SimWire, host: string, remoteAddress: string) {
    this.#wire = wire;
    this.host = host;
    this.remoteAddress = remoteAddress;
  }

  static pair(
    wire: SimWire,
    a: [string, string],
    b: [string, string],
  ): [SimConnection, SimConnection] {
    const [first, second] = [new SimConnection(wire, ...a), new SimConnection(wire, ...b)];
    first.#other = second;
    second.#other = first;
    return [first, second];
  }

  /** Gone, and all it sent has arrived. */
  get isForgotten(): boolean {
    return this.isGone && this.#way.length === 0;
  }

  get isGone(): boolean {
    return this.#state === 'closed' || this.#state === 'dead';
  }

  get remoteHost(): string {
    return this.#other!.host;
  }

  get bufferedBytes(): number {
    return Math.max(this.#unread - kernelBytes, 0);
  }

  start(handlers: ConnectionHandlers): void {
    assert(this.#handlers === undefined, 'a connection is started once');
    this.#handlers = handlers;
    if (this.#state === 'closed') this.#tellClosed();
    else this.#scheduleDelivery();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== 'open' || this.#hasEnded) return false;
    if (bytes.length > 0) {
      this.#unread += bytes.length;
      // Copied, so that writer and reader do not share memory.
      for (const part of this.#cut(new Uint8Array(bytes))) this.#dispatch(part);
    }
    this.#isSaturated = this.bufferedBytes >= highWaterMark;
    return !this.#isSaturated;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#scheduleDelivery();
  }

  end(): void {
    if (this.#state !== 'open' || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#dispatch('end');
  }

  destroy(): void {
    if (this.#state !== 'open') return;
    // The operating system says farewell in order when nothing is left unread, and resets else.
    if (!this.#hasEnded) this.#dispatch(this.#wire.prng.chance(0.5) ? 'end' : 'reset');
    this.#close(undefined);
  }

  /** The connection breaks: `why` is what this end is told. */
  fail(why: string): void {
    const error = themisError('CONNECTION_FAILED', {
      message: `${this.remoteAddress}: ${why}`,
      details: { address: this.remoteAddress },
    });
    this.#close(this.#hasEnded ? undefined : error);
  }

  /**
   * The process on this side died: nobody is told anything here. The operating system, if it lives,
   * sends what was written and resets the other end; with it dies what it had not sent yet.
   */
  die(how: 'silent' | 'reset'): void {
    this.#state = 'dead';
    this.#inbox = [];
    if (how === 'reset') return this.#dispatch('reset');
    if (this.#held === 0) return;
    this.#way = [];
    this.#held = 0;
    this.#holdEpoch++;
  }

  /** What was held up by a blocked path goes on its way, when that is free. */
  release(): void {
    if (this.#held === 0 || this.#wire.isBlocked(this.host, this.remoteHost)) return;
    this.#held = 0;
    this.#holdEpoch++;
    for (let i = this.#way.length; i > 0; i--) this.#travel();
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    const { prng } = this.#wire;
    if (bytes.length < 2 || !prng.chance(cutChance)) return [bytes];
    const at = prng.between(1, bytes.length - 1);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  }

  #dispatch(segment: Segment): void {
    this.#way.push(segment);
    this.#travel();
  }

  #travel(): void {
    const { scheduler } = this.#wire;
    const arrivalMs = scheduler.nowMs + this.#wire.delayMs(this.host, this.remoteHost);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    const epoch = this.#holdEpoch;
    scheduler.at(this.#lastArrivalMs - scheduler.nowMs, () => this.#arrive(epoch));
  }

  #arrive(epoch: number): void {
    // Held up meanwhile and sent again since: that journey brings it.
    if (epoch !== this.#holdEpoch) return;
    if (this.#held > 0 || this.#wire.isBlocked(this.host, this.remoteHost)) return this.#hold();
    const segment = this.#way.shift()!;
    const size = typeof segment === 'string' ? segment : segment.length;
    this.#wire.note(`${this.host}>${this.remoteHost} ${size}`);
    const other = this.#other!;
    if (other.isGone) return this.#refused(segment);
    if (segment === 'reset') return other.fail('reset by the other side');
    other.#inbox.push(segment);
    other.#scheduleDelivery();
  }

  #hold(): void {
    this.#held++;
    if (this.#held > 1) return;
    const epoch = this.#holdEpoch;
    this.#wire.scheduler.at(this.#wire.timeoutMs, () => {
      if (epoch === this.#holdEpoch && !this.isGone) this.fail('timed out');
    });
  }

  /** Something reached an end that is no more: a reset comes back. */
  #refused(segment: Segment): void {
    if (segment === 'reset' || this.isGone) return;
    const { scheduler } = this.#wire;
    scheduler.at(this.#wire.delayMs(this.remoteHost, this.host), () => {
      if (!this.isGone) this.fail('reset by the other side');
    });
  }

  #scheduleDelivery(): void {
    if (this.#isDelivering || this.#isPaused || this.#handlers === undefined) return;
    if (this.#inbox.length === 0) return;
    this.#isDelivering = true;
    this.#wire.scheduler.at(0, () => {
      this.#isDelivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.isGone || this.#isPaused) return;
    const segment = this.#inbox.shift();
    if (segment === undefined) return;
    if (segment === 'end') {
      // Not half open: what ended there ends here, after what was written so far.
      if (!this.#hasEnded) this.#dispatch('end');
      return this.#close(undefined);
    }
    this.#other!.#taken((segment as Uint8Array).length);
    this.#handlers!.data(segment as Uint8Array);
    this.#scheduleDelivery();
  }

  #taken(bytes: number): void {
    this.#unread -= bytes;
    if (!this.#isSaturated || this.bufferedBytes > 0) return;
    this.#isSaturated = false;
    this.#wire.scheduler.at(0, () => {
      if (this.#state === 'open' && !this.#isSaturated) this.#handlers?.drain?.();
    });
  }

  #close(error: ThemisError | undefined): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#inbox = [];
    this.#wire.note(`${this.host} closes ${this.remoteAddress} ${error?.message ?? ''}`);
    this.#closeError = error;
    this.#tellClosed();
  }

  /** Tells on a later turn; when nobody has started yet, whoever does is told then. */
  #tellClosed(): void {
    this.#wire.scheduler.at(0, () => {
      if (this.#state === 'dead') return;
      this.#state = 'closed';
      this.#handlers?.close(this.#closeError);
    });
  }
}
