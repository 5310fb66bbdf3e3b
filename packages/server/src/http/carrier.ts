import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isAsking, readBody, streamBody, type BodyOptions } from './body.ts';

/**
 * A request, and the way its answer takes, whatever brought it: a client's connection, or another node
 * that forwarded it.
 */
export interface Carrier {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The node that forwarded it, when one did. */
  readonly forwardedBy: number | undefined;
  /** Nobody is there any more to take the answer. */
  readonly isGone: boolean;
  /** The head of the answer is out. */
  readonly hasBegun: boolean;
  /** The whole answer is out. */
  readonly isSent: boolean;
  /** Called once when `isGone` or, over HTTP, when the answer is out. */
  onClose(listener: () => void): void;
  offClose(listener: () => void): void;
  /** The body as one piece, at most once. See `readBody`. */
  receive(options: Omit<BodyOptions, 'begin'>): Promise<Uint8Array>;
  /** The body as it comes, at most once. */
  stream(): AsyncIterableIterator<Uint8Array>;
  /** Whether so much of the body is unread that the connection had better end than be read empty. */
  isMuchLeft(bytesMax: number): boolean;
  /** The whole answer; `head` is names and values in turn. */
  send(status: number, head: string[], body: string | Uint8Array | undefined): void;
  /** The head of an answer that comes in pieces. */
  begin(status: number, head: string[]): void;
  /** Resolves, or is undefined at once, when the next piece may be given. */
  write(piece: string | Uint8Array, patience: Patience): Promise<void> | undefined;
  finish(): void;
  /** Breaks the answer off, so that it cannot be taken for whole. */
  abort(): void;
  /**
   * The server waits no longer: reading the body rejects with `error`, an answer under way is broken off.
   * Over HTTP the closed socket does that.
   */
  cutShort?(error: Error): void;
}

/** Who takes nothing for `stallMs` is dropped. */
export interface Patience {
  readonly stallMs: number;
  readonly after: (delayMs: number, run: () => void) => { cancel(): void };
}

/** Over a client's connection. */
export class HttpCarrier implements Carrier {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socket: Socket | undefined;
  readonly #closers = new Set<() => void>();
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.#socket = request.socket;
    this.method = request.method!;
    this.url = request.url!;
    this.headers = request.headers;
  }

  get forwardedBy(): undefined {
    return undefined;
  }

  get isGone(): boolean {
    // Null once the body was left in the middle: the answer can be sent all the same.
    const socket = this.#request.socket as { readonly destroyed: boolean } | null;
    return this.#response.destroyed || socket?.destroyed === true;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  get isSent(): boolean {
    return this.#response.writableFinished;
  }

  onClose(listener: () => void): void {
    if (this.#closers.size === 0) this.#watch();
    this.#closers.add(listener);
  }

  offClose(listener: () => void): void {
    this.#closers.delete(listener);
    if (this.#closers.size === 0) this.#unwatch();
  }

  /** An answer that waits behind others on its connection does not hear when that is closed. */
  #watch(): void {
    this.#response.once('close', this.#closed);
    if (this.#socket !== undefined) socketEnds.add(this.#socket, this.#closed);
  }

  #unwatch(): void {
    this.#response.off('close', this.#closed);
    if (this.#socket !== undefined) socketEnds.delete(this.#socket, this.#closed);
  }

  readonly #closed = (): void => {
    this.#unwatch();
    const closers = [...this.#closers];
    this.#closers.clear();
    for (const closer of closers) closer();
  };

  receive(options: Omit<BodyOptions, 'begin'>): Promise<Uint8Array> {
    return readBody(this.#request, { ...options, begin: () => this.#letSend() });
  }

  stream(): AsyncIterableIterator<Uint8Array> {
    this.#letSend();
    return streamBody(this.#request);
  }

  /** node reads and drops what is left of a body before the next request; not without an end in sight. */
  isMuchLeft(bytesMax: number): boolean {
    if (this.#request.complete) return false;
    const { 'content-length': length, 'transfer-encoding': encoding } = this.headers;
    return encoding !== undefined || Number(length ?? 0) > bytesMax;
  }

  send(status: number, head: string[], body: string | Uint8Array | undefined): void {
    this.#response.writeHead(status, head);
    this.#response.end(body);
  }

  begin(status: number, head: string[]): void {
    this.#response.writeHead(status, head);
  }

  write(piece: string | Uint8Array, patience: Patience): Promise<void> | undefined {
    return this.#response.write(piece) ? undefined : this.#drained(patience);
  }

  finish(): void {
    this.#response.end();
  }

  abort(): void {
    this.#response.destroy();
  }

  #letSend(): void {
    if (isAsking(this.#request)) this.#response.writeContinue();
  }

  #drained({ stallMs, after }: Patience): Promise<void> {
    const response = this.#response;
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        response.off('drain', done);
        this.offClose(done);
        resolve();
      };
      const timer = after(stallMs, () => {
        response.destroy();
        done();
      });
      response.on('drain', done);
      this.onClose(done);
    });
  }
}

/** One listener at a socket, however many requests are under way on it. */
class SocketEnds {
  readonly #listeners = new WeakMap<Socket, Set<() => void>>();

  add(socket: Socket, listener: () => void): void {
    let set = this.#listeners.get(socket);
    if (set === undefined) {
      const added = new Set<() => void>();
      socket.once('close', () => {
        for (const run of added) run();
      });
      this.#listeners.set(socket, added);
      set = added;
    }
    set.add(listener);
  }

  delete(socket: Socket, listener: () => void): void {
    this.#listeners.get(socket)?.delete(listener);
  }
}

const socketEnds = new SocketEnds();
