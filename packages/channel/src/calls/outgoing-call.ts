import { emptyBytes } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CallOptions, DuplexAnswer } from '../contract.ts';
import type { Expiring } from '../deadlines.ts';
import { decodeError } from '../wire/error-body.ts';
import { FrameFault } from '../wire/faults.ts';
import { frameFlags, frameTypes } from '../wire/frame.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { CallHost } from './host.ts';
import { pump } from './pump.ts';
import { SendWindow } from './send-window.ts';

/**
 * A call made by this side. It is settled for its caller by the answer, a deadline, a cancellation or the
 * end of the channel; it is over, and its id free, only when the other side's last frame for it has come.
 */
export abstract class OutgoingCall implements Expiring {
  readonly id: number;
  readonly operation: string;
  protected readonly host: CallHost;
  #isSettled = false;
  #step: number | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(host: CallHost, id: number, operation: string) {
    this.host = host;
    this.id = id;
    this.operation = operation;
  }

  /** Sets deadline and signal; the caller has seen to it that neither has passed. */
  watch({ deadlineMs, signal }: CallOptions): void {
    if (deadlineMs !== undefined) this.#step = this.host.deadlines.add(deadlineMs, this);
    if (signal === undefined) return;
    this.#signal = signal;
    this.#onAbort = (): void => this.giveUp(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  onAnswer(flags: number, body: Uint8Array): void {
    const isEnd = (flags & frameFlags.end) !== 0;
    if (!this.#isSettled) this.answer(isEnd, body);
    if (isEnd) this.#finish();
  }

  onChunk(flags: number, body: Uint8Array): void {
    const isEnd = (flags & frameFlags.end) !== 0;
    if (!this.#isSettled) this.chunk(isEnd, body);
    if (isEnd) this.#finish();
  }

  onError(body: Uint8Array): void {
    const error = decodeError(body);
    if (!this.#isSettled) this.fail(error);
    this.#finish();
  }

  onCredit(_bytes: number): void {}

  expire(): void {
    const message = `${this.operation}: no answer within the deadline`;
    this.giveUp(themisError('REQUEST_TIMEOUT', { message, details: { sent: true } }));
  }

  /** The caller does not want the answer any more. */
  giveUp(reason: unknown): void {
    if (this.#isSettled) return;
    this.settle();
    this.host.send(frameTypes.cancel, 0, this.id, 0, 0, emptyBytes);
    this.fail(reason);
  }

  /** The channel is gone. */
  onClosed(error: unknown): void {
    if (this.#isSettled) return;
    this.settle();
    this.fail(error);
  }

  protected abstract answer(isEnd: boolean, body: Uint8Array): void;
  protected abstract chunk(isEnd: boolean, body: Uint8Array): void;
  protected abstract fail(error: unknown): void;

  protected settle(): void {
    this.#isSettled = true;
    if (this.#step !== undefined) this.host.deadlines.remove(this.#step, this);
    if (this.#onAbort !== undefined) this.#signal!.removeEventListener('abort', this.#onAbort);
    this.#step = this.#onAbort = undefined;
  }

  #finish(): void {
    if (!this.#isSettled) this.settle();
    this.host.over(this.id);
  }
}

function outOfPlace(what: string, operation: string): FrameFault {
  return new FrameFault('out-of-place', `${what} of ${operation} does not fit its kind`);
}

export class UnaryCall extends OutgoingCall {
  readonly #resolve: (body: Uint8Array) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    host: CallHost,
    id: number,
    operation: string,
    resolve: (body: Uint8Array) => void,
    reject: (error: unknown) => void,
  ) {
    super(host, id, operation);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override answer(isEnd: boolean, body: Uint8Array): void {
    if (!isEnd) throw outOfPlace('an answer without an end', this.operation);
    this.#resolve(body);
  }

  protected override chunk(): void {
    throw outOfPlace('a chunk', this.operation);
  }

  protected override fail(error: unknown): void {
    this.#reject(error);
  }
}

/** The chunks of an answer, of a stream or a duplex call. */
abstract class ChunkedCall extends OutgoingCall {
  readonly chunks: ChunkQueue;

  constructor(host: CallHost, id: number, operation: string) {
    super(host, id, operation);
    this.chunks = new ChunkQueue(host.limits.windowBytes, {
      credit: (bytes) => {
        if (!this.isSettled) host.send(frameTypes.answerCredit, 0, id, 0, bytes, emptyBytes);
      },
      left: () => this.giveUp(undefined),
    });
  }

  protected override chunk(isEnd: boolean, body: Uint8Array): void {
    if (!isEnd) return this.chunks.push(body);
    if (body.length > 0) throw outOfPlace('an end with bytes', this.operation);
    this.chunks.end();
  }

  protected override fail(error: unknown): void {
    this.chunks.fail(error);
  }
}

export class StreamCall extends ChunkedCall {
  protected override answer(): void {
    throw outOfPlace('an answer without chunks', this.operation);
  }
}

export class DuplexCall extends ChunkedCall {
  readonly #window: SendWindow;
  readonly #resolve: (answer: DuplexAnswer) => void;
  readonly #reject: (error: unknown) => void;
  #hasHead = false;

  constructor(
    host: CallHost,
    id: number,
    operation: string,
    resolve: (answer: DuplexAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super(host, id, operation);
    this.#window = new SendWindow(host.peerWindowBytes);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Sends the chunks of the request; never rejects. */
  async sendChunks(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { host, id } = this;
    try {
      await pump(chunks, this.#window, (chunk) => {
        host.checkSize(this.operation, chunk);
        host.send(frameTypes.requestChunk, 0, id, 0, 0, chunk);
      });
      if (this.#window.isClosed) return;
      host.send(frameTypes.requestChunk, frameFlags.end, id, 0, 0, emptyBytes);
    } catch (error) {
      this.giveUp(error);
    }
  }

  override onCredit(bytes: number): void {
    this.#window.grant(bytes);
  }

  protected override answer(isEnd: boolean, body: Uint8Array): void {
    if (isEnd || this.#hasHead) throw outOfPlace('an answer', this.operation);
    this.#hasHead = true;
    this.#resolve({ head: body, chunks: this.chunks });
  }

  protected override chunk(isEnd: boolean, body: Uint8Array): void {
    if (!this.#hasHead) throw outOfPlace('a chunk before the head', this.operation);
    super.chunk(isEnd, body);
  }

  protected override fail(error: unknown): void {
    super.fail(error);
    if (!this.#hasHead) this.#reject(error);
  }

  protected override settle(): void {
    super.settle();
    this.#window.close(undefined);
  }
}
