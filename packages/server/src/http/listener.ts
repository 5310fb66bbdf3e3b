import { hasCode, type InvariantError } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { sendStream, sendWhole, type Answer } from './answer.ts';
import type { Carrier } from './carrier.ts';
import { Exchange } from './exchange.ts';
import type { HostGuard } from './host-guard.ts';
import { problemType } from './media-type.ts';
import type { RouteMetrics } from './metrics.ts';
import { problemText } from './problem.ts';
import type { Route } from './route.ts';
import { Router, type Found } from './router.ts';
import type { Services } from './services.ts';
import { runRoute } from './run-route.ts';
import { refusedAtTheDoor } from './stopping.ts';

export interface ListenerOptions {
  readonly services: Services;
  readonly routes: readonly Route[];
  readonly guard: HostGuard;
  /** Prefix of the request ids made here, different in every process. */
  readonly idPrefix: string;
}

interface Target {
  readonly route: Route;
  readonly metrics: RouteMetrics;
}

const noWatch = (): void => undefined;

/** How long a broken invariant waits for the client to take the answer. */
const lastWordMs = 1000;

/**
 * Takes requests from `node:http` to their routes and sends the answers. Works on node's own request
 * and response rather than on a framework's: measured for a point read on one core, 38,000 to 53,000
 * answers a second against 17,000 through Hono's adapter.
 */
export class Listener {
  readonly #services: Services;
  readonly #guard: HostGuard;
  readonly #router = new Router<Target>();
  readonly #unrouted: RouteMetrics;
  readonly #idPrefix: string;
  #ids = 0;
  #idlers: (() => void)[] = [];

  constructor({ services, routes, guard, idPrefix }: ListenerOptions) {
    this.#services = services;
    this.#guard = guard;
    this.#idPrefix = idPrefix;
    for (const route of routes) {
      const metrics = services.metrics.forRoute(route.method, route.path);
      const template = route.takesRest === true ? route.path.replace(/\}$/, '*}') : route.path;
      this.#router.add(route.method, template, { route, metrics });
    }
    this.#unrouted = services.metrics.forRoute('*', 'none');
  }

  /** Never rejects. */
  async handle(carrier: Carrier): Promise<void> {
    const { metrics, env } = this.#services;
    const startedMs = env.clock.monotonicMs();
    const exchange = new Exchange(this.#services, carrier, this.#requestId(carrier));
    metrics.inFlight++;
    const endWatch = this.#cutWithServer(carrier);
    let target: Target | undefined;
    let status: number;
    try {
      const { headers, forwardedBy } = carrier;
      if (forwardedBy === undefined) this.#guard.check(headers.host, headers.origin);
      const found = this.#router.find(exchange.method, exchange.path);
      if (found.type !== 'route') throw notRouted(found, exchange);
      target = found.target;
      exchange.takesStream = target.route.body?.kind === 'stream';
      exchange.takesKey = target.route.headers?.includes('Idempotency-Key') === true;
      this.#checkServing(target.route);
      const answer = await runRoute(target.route, exchange, found);
      status = await this.#send(exchange, answer);
    } catch (error) {
      status = await this.#fail(exchange, error);
    }
    exchange.end();
    endWatch();
    if (exchange.broken !== undefined) await this.#giveUp(exchange, exchange.broken);
    if (--metrics.inFlight === 0) for (const wake of this.#idlers.splice(0)) wake();
    (target?.metrics ?? this.#unrouted).answered(status, env.clock.monotonicMs() - startedMs);
  }

  #cutWithServer(carrier: Carrier): () => void {
    if (carrier.cutShort === undefined) return noWatch;
    const { stopNow } = this.#services;
    const cut = (): void => carrier.cutShort!(stopNow.reason as Error);
    stopNow.addEventListener('abort', cut, { once: true });
    if (stopNow.aborted) cut();
    return () => stopNow.removeEventListener('abort', cut);
  }

  /** The client hears of it if it listens; then it is the process's end. */
  async #giveUp({ carrier, requestId }: Exchange, error: InvariantError): Promise<void> {
    const { env, onBrokenInvariant } = this.#services;
    await new Promise<void>((resolve) => {
      if (carrier.isSent || carrier.isGone) return resolve();
      const timer = env.timers.after(lastWordMs, resolve);
      carrier.onClose(() => {
        timer.cancel();
        resolve();
      });
    });
    env.log.write('error', 'an invariant does not hold: the process ends', {
      requestId,
      error: error.stack ?? error.message,
    });
    onBrokenInvariant(error);
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    if (this.#services.metrics.inFlight === 0) return;
    await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  #requestId({ headers }: Carrier): string {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)) return given;
    return this.#idPrefix + (this.#ids++).toString(36);
  }

  #checkServing(route: Route): void {
    if (!this.#services.stopping.aborted || route.isAlwaysServed === true) return;
    throw refusedAtTheDoor();
  }

  async #send(exchange: Exchange, answer: Answer): Promise<number> {
    const { carrier } = exchange;
    if (carrier.isGone) {
      await answer.stream?.[Symbol.asyncIterator]().return?.();
      return answer.status;
    }
    const { env, config, stopping, cluster } = this.#services;
    const options = {
      requestId: exchange.requestId,
      closeConnection: stopping.aborted || carrier.isMuchLeft(config.limits.bodyBytesMax),
      leaderUrl: carrier.forwardedBy === undefined ? cluster?.leaderUrl : undefined,
    };
    if (answer.stream === undefined) sendWhole(carrier, answer, options);
    else {
      const stallMs = config.limits.receiveTimeoutMs;
      const after = env.timers.after.bind(env.timers);
      await sendStream(carrier, answer, { ...options, stallMs, after });
    }
    return answer.status;
  }

  async #fail(exchange: Exchange, error: unknown): Promise<number> {
    const problem = exchange.problemOf(error);
    const { status } = problem;
    this.#watchForDamage(error);
    if (exchange.carrier.hasBegun) {
      exchange.carrier.abort();
      return status;
    }
    const headers: Record<string, string> = {};
    if (exchange.readToken !== undefined) headers['x-themis-token'] = exchange.readToken;
    if (problem.retry_after_ms !== undefined) {
      headers['retry-after'] = String(Math.ceil(problem.retry_after_ms / 1000));
    }
    if (hasCode(error, 'METHOD_NOT_ALLOWED')) {
      headers['allow'] = (error.details['allowed'] as string[]).join(', ');
    }
    const body = problemText(problem);
    return this.#send(exchange, { status, contentType: problemType, body, headers });
  }

  /** What is damaged here is whole on the peers: this node stops, and gets it from one of them. */
  #watchForDamage(error: unknown): void {
    const { cluster, database } = this.#services;
    if (cluster === undefined || database.replica.isAlone) return;
    if (hasCode(error, 'DATA_CORRUPT')) database.replica.quarantine(error);
  }
}

function notRouted(found: Exclude<Found<Target>, { type: 'route' }>, exchange: Exchange): Error {
  const path = JSON.stringify(exchange.path.slice(0, 200));
  if (found.type === 'no-route') {
    return themisError('ROUTE_NOT_FOUND', {
      message: `there is no route ${path}; GET /openapi.json lists all`,
    });
  }
  return themisError('METHOD_NOT_ALLOWED', {
    message: `${path} does not take ${exchange.method}; allowed: ${found.allowed.join(', ')}`,
    details: { allowed: found.allowed },
  });
}
