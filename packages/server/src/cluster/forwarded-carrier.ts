import type { IncomingHttpHeaders } from 'node:http';
import type { CallContext, DuplexAnswer } from '@themisdb/channel';
import { themisError } from '@themisdb/protocol';
import { tooLarge } from '../http/body.ts';
import type { Carrier, Patience } from '../http/carrier.ts';
import { decodeHead, encodeHead, noBytes, splitBody, type RequestHead } from './forward-codec.ts';
import { Handover } from './handover.ts';

/** A request that came over a channel: from another node, or from the thread that has the sockets. */
export class ForwardedCarrier implements Carrier {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly forwardedBy: number | undefined;
  /** What goes back to the other node. */
  readonly answer: Promise<DuplexAnswer>;
  readonly #inline: Uint8Array;
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #closers = new Set<() => void>();
  #resolve!: (answer: DuplexAnswer) => void;
  #reject!: (reason: Error) => void;
  #pieces: Handover | undefined;
  #hasBegun = false;
  #isSent = false;
  #failRead: ((error: Error) => void) | undefined;
  #cut: Error | undefined;

  constructor(head: Uint8Array, chunks: AsyncIterable<Uint8Array>, context: CallContext) {
    const { head: request, body } = decodeHead<RequestHead>(head);
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    const { nodeId, role } = context.peer;
    this.forwardedBy = role === 'node' ? nodeId : undefined;
    this.#inline = body;
    this.#chunks = chunks;
    this.#signal = context.signal;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    context.signal.addEventListener('abort', () => this.#closed(), { once: true });
  }

  get isGone(): boolean {
    return this.#signal.aborted || this.#pieces?.isLeft === true;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  onClose(listener: () => void): void {
    this.#closers.add(listener);
  }

  offClose(listener: () => void): void {
    this.#closers.delete(listener);
  }

  async receive({ bytesMax }: { readonly bytesMax: number }): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of this.stream()) {
      parts.push(part);
      bytes += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes);
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    if (this.#inline.length > 0) yield this.#inline;
    const chunks = this.#chunks[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#unlessCut(() => chunks.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      // One that is being waited for may not come: then neither does the end of this.
      chunks.return?.(undefined).catch(() => undefined);
    }
  }

  #unlessCut<Result>(read: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#cut !== undefined) return reject(this.#cut);
      this.#failRead = reject;
      read().then(resolve, reject);
    });
  }

  /** What is not read is dropped by the channel. */
  isMuchLeft(): boolean {
    return false;
  }

  send(status: number, head: string[], body: string | Uint8Array | undefined): void {
    const bytes = body === undefined ? noBytes : typeof body === 'string' ? utf8(body) : body;
    const { inline, chunks } = splitBody(bytes);
    this.#hasBegun = this.#isSent = true;
    this.#resolve({ head: encodeHead({ status, head }, inline), chunks });
  }

  begin(status: number, head: string[]): void {
    this.#hasBegun = true;
    this.#pieces = new Handover(() => this.#closed());
    this.#resolve({
      head: encodeHead({ status, head, isStream: true }, noBytes),
      chunks: this.#pieces,
    });
  }

  write(piece: string | Uint8Array, { stallMs, after }: Patience): Promise<void> {
    const timer = after(stallMs, () => this.abort());
    const given = this.#pieces!.give(typeof piece === 'string' ? utf8(piece) : piece);
    return given.finally(() => timer.cancel());
  }

  finish(): void {
    this.#isSent = true;
    this.#pieces!.end();
  }

  abort(): void {
    const error = themisError('CONNECTION_FAILED', {
      message: 'the answer was broken off',
      details: { sent: true },
    });
    if (this.#pieces === undefined) return this.#reject(error);
    this.#pieces.end(error);
    this.#closed();
  }

  cutShort(error: Error): void {
    this.#cut = error;
    this.#failRead?.(error);
    if (this.#pieces !== undefined && !this.#isSent) this.abort();
  }

  /** Called when the request is over: who was gone before the answer began waits for none. */
  release(): void {
    if (this.#hasBegun) return;
    this.#reject(themisError('REQUEST_CANCELLED', { message: 'nobody waited for the answer' }));
  }

  #closed(): void {
    this.#pieces?.leave();
    for (const listener of this.#closers) listener();
    this.#closers.clear();
  }
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}
