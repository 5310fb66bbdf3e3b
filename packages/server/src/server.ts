import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Env, InvariantError } from '@themisdb/base';
import { isLoopbackHost } from './config/loopback.ts';
import type { ServerConfig } from './config/server-config.ts';
import { themisError } from '@themisdb/protocol';
import { makeDatabase, type DatabaseParts } from './database/database.ts';
import { openParts, type OpenOptions } from './database/open.ts';
import type { Database } from './database/types.ts';
import { exitForDefect } from './defect-exit.ts';
import { makeJsonLog } from './env/index.ts';
import { brokenInvariant } from './http/broken-invariant.ts';
import { Cursors } from './http/cursors.ts';
import { isReceiving } from './http/body.ts';
import { HostGuard } from './http/host-guard.ts';
import { Idempotency } from './http/idempotency.ts';
import { Listener } from './http/listener.ts';
import { ServerMetrics } from './http/metrics.ts';
import { openApiOf } from './http/openapi.ts';
import { routes } from './http/routes/index.ts';
import type { Services } from './http/services.ts';
import { Transactions } from './http/transactions.ts';
import { Turns } from './http/turns.ts';
import { version } from './version.ts';

export interface RunningServer {
  /** `http://host:port`, as a client on this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** The same database, for the process that runs the server. */
  readonly database: Database;
  /** Not ready, finish what is under way, write the state out, close. */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  /** Requests that take longer are cut off. Default 30,000. */
  readonly graceMs?: number | undefined;
}

export interface StartOptions extends Pick<OpenOptions, 'env' | 'log' | 'rules'> {
  /**
   * Called once a broken invariant was logged and its request answered. Default: ends the process
   * with exit code 70. It must not go on serving.
   */
  readonly onBrokenInvariant?: ((error: InvariantError) => void) | undefined;
}

const headersTimeoutMs = 20_000;
const keepAliveTimeoutMs = 65_000;

/** Opens the data and listens. Errors of `open`, and CONFIG_INVALID when the port is taken. */
export async function startServer(
  config: ServerConfig,
  options: StartOptions = {},
): Promise<RunningServer> {
  mustBeSafe(config);
  const { onBrokenInvariant = exitForDefect, ...opening } = options;
  const parts = await openParts(config.data, {
    log: makeJsonLog({ level: config.logLevel }),
    ...opening,
    engine: config.engine,
    cacheBytes: config.cacheBytes,
    queryLimits: config.query,
  });
  try {
    return await listen(config, parts, onBrokenInvariant);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** Again here: whoever builds a configuration by hand must not open the door either. */
function mustBeSafe({ host }: ServerConfig): void {
  if (isLoopbackHost(host)) return;
  throw themisError('UNSAFE_BIND', {
    message: `host ${JSON.stringify(host)} is refused: without authentication the server listens on loopback only`,
  });
}

async function listen(
  config: ServerConfig,
  parts: DatabaseParts,
  onBrokenInvariant: (error: InvariantError) => void,
): Promise<RunningServer> {
  const stopping = new AbortController();
  const stopNow = new AbortController();
  const services = makeServices(config, parts, {
    stopping: stopping.signal,
    stopNow: stopNow.signal,
    onBrokenInvariant,
  });
  const listener = new Listener({
    services,
    routes,
    guard: new HostGuard(config.hosts),
    idPrefix: `${randomBytes(5).toString('base64url')}-`,
  });
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    // Bodies have their own clock (`body.ts`): an import may take hours.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: 5000,
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void =>
    void listener.handle(request, response);
  // Who asks before sending a body hears "continue" when a route begins to read it.
  server.on('request', handle).on('checkContinue', handle);
  server.maxConnections = config.limits.connectionsMax;
  dropStalled(server, config.limits.receiveTimeoutMs);
  await bind(server, config);
  const { port } = server.address() as AddressInfo;
  const database = makeDatabase(parts, 'default');
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return {
    url: `http://${host}:${port}`,
    port,
    database,
    stop: once(async ({ graceMs = 30_000 }: StopOptions = {}) => {
      stopping.abort(themisError('SHUTTING_DOWN', { message: 'the server is stopping' }));
      await finishRequests(server, parts.env, graceMs, stopNow);
      await listener.idle();
      services.transactions.rollbackAll();
      await services.cursors.closeAll();
      await database.checkpoint();
      await database.close();
    }),
  };
}

function makeServices(
  config: ServerConfig,
  database: DatabaseParts,
  ends: Pick<Services, 'stopping' | 'stopNow' | 'onBrokenInvariant'>,
): Services {
  const { env, store } = database;
  const { limits } = config;
  const makeId = (): string => randomBytes(12).toString('base64url');
  const cursors = new Cursors({
    env,
    openMax: limits.cursorsMax,
    idleMs: limits.cursorIdleMs,
    makeId,
    onFailure: (error) => failedInBackground(env, error, ends.onBrokenInvariant),
  });
  const transactions = new Transactions({
    env,
    store,
    openMax: limits.transactionsMax,
    idleMs: limits.transactionIdleMs,
    lifeMs: limits.transactionLifeMs,
    makeId,
  });
  const metrics = new ServerMetrics();
  metrics.watch({ database, cursors, transactions, startedMs: env.clock.nowMs() });
  let document: string | undefined;
  return {
    config,
    env,
    jsonLimits: { depthMax: limits.depthMax, attributesMax: limits.attributesMax },
    database,
    cursors,
    transactions,
    idempotency: new Idempotency(store),
    turns: new Turns(),
    metrics,
    ...ends,
    openApi: () => (document ??= JSON.stringify(openApiOf(routes, version))),
  };
}

function failedInBackground(
  env: Env,
  error: unknown,
  onBrokenInvariant: (error: InvariantError) => void,
): void {
  env.log.write('error', 'a cursor could not be closed', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  const broken = brokenInvariant(error);
  if (broken !== undefined) onBrokenInvariant(broken);
}

function bind(server: Server, config: ServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : (error.code ?? error.message);
      reject(
        themisError('CONFIG_INVALID', {
          message: `cannot listen on ${config.host} port ${config.port}: ${why}`,
          cause: error,
        }),
      );
    });
    server.listen(config.port, config.host, () => resolve());
  });
}

/**
 * A socket without traffic for this long is closed when it is the client who keeps us waiting: a
 * request that does not come to its end, or an answer that is not taken. Who waits for us may wait.
 */
function dropStalled(server: Server, idleMs: number): void {
  server.setTimeout(idleMs, (socket: Socket) => {
    if (socket.writableLength > 0 || isReceiving(socket)) socket.destroy();
  });
}

async function finishRequests(
  server: Server,
  env: Env,
  graceMs: number,
  stopNow: AbortController,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = env.timers.after(graceMs, () => {
    stopNow.abort(themisError('SHUTTING_DOWN', { message: 'the server stopped before the end' }));
    server.closeAllConnections();
  });
  await closed;
  timer.cancel();
}

function once<A, R>(run: (argument?: A) => Promise<R>): (argument?: A) => Promise<R> {
  let result: Promise<R> | undefined;
  return (argument) => (result ??= run(argument));
}
