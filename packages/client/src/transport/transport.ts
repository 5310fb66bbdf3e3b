/**
 * One HTTP exchange. `send` rejects with CONNECTION_FAILED when no answer came (details.sent tells
 * whether the request may have reached the server) and with the signal's reason when it aborts;
 * every answer, also an error, resolves. The body must be read to its end or `discard`ed; reading it
 * rejects in the same two ways, with `details.sent` true.
 */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

export interface TransportRequest {
  readonly method: string;
  /** Scheme, host and port, without a trailing slash. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | undefined;
  text(): Promise<string>;
  chunks(): AsyncIterable<Uint8Array>;
  discard(): void;
}

export type MakeTransport = (options: { readonly connectionsMax: number }) => Transport;
