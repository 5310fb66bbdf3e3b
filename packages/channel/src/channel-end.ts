import { assert, type Env, type ThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { CallIds } from './calls/call-ids.ts';
import type { CallHost } from './calls/host.ts';
import { DuplexCall, StreamCall, UnaryCall, type OutgoingCall } from './calls/outgoing-call.ts';
import { ServedCall } from './calls/served-call.ts';
import type { FrameLink, FrameSink } from './carriers/link.ts';
import type {
  CallOptions,
  ChannelStats,
  DuplexAnswer,
  PeerIdentity,
  ShardChannel,
} from './contract.ts';
import { Deadlines } from './deadlines.ts';
import type { ChannelLimits } from './limits.ts';
import { OperationTable, type OperationKind, type ServedOperation } from './operations.ts';
import { encodeError } from './wire/error-body.ts';
import { FrameFault } from './wire/faults.ts';
import { frameFlags, frameTypes } from './wire/frame.ts';
import type { Hello } from './wire/hello.ts';

export type ChannelEnv = Pick<Env, 'clock' | 'timers' | 'log'>;

export interface ChannelEndOptions {
  readonly env: ChannelEnv;
  readonly limits: ChannelLimits;
  readonly served: readonly ServedOperation[];
  readonly onDefect: (error: unknown) => void;
}

// A deadline travels in 32 bits; 0 stands for none.
const deadlineMaxMs = 0xffff_ffff;

/** One end of a channel: the calls of both directions, over whatever carries their frames. */
export class ChannelEnd implements ShardChannel, FrameSink {
  readonly peer: PeerIdentity;
  readonly #options: ChannelEndOptions;
  readonly #link: FrameLink;
  readonly #host: CallHost;
  readonly #servedHost: CallHost;
  readonly #deadlines: Deadlines;
  readonly #table: OperationTable;
  readonly #callsMax: number;
  readonly #messageBytesMax: number;
  readonly #calls = new Map<number, OutgoingCall>();
  readonly #ids = new CallIds();
  readonly #served = new Map<number, ServedCall>();
  /** Bytes of requests that are being served. */
  #servedBytes = 0;
  #isOpen = true;
  #close: { readonly error: ThemisError | undefined } | undefined;
  #listeners: ((error: ThemisError | undefined) => void)[] = [];

  constructor(link: FrameLink, hello: Hello, options: ChannelEndOptions) {
    const { env, limits } = options;
    this.peer = hello.identity;
    this.#options = options;
    this.#link = link;
    this.#deadlines = new Deadlines(env);
    this.#table = new OperationTable(hello.operations);
    this.#callsMax = Math.min(limits.callsMax, hello.callsMax);
    this.#messageBytesMax = Math.min(limits.messageBytesMax, hello.messageBytesMax);
    const base = {
      peer: this.peer,
      limits,
      peerWindowBytes: hello.windowBytes,
      deadlines: this.#deadlines,
      nowMs: () => env.clock.monotonicMs(),
      send: link.send.bind(link),
      checkSize: (operation: string, body: Uint8Array) => this.#checkSize(operation, body),
      defect: (operation: string, error: unknown) => this.#defect(operation, error),
    };
    this.#host = { ...base, over: (id) => void this.#calls.delete(id) };
    this.#servedHost = { ...base, over: (id) => this.#servedIsOver(id) };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  call(operation: string, body: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const number = this.#admit('call', operation, body, options);
      const call = new UnaryCall(this.#host, this.#newId(), operation, resolve, reject);
      this.#begin(call, number, frameFlags.end, body, options);
    });
  }

  stream(
    operation: string,
    body: Uint8Array,
    options: CallOptions = {},
  ): AsyncIterable<Uint8Array> {
    let isTaken = false;
    const begin = (): AsyncIterator<Uint8Array, undefined> => {
      const number = this.#admit('stream', operation, body, options);
      const call = new StreamCall(this.#host, this.#newId(), operation);
      this.#begin(call, number, frameFlags.end, body, options);
      return call.chunks[Symbol.asyncIterator]();
    };
    return {
      [Symbol.asyncIterator]() {
        assert(!isTaken, 'a stream can be read once');
        isTaken = true;
        return new LazyIterator(begin);
      },
    };
  }

  duplex(
    operation: string,
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<DuplexAnswer> {
    return new Promise((resolve, reject) => {
      const number = this.#admit('duplex', operation, head, options);
      const call = new DuplexCall(this.#host, this.#newId(), operation, resolve, reject);
      this.#begin(call, number, 0, head, options);
      void call.sendChunks(chunks);
    });
  }

  send(operation: string, body: Uint8Array): boolean {
    if (!this.#isOpen || body.length > this.#messageBytesMax) return false;
    const number = this.#table.find('message', operation);
    if (number === undefined) return false;
    if (this.#link.bufferedBytes > this.#options.limits.messagesBytesMax) return false;
    this.#link.send(frameTypes.message, 0, 0, number, 0, body);
    return true;
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.onClose(() => resolve()));
    if (this.#isOpen) {
      this.#link.close('closing', '');
      this.#shut('closed by this side');
    }
    return closed;
  }

  onClose(listener: (error: ThemisError | undefined) => void): void {
    if (this.#close === undefined) return void this.#listeners.push(listener);
    const { error } = this.#close;
    queueMicrotask(() => listener(error));
  }

  stats(): ChannelStats {
    return {
      callsOut: this.#calls.size,
      callsIn: this.#served.size,
      bufferedBytes: this.#link.bufferedBytes,
    };
  }

  frame(
    type: number,
    flags: number,
    callId: number,
    operation: number,
    value: number,
    body: Uint8Array,
  ): void {
    if (!this.#isOpen) return;
    switch (type) {
      case frameTypes.answer:
        return this.#mustFind(callId).onAnswer(flags, body);
      case frameTypes.request:
        return this.#request(flags, callId, operation, value, body);
      case frameTypes.message:
        return this.#message(operation, body);
      case frameTypes.answerChunk:
        return this.#mustFind(callId).onChunk(flags, body);
      case frameTypes.requestChunk:
        return this.#served.get(callId)?.onChunk(flags, body);
      case frameTypes.answerCredit:
        return this.#served.get(callId)?.onCredit(value);
      case frameTypes.requestCredit:
        return this.#mustFind(callId).onCredit(value);
      case frameTypes.error:
        return this.#mustFind(callId).onError(body);
      case frameTypes.cancel:
        return this.#cancel(callId);
      default:
        throw new FrameFault('bad-frame', `unknown frame type ${type}`);
    }
  }

  closed(error: ThemisError | undefined): void {
    this.#shut(error?.message ?? 'closed by the other side');
    this.#close = { error };
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(error);
  }

  /** The number of the operation there; throws what the caller is to get when the call cannot begin. */
  #admit(kind: OperationKind, operation: string, body: Uint8Array, options: CallOptions): number {
    const { signal, deadlineMs } = options;
    if (signal?.aborted) throw signal.reason;
    if (!this.#isOpen) throw this.#lost('the channel is closed', false);
    if (deadlineMs !== undefined && deadlineMs <= 0) {
      throw themisError('REQUEST_TIMEOUT', {
        message: `${operation}: no time left to begin`,
        details: { sent: false },
      });
    }
    const number = this.#table.find(kind, operation);
    if (number === undefined) {
      const message = `the other side does not serve the ${kind} ${operation}`;
      throw themisError('NOT_IMPLEMENTED', { message });
    }
    this.#checkSize(operation, body);
    if (this.#calls.size >= this.#callsMax) throw tooMany(`${this.#callsMax} calls are under way`);
    if (this.#isOverloaded()) throw tooMany('too much waits to be sent');
    return number;
  }

  #begin(
    call: OutgoingCall,
    operation: number,
    flags: number,
    body: Uint8Array,
    options: CallOptions,
  ): void {
    const deadlineMs = Math.min(Math.ceil(options.deadlineMs ?? 0), deadlineMaxMs);
    this.#calls.set(call.id, call);
    this.#link.send(frameTypes.request, flags, call.id, operation, deadlineMs, body);
    call.watch(options);
  }

  #newId(): number {
    return this.#ids.next(this.#calls);
  }

  #mustFind(callId: number): OutgoingCall {
    const call = this.#calls.get(callId);
    if (call === undefined) throw new FrameFault('out-of-place', `an answer to no call ${callId}`);
    return call;
  }

  #request(
    flags: number,
    callId: number,
    operationNumber: number,
    deadlineMs: number,
    body: Uint8Array,
  ): void {
    const operation = this.#options.served[operationNumber];
    if (operation === undefined || operation.kind === 'message' || callId === 0) {
      throw new FrameFault('out-of-place', `a request of operation ${operationNumber}`);
    }
    if (this.#served.has(callId)) throw new FrameFault('out-of-place', `call ${callId} twice`);
    const { callsMax, bufferedBytesMax } = this.#options.limits;
    const isFull = this.#served.size >= callsMax || this.#servedBytes > bufferedBytesMax;
    if (isFull || this.#isOverloaded()) return this.#refuse(callId);
    const call = new ServedCall(this.#servedHost, callId, operation, deadlineMs, body.length);
    this.#served.set(callId, call);
    this.#servedBytes += body.length;
    call.run(flags, body);
  }

  #refuse(callId: number): void {
    const error = encodeError(tooMany('the other side has too much under way'));
    this.#link.send(frameTypes.error, frameFlags.end, callId, 0, 0, error);
    this.#dropSlowPeer();
  }

  #message(operationNumber: number, body: Uint8Array): void {
    const operation = this.#options.served[operationNumber];
    if (operation?.kind !== 'message') {
      throw new FrameFault('out-of-place', `a message of operation ${operationNumber}`);
    }
    try {
      operation.handle(body, this.peer);
    } catch (error) {
      this.#defect(operation.name, error);
    }
  }

  #cancel(callId: number): void {
    // Of a call that is over, its answer is on its way.
    const call = this.#served.get(callId);
    call?.abort(themisError('REQUEST_CANCELLED', { message: 'cancelled by the caller' }));
  }

  #servedIsOver(callId: number): void {
    this.#servedBytes -= this.#served.get(callId)?.requestBytes ?? 0;
    this.#served.delete(callId);
    this.#dropSlowPeer();
  }

  #isOverloaded(): boolean {
    return this.#link.bufferedBytes > this.#options.limits.bufferedBytesMax;
  }

  #dropSlowPeer(): void {
    const { bufferedBytesMax, messageBytesMax } = this.#options.limits;
    if (this.#link.bufferedBytes <= 2 * bufferedBytesMax + messageBytesMax) return;
    this.#link.close('slow-peer', 'answers are not read');
  }

  #checkSize(operation: string, body: Uint8Array): void {
    const limit = this.#messageBytesMax;
    if (body.length <= limit) return;
    const message = `${operation}: a body of ${body.length} bytes; ${limit} are allowed`;
    throw themisError('BODY_TOO_LARGE', { message });
  }

  #defect(operation: string, error: unknown): void {
    this.#options.env.log.write('error', 'a channel handler failed', { operation, error });
    this.#options.onDefect(error);
  }

  #lost(why: string, sent: boolean): ThemisError {
    const { nodeId } = this.peer;
    const message = `node ${nodeId}: ${why}`;
    return themisError('CONNECTION_FAILED', { message, details: { nodeId, sent } });
  }

  #shut(why: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#deadlines.clear();
    for (const call of this.#calls.values()) call.onClosed(this.#lost(why, true));
    for (const call of this.#served.values()) call.abort(this.#lost(why, true));
    this.#calls.clear();
    this.#served.clear();
  }
}

function tooMany(message: string): ThemisError {
  return themisError('TOO_MANY_REQUESTS', { message });
}

/** Begins when it is first read. */
class LazyIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #begin: () => AsyncIterator<Uint8Array, undefined>;
  #inner: AsyncIterator<Uint8Array, undefined> | undefined;

  constructor(begin: () => AsyncIterator<Uint8Array, undefined>) {
    this.#begin = begin;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#inner ??= this.#begin();
    return this.#inner.next();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#inner?.return?.();
    return { done: true, value: undefined };
  }
}
