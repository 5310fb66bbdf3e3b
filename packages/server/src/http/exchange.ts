import { hasCode, isThemisError, type InvariantError, type Value } from '@themisdb/base';
import {
  defaultNamespace,
  mustName,
  parseJson,
  themisError,
  type Problem,
} from '@themisdb/protocol';
import { brokenInvariant } from './broken-invariant.ts';
import type { Answer } from './answer.ts';
import type { Carrier } from './carrier.ts';
import { LateCommit, tooLate, type Tell } from './late-commit.ts';
import { checkContentEncoding, checkContentType } from './media-type.ts';
import { problemOf } from './problem.ts';
import type { Services } from './services.ts';
import type { Waiter } from './turns.ts';

/** NOT_IMPLEMENTED: what was asked for is not there, which is no failure of the server. */
const notServed = 501;

/**
 * One request on its way through the server: what handlers see of HTTP. Parts that cost something
 * (signal, deadline, body, query parameters) are made when first asked for.
 */
export class Exchange implements Waiter {
  readonly services: Services;
  readonly carrier: Carrier;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** Behind the question mark, still encoded. */
  readonly search: string;
  #abort: AbortController | undefined;
  #deadlineMs: number | undefined;
  #onEnd: (() => void)[] = [];
  #broken: InvariantError | undefined;
  #body: Promise<Uint8Array> | undefined;
  #isStreaming = false;
  #commit: LateCommit | undefined;
  /** The answer tells what was read, and no commit proves that it was current. Set by handlers that write. */
  hasOnlyRead = false;
  /** The route carries a request out once under its Idempotency-Key. Set by the listener. */
  takesKey = false;
  /** The body comes as a stream: it may take any time unless the client sets one. Set by the listener. */
  takesStream = false;
  /** With an error that tells of the state: up to where that was read. */
  readToken: string | undefined;

  constructor(services: Services, carrier: Carrier, id: string) {
    this.services = services;
    this.carrier = carrier;
    this.requestId = id;
    this.method = carrier.method;
    const { url } = carrier;
    const mark = url.indexOf('?');
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.search = mark === -1 ? '' : url.slice(mark + 1);
  }

  /** `name` in lower case. */
  header(name: string): string | undefined {
    const value = this.carrier.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  get namespace(): string {
    const name = this.header('x-themis-namespace');
    return name === undefined ? defaultNamespace : mustName(name, 'namespace');
  }

  /**
   * Milliseconds left to answer, by X-Request-Timeout or the setting, which is also the most that may be
   * asked for. For a body that streams only what was asked for counts, else it is Infinity. May be negative.
   */
  remainingMs(): number {
    this.#deadlineMs ??= this.#readDeadline();
    return this.#deadlineMs - this.services.env.clock.monotonicMs();
  }

  /** Called before what cannot be undone; REQUEST_TIMEOUT once the time is over. */
  checkDeadline(): void {
    const remainingMs = this.remainingMs();
    if (remainingMs <= 0) throw requestTimeout();
    this.#lateCommit.begin(remainingMs);
  }

  /**
   * As `checkDeadline`, for work in many commits that may take any time as a whole unless the client set
   * one: none of them may take as long as a request. UNKNOWN_OUTCOME, to which `tell` adds what was done.
   */
  checkProgress(tell: Tell): void {
    this.awaitCommits(tell);
    if (this.remainingMs() <= 0) throw tooLate();
  }

  /** As `checkProgress`, for commits that are to be waited for whether there is time left or not. */
  awaitCommits(tell: Tell): void {
    const { requestTimeoutMs } = this.services.config.limits;
    const remainingMs = Math.min(this.remainingMs(), requestTimeoutMs);
    this.#lateCommit.begin(Math.max(0, remainingMs), tell);
  }

  /** The client is to go on, which may take any time but that which it has set as a whole. */
  awaitClient(): void {
    const remainingMs = this.remainingMs();
    if (Number.isFinite(remainingMs)) this.#lateCommit.begin(Math.max(0, remainingMs));
    else this.#lateCommit.rest();
  }

  /** Waits for what other requests do, before anything is done; REQUEST_TIMEOUT when that takes too long. */
  wait<Result>(turn: Promise<Result>): Promise<Result> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(signal.reason as Error);
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      void turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    });
  }

  /** What a handler answers; UNKNOWN_OUTCOME when what it began to commit takes longer than there is time. */
  inTime(work: Promise<Answer> | Answer): Promise<Answer> | Answer {
    return work instanceof Promise ? this.#lateCommit.within(work) : work;
  }

  get #lateCommit(): LateCommit {
    return (this.#commit ??= new LateCommit(this.services.env.timers, this.services.commits));
  }

  /** Aborts when the client is gone, the time is over, or the server stops waiting for us. */
  get signal(): AbortSignal {
    return (this.#abort ??= this.#makeAbort()).signal;
  }

  /** What the client is told of a failure of this request, which is counted, and logged when it is ours. */
  problemOf(thrown: unknown): Problem {
    const error = this.#causeOf(thrown);
    const { problem: bare } = problemOf(error, this.requestId);
    const problem = this.#isRepeatable(bare) ? { ...bare, retryable: true } : bare;
    this.services.metrics.failed(problem.error.code);
    if (problem.status >= 500 && problem.status !== notServed) this.#logFailure(error);
    this.#broken ??= brokenInvariant(thrown);
    return problem;
  }

  /** What is not known to be done may be asked for again under its key: it is done once. */
  #isRepeatable({ error }: Problem): boolean {
    return error.code === 'UNKNOWN_OUTCOME' && this.isKeyed;
  }

  /** However often it is asked for, it is done once. */
  get isKeyed(): boolean {
    return this.takesKey && this.header('idempotency-key') !== undefined;
  }

  /** The invariant this request found broken: the process cannot go on. */
  get broken(): InvariantError | undefined {
    return this.#broken;
  }

  /** A query killed because the request's time was over says so. */
  #causeOf(error: unknown): unknown {
    const signal = this.#abort?.signal;
    return signal?.aborted === true && hasCode(error, 'QUERY_KILLED') ? signal.reason : error;
  }

  #logFailure(error: unknown): void {
    const level = isThemisError(error) && error.kind === 'unavailable' ? 'warn' : 'error';
    this.services.env.log.write(level, 'a request failed', {
      requestId: this.requestId,
      method: this.method,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  get isClientGone(): boolean {
    return this.carrier.isGone;
  }

  async readBody(allowedTypes: readonly string[]): Promise<Uint8Array> {
    checkContentType(this.header('content-type'), allowedTypes);
    checkContentEncoding(this.header('content-encoding'));
    return this.wholeBody();
  }

  /** The body, whatever its type; read once, and given again as often as asked. */
  wholeBody(): Promise<Uint8Array> {
    if (this.#body !== undefined) return this.#body;
    const { env, config } = this.services;
    this.#body = this.carrier.receive({
      bytesMax: config.limits.bodyBytesMax,
      receiveMs: config.limits.receiveTimeoutMs,
      now: () => env.clock.monotonicMs(),
    });
    return this.#body;
  }

  async readJson(allowedTypes: readonly string[]): Promise<Value> {
    return this.parse(await this.readBody(allowedTypes));
  }

  parse(body: Uint8Array): Value {
    return parseJson(body, this.services.jsonLimits);
  }

  stream(allowedTypes: readonly string[]): AsyncIterableIterator<Uint8Array> {
    checkContentType(this.header('content-type'), allowedTypes);
    checkContentEncoding(this.header('content-encoding'));
    return this.rawStream();
  }

  /** The body as it comes, whatever its type. */
  async *rawStream(): AsyncIterableIterator<Uint8Array> {
    this.#isStreaming = true;
    yield* this.carrier.stream();
  }

  /** A body that streams has begun to be read: the request cannot be run again. */
  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** Gives timers and listeners back; the listener calls it once the answer is out. */
  end(): void {
    for (const run of this.#onEnd) run();
    this.#onEnd = [];
  }

  #readDeadline(): number {
    const most = this.takesStream ? Infinity : this.services.config.limits.requestTimeoutMs;
    const given = this.header('x-request-timeout');
    const now = this.services.env.clock.monotonicMs();
    if (given === undefined) return now + most;
    if (!/^[1-9]\d{0,9}$/.test(given)) {
      throw themisError('BAD_REQUEST', {
        message: `X-Request-Timeout must be a whole number of milliseconds from 1, not ${JSON.stringify(given.slice(0, 50))}`,
        details: { header: 'X-Request-Timeout' },
      });
    }
    return now + Math.min(Number(given), most);
  }

  #makeAbort(): AbortController {
    const controller = new AbortController();
    const gone = (): void => {
      if (!this.carrier.isSent) controller.abort(clientGone());
    };
    const stopped = (): void => controller.abort(this.services.stopNow.reason);
    const { stopNow, env } = this.services;
    const remainingMs = this.remainingMs();
    const timer = Number.isFinite(remainingMs)
      ? env.timers.after(Math.max(0, remainingMs), () => controller.abort(requestTimeout()))
      : undefined;
    this.carrier.onClose(gone);
    stopNow.addEventListener('abort', stopped, { once: true });
    if (stopNow.aborted) stopped();
    if (this.isClientGone) gone();
    this.#onEnd.push(() => {
      timer?.cancel();
      this.carrier.offClose(gone);
      stopNow.removeEventListener('abort', stopped);
    });
    return controller;
  }
}

function requestTimeout(): Error {
  return themisError('REQUEST_TIMEOUT', {
    message: 'the request did not finish within its time (X-Request-Timeout or the server limit)',
  });
}

// Nobody reads this one: the client left. It only has to be a known error for those who wait.
function clientGone(): Error {
  return themisError('REQUEST_TIMEOUT', { message: 'the client closed the connection' });
}
