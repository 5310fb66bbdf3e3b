import type { ThemisError } from './error.ts';

/**
 * Byte streams between processes: TCP, TLS over it, or a simulated network. It stands beside `Env` and
 * is handed to what needs it.
 *
 * - **Addresses** are texts `host:port`, an IPv6 host in brackets. Port 0 in `listen` asks for a free
 *   one, which `NetworkListener.address` names.
 * - **Errors** are `CONNECTION_FAILED` (unavailable, retryable): refused, unreachable, timed out, reset,
 *   address in use. An aborted `connect` rejects with the signal's reason.
 * - No call re-enters its caller: handlers run on a later turn.
 */
export interface Network {
  /** `onConnection` must call `start` on what it gets, or destroy it. */
  listen(
    address: string,
    onConnection: (connection: NetworkConnection) => void,
  ): Promise<NetworkListener>;
  connect(address: string, options?: ConnectOptions): Promise<NetworkConnection>;
}

export interface ConnectOptions {
  /** Rejects with `CONNECTION_FAILED` when the connection does not stand by then. Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface NetworkListener {
  /** The address listened on, with the port it really is. */
  readonly address: string;
  /** Takes no further connections; those made live on. */
  close(): Promise<void>;
}

/**
 * An ordered, reliable stream of bytes both ways.
 *
 * - **Start**: nothing is delivered, and no end noticed, before `start`, which is called once.
 * - **Order**: bytes arrive in the order of `write` calls, cut anyhow, none twice and none missing
 *   before a later one. Bytes that were accepted may be lost when the connection breaks.
 * - **Back-pressure**: `write` always accepts. It answers false once so much is buffered that the writer
 *   should wait; `drain` is called once the buffer has emptied. Who goes on writing only fills memory:
 *   `bufferedBytes` says how much. `pause` stops the delivery of bytes and in the end the writer on the
 *   other side; `close` may still be called while paused, of which bytes not yet delivered are lost.
 * - **Ownership**: bytes written are handed over and not changed afterwards. Bytes delivered belong to
 *   the receiver; they may be a view of a larger buffer.
 * - **End**: `close` is called once, last, on every connection that was started: without an error after
 *   `end` or `destroy` of this side or an orderly `end` of the other, else with `CONNECTION_FAILED`.
 *   Afterwards writes are dropped and answer false. Neither side stays half open: when one has ended,
 *   what the other still writes may be lost.
 */
export interface NetworkConnection {
  /** The other end as a person reads it, for logs. */
  readonly remoteAddress: string;
  /** Bytes written that this process still holds. */
  readonly bufferedBytes: number;
  start(handlers: ConnectionHandlers): void;
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Closes once everything written has been sent. */
  end(): void;
  /** Closes at once; what is still buffered is lost. */
  destroy(): void;
}

export interface ConnectionHandlers {
  data(bytes: Uint8Array): void;
  drain?(): void;
  close(error?: ThemisError): void;
}
