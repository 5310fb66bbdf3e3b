import type { Env, Network, NetworkConnection, ThemisError, TimerHandle } from '@themisdb/base';
import { isThemisError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { CallOptions, DuplexAnswer, ShardChannel } from './contract.ts';
import { openChannel, type ChannelOptions } from './open.ts';

export type PeerState = 'connecting' | 'up' | 'down' | 'closed';

export interface PeerOptions extends ChannelOptions {
  readonly env: ChannelOptions['env'] & Pick<Env, 'random'>;
  readonly network: Network;
  /** Default 2,000. */
  readonly connectTimeoutMs?: number;
  /**
   * After the n-th failure in a row the next attempt waits a random time below `backoffMinMs` × 2ⁿ, at
   * most `backoffMaxMs`. Defaults 50 and 2,000.
   */
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
}

/**
 * The way to one other node: a channel that is made anew whenever it is lost, until `close`.
 *
 * Calls are those of `ShardChannel`. While an attempt to connect is under way they wait for it; between
 * attempts they reject at once with `CONNECTION_FAILED` (`details.sent` false, `retryAfterMs` till the next
 * attempt). Messages are dropped whenever the channel is not up. A call is never sent twice.
 */
export interface Peer {
  readonly address: string;
  readonly state: PeerState;
  /** The channel while it is up. */
  readonly channel: ShardChannel | undefined;
  call(operation: string, body: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  stream(operation: string, body: Uint8Array, options?: CallOptions): AsyncIterable<Uint8Array>;
  duplex(
    operation: string,
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<DuplexAnswer>;
  send(operation: string, body: Uint8Array): boolean;
  /** Called at each change, with the error that brought it down. */
  onChange(listener: (state: PeerState, error: ThemisError | undefined) => void): void;
  close(): Promise<void>;
}

export class ConnectingPeer implements Peer {
  readonly address: string;
  readonly #options: PeerOptions;
  readonly #listeners: ((state: PeerState, error: ThemisError | undefined) => void)[] = [];
  readonly #giveUp = new AbortController();
  #state: PeerState = 'connecting';
  #channel: ShardChannel | undefined;
  #connection: NetworkConnection | undefined;
  #attempt: Promise<ShardChannel | undefined> = Promise.resolve(undefined);
  #failures = 0;
  #upAtMs = 0;
  #timer: TimerHandle | undefined;
  #nextAtMs = 0;
  #lastError: ThemisError | undefined;

  constructor(address: string, options: PeerOptions) {
    this.address = address;
    this.#options = options;
    this.#connect();
  }

  get state(): PeerState {
    return this.#state;
  }

  get channel(): ShardChannel | undefined {
    return this.#channel;
  }

  async call(operation: string, body: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    if (this.#channel !== undefined) return this.#channel.call(operation, body, options);
    const { channel, rest } = await this.#whenTried(options);
    return channel.call(operation, body, rest);
  }

  async *stream(
    operation: string,
    body: Uint8Array,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const { channel, rest } = await this.#whenTried(options);
    yield* channel.stream(operation, body, rest);
  }

  async duplex(
    operation: string,
    head: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<DuplexAnswer> {
    const { channel, rest } = await this.#whenTried(options);
    return channel.duplex(operation, head, chunks, rest);
  }

  send(operation: string, body: Uint8Array): boolean {
    return this.#channel?.send(operation, body) ?? false;
  }

  onChange(listener: (state: PeerState, error: ThemisError | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const channel = this.#channel;
    this.#change('closed', undefined);
    this.#timer?.cancel();
    this.#giveUp.abort(this.#failure('the peer was closed'));
    if (channel === undefined) this.#connection?.destroy();
    else await channel.close();
  }

  /** A channel, and what is left of the deadline. */
  async #whenTried(options: CallOptions): Promise<{ channel: ShardChannel; rest: CallOptions }> {
    if (this.#channel !== undefined) return { channel: this.#channel, rest: options };
    const { clock } = this.#options.env;
    const startMs = clock.monotonicMs();
    const channel =
      this.#state === 'connecting' ? await this.#waitForAttempt(options) : this.#channel;
    if (channel === undefined) throw this.#unreachable();
    if (options.deadlineMs === undefined) return { channel, rest: options };
    const deadlineMs = options.deadlineMs - (clock.monotonicMs() - startMs);
    return { channel, rest: { ...options, deadlineMs } };
  }

  async #waitForAttempt({ deadlineMs, signal }: CallOptions): Promise<ShardChannel | undefined> {
    signal?.throwIfAborted();
    const ended = new AbortController();
    const isOver = new Promise<undefined>((_, reject) => {
      const onAbort = (): void => reject(signal!.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      ended.signal.addEventListener('abort', () => signal?.removeEventListener('abort', onAbort));
      if (deadlineMs === undefined) return;
      const message = `no connection to ${this.address} within the deadline`;
      const timer = this.#options.env.timers.after(deadlineMs, () =>
        reject(themisError('REQUEST_TIMEOUT', { message, details: { sent: false } })),
      );
      ended.signal.addEventListener('abort', () => timer.cancel());
    });
    try {
      return await Promise.race([this.#attempt, isOver]);
    } finally {
      ended.abort();
    }
  }

  #unreachable(): ThemisError {
    const waitMs = this.#nextAtMs - this.#options.env.clock.monotonicMs();
    const why = this.#lastError?.message ?? 'not connected';
    return this.#failure(why, Math.max(Math.ceil(waitMs), 0));
  }

  #failure(why: string, retryAfterMs?: number): ThemisError {
    const message = `${this.address} cannot be reached: ${why}`;
    const details = { address: this.address, sent: false };
    return themisError('CONNECTION_FAILED', {
      message,
      details,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  #connect(): void {
    this.#change('connecting', undefined);
    this.#attempt = this.#open().then(
      (channel) => this.#up(channel),
      (error: unknown) => this.#failed(error),
    );
  }

  async #open(): Promise<ShardChannel> {
    const { network, connectTimeoutMs: timeoutMs = 2_000 } = this.#options;
    const { signal } = this.#giveUp;
    this.#connection = await network.connect(this.address, { timeoutMs, signal });
    return openChannel(this.#connection, this.#options);
  }

  #up(channel: ShardChannel): ShardChannel | undefined {
    if (this.#state === 'closed') return void channel.close();
    this.#channel = channel;
    this.#upAtMs = this.#options.env.clock.monotonicMs();
    this.#lastError = undefined;
    this.#options.env.log.write('info', 'peer is up', { ...channel.peer, address: this.address });
    this.#change('up', undefined);
    channel.onClose((error) => this.#down(error ?? this.#failure('the other side closed')));
    return channel;
  }

  #failed(error: unknown): undefined {
    // Anything else is a defect and ends the process.
    if (!isThemisError(error)) throw error;
    this.#down(error);
  }

  #down(error: ThemisError): void {
    this.#channel = undefined;
    if (this.#state === 'closed') return;
    const { env, backoffMinMs = 50, backoffMaxMs = 2_000 } = this.#options;
    const nowMs = env.clock.monotonicMs();
    // One that is lost as soon as it is made is no better than a failed attempt.
    if (this.#state === 'up' && nowMs - this.#upAtMs >= backoffMaxMs) this.#failures = 0;
    this.#failures++;
    const capMs = Math.min(backoffMinMs * 2 ** this.#failures, backoffMaxMs);
    const delayMs = env.random.float() * capMs;
    this.#nextAtMs = nowMs + delayMs;
    this.#timer = env.timers.after(delayMs, () => this.#connect());
    if (this.#lastError?.message !== error.message) this.#logDown(error);
    this.#lastError = error;
    this.#change('down', error);
  }

  /** The same failure over and over stands in the log once. */
  #logDown({ code, message, details }: ThemisError): void {
    const fields = { address: this.address, code, reason: message, details };
    this.#options.env.log.write('warn', 'peer is down', fields);
  }

  #change(state: PeerState, error: ThemisError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    if (state === 'closed') this.#channel = undefined;
    for (const listener of this.#listeners) listener(state, error);
  }
}
