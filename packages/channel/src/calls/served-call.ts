import { emptyBytes, isThemisError, type ThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CallContext, DuplexHandler, PeerIdentity, StreamHandler } from '../contract.ts';
import type { CallHandler } from '../contract.ts';
import type { Expiring } from '../deadlines.ts';
import type { ServedOperation } from '../operations.ts';
import { encodeError, tellable } from '../wire/error-body.ts';
import { FrameFault } from '../wire/faults.ts';
import { frameFlags, frameTypes } from '../wire/frame.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { CallHost } from './host.ts';
import { pump } from './pump.ts';
import { SendWindow } from './send-window.ts';

/**
 * A call served by this side. It is over when its handler has settled and the last frame has gone, also
 * when nobody waits for that any more: a handler that does not heed its signal keeps its place.
 */
export class ServedCall implements CallContext, Expiring {
  readonly requestBytes: number;
  readonly #host: CallHost;
  readonly #id: number;
  readonly #operation: ServedOperation;
  /** On this side's clock; 0 for none. */
  readonly #deadlineAtMs: number;
  #controller: AbortController | undefined;
  #step: number | undefined;
  #abortReason: ThemisError | undefined;
  #window: SendWindow | undefined;
  #queue: ChunkQueue | undefined;
  #isOver = false;

  constructor(
    host: CallHost,
    id: number,
    operation: ServedOperation,
    deadlineMs: number,
    requestBytes: number,
  ) {
    this.requestBytes = requestBytes;
    this.#host = host;
    this.#id = id;
    this.#operation = operation;
    this.#deadlineAtMs = deadlineMs === 0 ? 0 : host.nowMs() + deadlineMs;
  }

  get peer(): PeerIdentity {
    return this.#host.peer;
  }

  /** Made when it is first asked for: most handlers never look. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
      else if (this.#deadlineAtMs !== 0 && !this.#isOver) {
        this.#step = this.#host.deadlines.add(this.remainingMs()!, this);
      }
    }
    return this.#controller.signal;
  }

  remainingMs(): number | undefined {
    if (this.#deadlineAtMs === 0) return undefined;
    return Math.max(this.#deadlineAtMs - this.#host.nowMs(), 0);
  }

  run(flags: number, body: Uint8Array): void {
    const { kind, handle } = this.#operation;
    const isWhole = (flags & frameFlags.end) !== 0;
    if (isWhole === (kind === 'duplex')) {
      throw new FrameFault('out-of-place', 'a request that does not fit its operation');
    }
    if (kind === 'call') this.#runCall(handle, body);
    else if (kind === 'stream') void this.#runStream(handle, body);
    else if (kind === 'duplex') void this.#runDuplex(handle, body);
  }

  onChunk(flags: number, body: Uint8Array): void {
    const isEnd = (flags & frameFlags.end) !== 0;
    if (this.#queue === undefined || (isEnd && body.length > 0)) {
      throw new FrameFault('out-of-place', 'a chunk of a request that has none');
    }
    if (isEnd) this.#queue.end();
    else this.#queue.push(body);
  }

  onCredit(bytes: number): void {
    this.#window?.grant(bytes);
  }

  expire(): void {
    this.abort(
      themisError('REQUEST_TIMEOUT', { message: 'the deadline of the caller has passed' }),
    );
  }

  /** Nobody waits for the answer. */
  abort(reason: ThemisError): void {
    if (this.#abortReason !== undefined || this.#isOver) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    this.#window?.close(reason);
    this.#queue?.fail(reason);
  }

  #runCall(handle: CallHandler, body: Uint8Array): void {
    try {
      const answer = handle(body, this);
      if (answer instanceof Uint8Array) return this.#answer(answer);
      answer.then(this.#answer, this.#fail);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #answer = (body: Uint8Array): void => {
    try {
      this.#host.checkSize(this.#operation.name, body);
    } catch (error) {
      return this.#fail(error);
    }
    this.#finish(frameTypes.answer, frameFlags.end, body);
  };

  async #runStream(handle: StreamHandler, body: Uint8Array): Promise<void> {
    try {
      await this.#sendChunks(handle(body, this));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #runDuplex(handle: DuplexHandler, head: Uint8Array): Promise<void> {
    const { limits, send } = this.#host;
    this.#queue = new ChunkQueue(limits.windowBytes, {
      credit: (bytes) => {
        if (!this.#isOver) send(frameTypes.requestCredit, 0, this.#id, 0, bytes, emptyBytes);
      },
      left() {},
    });
    try {
      const answer = await handle(head, this.#queue, this);
      this.#host.checkSize(this.#operation.name, answer.head);
      if (this.#abortReason === undefined) send(frameTypes.answer, 0, this.#id, 0, 0, answer.head);
      await this.#sendChunks(answer.chunks);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #sendChunks(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.#window = new SendWindow(this.#host.peerWindowBytes);
    if (this.#abortReason !== undefined) this.#window.close(this.#abortReason);
    await pump(chunks, this.#window, (chunk) => {
      this.#host.checkSize(this.#operation.name, chunk);
      this.#host.send(frameTypes.answerChunk, 0, this.#id, 0, 0, chunk);
    });
    if (this.#abortReason !== undefined) return this.#fail(this.#abortReason);
    this.#finish(frameTypes.answerChunk, frameFlags.end, emptyBytes);
  }

  readonly #fail = (error: unknown): void => {
    const isOwn = this.#abortReason !== undefined && error === this.#abortReason;
    if (!isThemisError(error) && !isOwn) this.#host.defect(this.#operation.name, error);
    this.#finish(frameTypes.error, frameFlags.end, encodeError(tellable(error)));
  };

  #finish(type: number, flags: number, body: Uint8Array): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#step !== undefined) this.#host.deadlines.remove(this.#step, this);
    const message = 'the call is over';
    if (this.#queue?.isOver === false) {
      this.#queue.fail(themisError('REQUEST_CANCELLED', { message }));
    }
    this.#host.send(type, flags, this.#id, 0, 0, body);
    this.#host.over(this.#id);
  }
}
