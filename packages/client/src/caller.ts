import { hasCode } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { Deadline } from './deadline.ts';
import type { Endpoints } from './endpoints.ts';
import { errorFromAnswer } from './errors.ts';
import type { RetryPolicy } from './retry.ts';
import type { Transport, TransportResponse } from './transport/transport.ts';

/** Options every call takes. */
export interface CallOptions {
  /** One deadline for the whole call, retries included. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How fresh what is read has to be, in place of that of the client. */
  readonly consistency?: Consistency | undefined;
}

/** `at-least=` is followed by a token: `X-Themis-Token` of an answer. */
export type Consistency =
  'strong' | 'bounded' | `bounded=${number}` | 'eventual' | `at-least=${string}`;

export interface Call extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly namespace?: string | undefined;
  readonly transaction?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with the content type given in `headers`. Never repeated when a stream. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Has no second effect when repeated: reads, and writes under an idempotency key. */
  readonly isRepeatable: boolean;
  /** Never repeated once it may have been sent, whatever the answer: it is done piece by piece. */
  readonly isInPieces?: boolean | undefined;
  /** Runs on the node that leads, wherever it is sent. */
  readonly isWrite?: boolean | undefined;
  /** Statuses that are answers rather than errors, besides 2xx. */
  readonly accepts?: readonly number[] | undefined;
}

export interface Answer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Parsed JSON; undefined when there is no body. */
  readonly body: unknown;
}

export interface CallerOptions {
  readonly endpoints: Endpoints;
  readonly consistency: Consistency | undefined;
  /** Reads see what this client has written, or read, before. */
  readonly readsOwnWrites: boolean;
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends calls: picks an endpoint, keeps the deadline, repeats what may be repeated, types errors. */
export class Caller {
  readonly #options: CallerOptions;
  /** The newest state an answer told of. Tokens sort as texts. */
  #token = '';
  #closed = false;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call(call: Call): Promise<Answer> {
    const deadline = new Deadline(call.timeoutMs ?? this.#options.timeoutMs, call.signal);
    try {
      const { response, text } = await this.#attempts(call, deadline, readText);
      return {
        status: response.status,
        header: (name) => response.header(name),
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
    } finally {
      deadline.end();
    }
  }

  /**
   * The answer's bytes as they come. The deadline covers the time to the first byte only; after that
   * the caller's signal decides.
   */
  async *stream(call: Call): AsyncIterableIterator<Uint8Array> {
    const deadline = new Deadline(call.timeoutMs ?? this.#options.timeoutMs, call.signal);
    let response: TransportResponse;
    try {
      ({ response } = await this.#attempts(call, deadline, readNothing));
    } finally {
      deadline.end();
    }
    let isDone = false;
    try {
      yield* response.chunks();
      isDone = true;
    } finally {
      if (!isDone) response.discard();
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#options.transport.close();
  }

  async #attempts(call: Call, deadline: Deadline, read: Read): Promise<Received> {
    const { retry } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const received = await this.#once(call, deadline, read);
        retry.succeeded();
        return received;
      } catch (error) {
        const delayMs = isFinal(call, error)
          ? undefined
          : retry.delayMs(attempt, error, call.isRepeatable);
        if (delayMs === undefined || delayMs >= deadline.remainingMs) throw error;
        await deadline.sleep(delayMs);
      }
    }
  }

  /** To the end of the answer's text, so that one that breaks off is repeated as one that never came. */
  async #once(call: Call, deadline: Deadline, read: Read): Promise<Received> {
    if (this.#closed) {
      throw themisError('BAD_REQUEST', { message: 'the client was closed; make a new one' });
    }
    const { endpoints } = this.#options;
    const origin = endpoints.pick({ isWrite: call.isWrite === true });
    let received: Received;
    try {
      received = await this.#send(call, deadline, { origin, read });
    } catch (error) {
      endpoints.failed(origin);
      throw error;
    }
    const { response, text } = received;
    if (isAnswer(call, response)) return received;
    if (response.status === 503) endpoints.failed(origin);
    throw errorFromAnswer(response.status, text);
  }

  async #send(
    call: Call,
    deadline: Deadline,
    { origin, read }: { readonly origin: string; readonly read: Read },
  ): Promise<Received> {
    const { endpoints, transport } = this.#options;
    const response = await transport.send({
      method: call.method,
      origin,
      path: call.path,
      headers: this.#headers(call, deadline),
      body: call.json === undefined ? call.body : JSON.stringify(call.json),
      signal: deadline.signal,
    });
    const text = await (isAnswer(call, response) ? read : readText)(response);
    endpoints.heard(response.header('x-themis-leader'));
    const token = response.header('x-themis-token');
    if (token !== undefined && token > this.#token) this.#token = token;
    return { response, text };
  }

  #consistency(call: Call): Consistency | undefined {
    const { consistency, readsOwnWrites } = this.#options;
    if (call.consistency !== undefined) return call.consistency;
    return readsOwnWrites && this.#token !== '' ? `at-least=${this.#token}` : consistency;
  }

  #headers(call: Call, deadline: Deadline): Record<string, string> {
    const headers: Record<string, string> = { ...this.#options.headers, ...call.headers };
    if (call.json !== undefined) headers['content-type'] ??= 'application/json';
    if (call.namespace !== undefined) headers['x-themis-namespace'] = call.namespace;
    if (call.transaction !== undefined) headers['x-themis-transaction'] = call.transaction;
    const consistency = call.isWrite === true ? undefined : this.#consistency(call);
    if (consistency !== undefined) headers['x-themis-consistency'] ??= consistency;
    headers['x-request-timeout'] ??= String(Math.max(1, Math.floor(deadline.remainingMs)));
    return headers;
  }
}

/** What of an answer is read within the attempt. */
type Read = (response: TransportResponse) => Promise<string>;

const readText: Read = (response) => response.text();
/** Of a stream, whose bytes go on to who asked for them. */
const readNothing: Read = () => Promise.resolve('');

interface Received {
  readonly response: TransportResponse;
  readonly text: string;
}

function isAnswer(call: Call, { status }: TransportResponse): boolean {
  return (status >= 200 && status < 300) || call.accepts?.includes(status) === true;
}

/**
 * A stream cannot be sent twice; what has ended its transaction, or lost the cursor, must begin anew as a
 * whole.
 */
function isFinal(call: Call, error: unknown): boolean {
  const isStream = typeof call.body === 'object' && !(call.body instanceof Uint8Array);
  if (isStream || hasCode(error, 'TRANSACTION_LOST', 'CURSOR_LOST')) return true;
  if (call.isInPieces === true) return !isUnsent(error);
  return call.transaction !== undefined && hasCode(error, 'WRITE_CONFLICT');
}

function isUnsent(error: unknown): boolean {
  return hasCode(error, 'CONNECTION_FAILED') && error.details['sent'] === false;
}
