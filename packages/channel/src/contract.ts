import type { ThemisError } from '@themisdb/base';

/**
 * A connection between two parts of the system that call each other: threads of one process, or nodes.
 * Both sides are equal: either may call what the other serves. Same thread, worker thread and network
 * keep this one contract, so that moving a part elsewhere changes one constructor.
 *
 * - **Operations** have a name and a kind (call, stream, duplex, message), fixed by the serving side when the
 *   channel opens. Calling what the other side does not serve is `NOT_IMPLEMENTED`, at once.
 * - **Order**: messages and requests whose body fits a frame arrive in the order they were made; larger
 *   ones may be overtaken, so that they do not hold up the rest. Answers come in any order. The
 *   chunks of one stream keep order and borders.
 * - **Ownership**: bytes given are handed over and not changed afterwards (small ones are copied, large
 *   ones are not). Bytes got belong to who gets them, but may be views of a larger buffer: copy small parts
 *   that are to live long. In one thread bytes are not copied at all.
 * - **Deadlines** travel as time left, so that clocks need not agree. When one passes, the caller gets
 *   `REQUEST_TIMEOUT` and the handler's signal aborts. That of a stream is for all of it.
 * - **Cancelling**: when the caller's signal aborts, the call rejects with the signal's reason and the
 *   handler's signal aborts with `REQUEST_CANCELLED`. So it does when a stream is left early.
 * - **Errors**: a ThemisError thrown by a handler arrives with code, message, details and retryability.
 *   Whatever else it throws is a defect: it arrives as `INTERNAL` without its message or stack, and stands in the log
 *   of the serving side. A connection that breaks rejects calls with `CONNECTION_FAILED`; `details.sent`
 *   false means the other side certainly never saw the request, true that nobody knows.
 *   `TOO_MANY_REQUESTS`: a limit of calls or of buffered bytes was reached, the request was not begun.
 *   `BODY_TOO_LARGE`: a body or chunk above `messageBytesMax`.
 * - No call re-enters its caller; handlers run on a later turn than the call that reaches them.
 */
export interface ShardChannel {
  /** Who the other side says it is; believed only as far as the carrier proves it. */
  readonly peer: PeerIdentity;
  readonly isOpen: boolean;
  call(operation: string, body: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /**
   * A request answered by chunks. It starts when it is first read and can be read once. The other side
   * runs ahead of the reader by no more than `windowBytes` and one chunk. Leaving the loop cancels.
   */
  stream(operation: string, body: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array>;
  /**
   * A request whose body is chunks too: resolves with the head of the answer, which may come before
   * `chunks` has been read to its end. Read or leave `answer.chunks`: until then the call stays open.
   * `chunks` is not touched when the call is refused, and left (`return`) as soon as it is over; when it throws, the call is cancelled and
   * rejects with what it threw.
   */
  duplex(
    operation: string,
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<DuplexAnswer>;
  /**
   * One way, without an answer. False when it was dropped: the channel is closed, the other side does not
   * serve it, the body is too large, or more than `messagesBytesMax` wait to be sent. True promises
   * nothing.
   */
  send(operation: string, body: Uint8Array): boolean;
  /** Calls under way reject with `CONNECTION_FAILED`, handlers' signals abort. Resolves when closed. */
  close(): Promise<void>;
  /**
   * Calls `listener` once when the channel is closed, soon when it is already: with no error after an
   * orderly `close` of either side, with `PROTOCOL_ERROR` or `CONNECTION_FAILED` else.
   */
  onClose(listener: (error: ThemisError | undefined) => void): void;
  stats(): ChannelStats;
}

export interface CallOptions {
  /** Time left for the call, from now on. Default: without end. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DuplexAnswer {
  readonly head: Uint8Array;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface PeerIdentity {
  /** Below 2^53. */
  readonly nodeId: number;
  readonly clusterId: string;
  /** What it connects as: `node`, `store`, … */
  readonly role: string;
}

/** What one side serves, by operation name. A name stands under one kind only. */
export interface ChannelHandlers {
  readonly call?: Readonly<Record<string, CallHandler>>;
  readonly stream?: Readonly<Record<string, StreamHandler>>;
  readonly duplex?: Readonly<Record<string, DuplexHandler>>;
  readonly message?: Readonly<Record<string, MessageHandler>>;
}

export type CallHandler = (
  body: Uint8Array,
  context: CallContext,
) => Uint8Array | Promise<Uint8Array>;

/** What it gives is read as fast as the other side takes it, and left when the call is cancelled. */
export type StreamHandler = (body: Uint8Array, context: CallContext) => AsyncIterable<Uint8Array>;

/** `chunks` can be read once; what it has not read is dropped when the answer has ended. */
export type DuplexHandler = (
  head: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
  context: CallContext,
) => Promise<DuplexAnswer>;

/** Synchronous. What it throws is logged as a defect. */
export type MessageHandler = (body: Uint8Array, peer: PeerIdentity) => void;

export interface CallContext {
  readonly peer: PeerIdentity;
  /**
   * Aborts when nobody waits for the answer any more: cancelled (`REQUEST_CANCELLED`), too late
   * (`REQUEST_TIMEOUT`), the other side is gone (`CONNECTION_FAILED`). A handler that goes on keeps its
   * place among the calls in flight.
   */
  readonly signal: AbortSignal;
  /** Time left until the caller's deadline, not below 0; undefined when it set none. */
  remainingMs(): number | undefined;
}

export interface ChannelStats {
  /** Calls made by this side that are not over. */
  readonly callsOut: number;
  /** Calls served by this side that are not over. */
  readonly callsIn: number;
  /** Bytes waiting to be sent. */
  readonly bufferedBytes: number;
}
